/** Filters transformed and packed for the Winograd kernels (layout: assembly/winograd/conv2d-winograd.ts). */
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

export function packedLayout({ planes }: WinogradKernel, oc: number, channels: number, pair: 1 | 2): PackedLayout {
  const lanes = oc <= 4 ? 4 : 8;
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

/** int8 filters -> int16, a block of `blockChannels` input channels each (a multiple of 8, or at least ic). */
export function packWinogradS8(
  algorithm: WinogradKernel,
  filters: Filters,
  blockChannels: number,
): Int16Array<ArrayBuffer>[] {
  const { oc, ic } = filters;
  const layouts: PackedLayout[] = [];
  for (let first = 0; first < ic; first += blockChannels) {
    layouts.push(packedLayout(algorithm, oc, Math.min(blockChannels, ic - first), 2));
  }
  const blocks = layouts.map(({ length }) => new Int16Array(length));
  forEachFilter(algorithm, filters, (o, c, factors) => {
    const block = Math.floor(c / blockChannels);
    const { planeStep, offset } = layouts[block]!;
    const packed = blocks[block]!;
    let at = offset(o, c - block * blockChannels);
    for (let p = 0; p < algorithm.planes; p++, at += planeStep) packed[at] = factors[p]!;
  });
  return blocks;
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
