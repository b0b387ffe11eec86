/** The Winograd algorithms that have kernels, as the kernels' side needs them: sizes and integers, derived at build time (table.ts). */
import { WINOGRAD_TABLE } from "./table.ts";

type Row = (typeof WINOGRAD_TABLE)[number];

/** Ids of the algorithms with an int8 or an f32 kernel. */
export type WinogradS8 = Extract<Row, { readonly dtype: "s8" }>["algorithm"];
export type WinogradF32 = Extract<Row, { readonly dtype: "f32" }>["algorithm"];
export type WinogradId = WinogradS8 | WinogradF32;

export interface WinogradKernel {
  readonly kernel: Row["kernel"];
  readonly algorithm: WinogradId;
  readonly dtype: "s8" | "f32";
  /** Outputs and inputs of a tile in either direction, taps of the kernel. */
  readonly m: number;
  readonly n: number;
  readonly r: number;
  /** Products a tile and channel. */
  readonly planes: number;
  /** Of both transforms. */
  readonly workspaceBytes: number;
  /** Results are 2^shift * odd times the convolution; the kernel undoes `odd`, exactly if the filters are. */
  readonly shift: number;
  readonly odd: number;
  /** The plane of the point (1, 1), where a value v adds v * 2^shift * odd / biasFactor to every result. */
  readonly biasPlane: number;
  readonly biasFactor: number;
  /** What an input of ones gives in that plane; it gives 0 in all others. */
  readonly onesResponse: number;
  /** By how much the f32 bound exceeds that of the plain sum, roundings alike (winograd/rounding.ts). */
  readonly amplification: number;
  /** f32: what the filter matrix is divided by. */
  readonly divisor: number;
  /** Largest |V| of int8 input, and largest |A| of each plane over the outputs. */
  readonly inputMaxima: readonly number[];
  readonly outputGains: readonly number[];
  /** Right factors of a filter: planes x r^2, row-major. */
  readonly filter: readonly number[];
}

export const WINOGRAD_ALGORITHMS: readonly WinogradKernel[] = WINOGRAD_TABLE;

/** The kernel of an algorithm, if there is one for the data type. */
export function winogradKernel(dtype: "s8" | "f32", id: string): WinogradKernel | undefined {
  return WINOGRAD_ALGORITHMS.find((a) => a.dtype === dtype && a.algorithm === id);
}

/** Whether an algorithm computes convolutions with this kernel size and stride; none computes depthwise ones. */
export function winogradApplies(
  { r }: WinogradKernel,
  spec: { readonly kh: number; readonly kw: number; readonly stride: number; readonly depthwise?: boolean },
): boolean {
  return !spec.depthwise && spec.kh === r && spec.kw === r && spec.stride === 1;
}
