/** Filters transformed and packed for the Winograd kernels (layout: assembly/winograd/conv2d-winograd.ts). */
import type { KernelInstance } from "../load.ts";
import type { WinogradKernel } from "./algorithms.ts";

/** The filter matrix without its zeros: of each plane the taps it reads and their coefficients. */
interface SparseRows {
  readonly starts: Int32Array;
  readonly taps: Uint8Array;
  readonly coefficients: Float64Array;
}

const sparse = new WeakMap<WinogradKernel, SparseRows>();

function sparseRows(algorithm: WinogradKernel): SparseRows {
  const known = sparse.get(algorithm);
  if (known) return known;
  const { planes, r, filter, divisor } = algorithm;
  const taps = r * r;
  const starts = new Int32Array(planes + 1);
  const used: number[] = [];
  const coefficients: number[] = [];
  for (let p = 0; p < planes; p++) {
    for (let t = 0; t < taps; t++) {
      const c = filter[p * taps + t]!;
      if (c === 0) continue;
      used.push(t);
      coefficients.push(c / divisor);
    }
    starts[p + 1] = used.length;
  }
  const rows = { starts, taps: Uint8Array.from(used), coefficients: Float64Array.from(coefficients) };
  sparse.set(algorithm, rows);
  return rows;
}

/**
 * The right factors of one r x r filter (row-major), in plane order: exact integers for int8, real numbers for f32. Those of conjugate
 * pairs, c, d-c and c+d, are doubled, so that the output transform need not.
 */
export function transformFilter(algorithm: WinogradKernel, g: ArrayLike<number>, to: Float64Array): Float64Array {
  const { starts, taps, coefficients } = sparseRows(algorithm);
  for (let p = 0; p < algorithm.planes; p++) {
    let sum = 0;
    for (let i = starts[p]!; i < starts[p + 1]!; i++) sum += coefficients[i]! * g[taps[i]!]!;
    to[p] = sum;
  }
  return to;
}

/** OHWI filters. */
export interface Filters {
  readonly weights: Int8Array | Float32Array;
  readonly oc: number;
  readonly ic: number;
}

/** Calls `each` with the factors of every filter, output channel by output channel; the array is reused. */
export function forEachFilter(
  algorithm: WinogradKernel,
  { weights, oc, ic }: Filters,
  each: (o: number, c: number, factors: Float64Array) => void,
): void {
  const taps = algorithm.r ** 2;
  const g = new Float64Array(taps);
  const factors = new Float64Array(algorithm.planes);
  for (let o = 0; o < oc; o++) {
    for (let c = 0; c < ic; c++) {
      for (let t = 0; t < taps; t++) g[t] = weights[(o * taps + t) * ic + c]!;
      each(o, c, transformFilter(algorithm, g, factors));
    }
  }
}

/**
 * Where the packed filter of (o, c) in one block lies: values [oc/lanes][planes][steps][lanes][pair], lanes = 8, or 4 where there are no
 * more output channels, pair = 2 for integers and 1 for f32; planes are `planeStep` values apart.
 */
export interface PackedLayout {
  readonly length: number;
  readonly planeStep: number;
  readonly offset: (o: number, c: number) => number;
}

const panelLanes = (oc: number): 4 | 8 => (oc <= 4 ? 4 : 8);

export function packedLayout({ planes }: WinogradKernel, oc: number, channels: number, pair: 1 | 2): PackedLayout {
  const lanes = panelLanes(oc);
  const planeStep = Math.ceil(channels / pair) * pair * lanes;
  return {
    length: Math.ceil(oc / lanes) * planes * planeStep,
    planeStep,
    offset: (o, c) => {
      const panel = Math.floor(o / lanes) * planes * planeStep;
      return panel + Math.floor(c / pair) * pair * lanes + (o % lanes) * pair + (c % pair);
    },
  };
}

/** Filters that are packed straight into kernel memory. */
export interface PackedFilters {
  readonly bytes: number;
  readonly write: (kernels: KernelInstance, pointer: number) => void;
}

/** An array as it is. */
export function written({ buffer, byteOffset, byteLength }: Int8Array | Int16Array | Float32Array): PackedFilters {
  const write: PackedFilters["write"] = ({ memory }, pointer) =>
    memory.u8.set(new Uint8Array(buffer, byteOffset, byteLength), pointer);
  return { bytes: byteLength, write };
}

/**
 * int8 filters -> int16, a block of `blockChannels` input channels after the other (a multiple of 8, or at least ic): the work of
 * `transformFilter`, done by a kernel, as it is most of what a network has to do before it can run.
 */
export function packWinogradS8(
  algorithm: WinogradKernel,
  { weights, oc, ic }: Filters & { readonly weights: Int8Array },
  blockChannels: number,
): PackedFilters & { readonly blockBytes: number } {
  const blocks: { readonly channel: number; readonly channels: number; readonly bytes: number }[] = [];
  for (let channel = 0; channel < ic; channel += blockChannels) {
    const channels = Math.min(blockChannels, ic - channel);
    blocks.push({ channel, channels, bytes: 2 * packedLayout(algorithm, oc, channels, 2).length });
  }
  const { starts, taps, coefficients } = sparseRows(algorithm);
  const write = ({ memory, exports }: KernelInstance, pointer: number): void => {
    const [weightBytes, tapBytes] = [weights, taps].map(({ length }) => Math.ceil(length / 4) * 4) as [number, number];
    const block = memory.allocate(weightBytes + tapBytes + 4 * (starts.length + coefficients.length));
    try {
      const used = block + weightBytes;
      const first = used + tapBytes;
      const factors = first + 4 * starts.length;
      memory.i8.set(weights, block);
      memory.u8.set(taps, used);
      memory.i32.set(starts, first >> 2);
      memory.i32.set(coefficients, factors >> 2);
      let to = pointer;
      for (const { channel, channels, bytes } of blocks) {
        memory.u8.fill(0, to, to + bytes);
        const { planes, r } = algorithm;
        const lanes = panelLanes(oc);
        exports.s8_winograd_filter(block, oc, r * r, ic, channel, channels, planes, first, used, factors, lanes, to);
        to += bytes;
      }
    } finally {
      memory.free(block);
    }
  };
  return { bytes: blocks.reduce((sum, { bytes }) => sum + bytes, 0), write, blockBytes: blocks[0]!.bytes };
}

/** f32 filters -> f32, rounded once. */
export function packWinogradF32(algorithm: WinogradKernel, filters: Filters): Float32Array<ArrayBuffer> {
  const { length, planeStep, offset } = packedLayout(algorithm, filters.oc, filters.ic, 1);
  const packed = new Float32Array(length);
  forEachFilter(algorithm, filters, (o, c, factors) => {
    let at = offset(o, c);
    for (let p = 0; p < algorithm.planes; p++, at += planeStep) packed[at] = factors[p]!;
  });
  return packed;
}
