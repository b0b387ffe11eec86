/** Instructions of int8 kernels by formula, for the essay's account of why 36 products beat 46. */
import { CHANNELS, RELATIVE_TIME } from "../../src/kernels/convolution/cost-table.ts";
import type { AlgorithmId } from "../../src/winograd/catalogue.ts";
import { nestedOfKernel, WINOGRAD_KERNELS } from "../../src/winograd/kernel-table.ts";
import { countTransforms, type TransformCounts, transforms } from "../../src/winograd/transforms.ts";

/**
 * Vector instructions of a step of assembly/gemm/gemm-4x8.ts: 2 loads of filters, 4 broadcasts, 8 dot products and 8 additions for 2
 * channels, 4 tiles and 8 outputs, that is 64 products.
 */
export const GEMM_STEP = { instructions: 2 + 4 + 8 + 8, products: 2 * 4 * 8 } as const;

interface Counted {
  readonly planes: number;
  readonly counts: TransformCounts;
  /** Products by the inverse of the odd part, one an output. */
  readonly rescale: number;
}

const known = new Map<AlgorithmId, Counted>();

function counted(id: AlgorithmId): Counted {
  const found = known.get(id);
  if (found) return found;
  const nested = nestedOfKernel(WINOGRAD_KERNELS.find(({ algorithm, dtype }) => algorithm === id && dtype === "s8")!);
  const { m } = nested.vertical.algorithm;
  const rescale = nested.result.odd === 1n ? 0 : m * m;
  const result = { planes: nested.planes.length, counts: countTransforms(transforms(nested)), rescale };
  known.set(id, result);
  return result;
}

/** One tile with as many channels in as out. */
export type Model = (found: Counted, channels: number) => number;

/** One instruction for 8 products, 8 lanes of the input transform, 4 of the output transform; memory is free. */
export const oneADot: Model = ({ planes, counts: { input, output }, rescale }, c) =>
  (planes * c * c) / 8 +
  ((input.adds + input.shifts + input.constants) * c) / 8 +
  ((output.adds + output.shifts + output.constants + rescale) * c) / 4;

/** The product as it is, each plane stored and loaded once on its way; 32-bit products (the output's) at two instructions. */
export const asWritten: Model = ({ planes, counts: { input, output }, rescale }, c) =>
  (planes * c * c * GEMM_STEP.instructions) / GEMM_STEP.products +
  ((input.adds + input.shifts + input.constants + planes) * c) / 8 +
  ((output.adds + output.shifts + 2 * (output.constants + rescale) + 2 * planes) * c) / 4;

const COMPLEX = "f4x4-3x3-complex";
/** The algorithms of 36 products, each compared with the complex one. */
export const RIVALS = ["f4x4-3x3-rational", "f4x4-3x3-half"] as const satisfies readonly AlgorithmId[];
export type Rival = (typeof RIVALS)[number];

/** Time over that of the complex kernel. */
export function predicted(rival: Rival, model: Model, channels: number): number {
  return model(counted(rival), channels) / model(counted(COMPLEX), channels);
}

export function measured(rival: Rival, channels: number): number {
  const at = (CHANNELS as readonly number[]).indexOf(channels);
  return RELATIVE_TIME[rival][at]![at]! / RELATIVE_TIME[COMPLEX][at]![at]!;
}

/** The channel count where the two take the same. Both models are c^2 times a difference plus c times another. */
export function crossing(rival: Rival, model: Model): number {
  const difference = (c: number): number => model(counted(rival), c) - model(counted(COMPLEX), c);
  // d(c) = a c^2 + b c, from two values.
  const [one, two] = [difference(1), difference(2)];
  const a = (two - 2 * one) / 2;
  return (a - one) / a;
}

/** Entries of the measured table with at least 8 input channels: time of the one with 1/2 over that of the one with 2. */
export function halfOverRational(): { readonly mean: number; readonly largest: number } {
  const [rational, half] = RIVALS.map((id) => RELATIVE_TIME[id]);
  const logs = CHANNELS.flatMap((ic, i) =>
    ic < 8 ? [] : CHANNELS.map((_, o) => Math.log(half![i]![o]! / rational![i]![o]!)),
  );
  return {
    mean: Math.exp(logs.reduce((sum, x) => sum + x, 0) / logs.length),
    largest: Math.exp(Math.max(...logs.map(Math.abs))),
  };
}
