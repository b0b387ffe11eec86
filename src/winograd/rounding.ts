/**
 * Rounding of the f32 kernels, bounded. The schedules are run on magnitudes (every difference taken as a sum), which bounds every
 * intermediate value and so every rounding error on the way (Higham, Accuracy and Stability of Numerical Algorithms, 3.1 and 3.5):
 *
 *   |Y' - Y| <= K u / (1 - K u) * (|bias| |A|_11 + sum_p |A|_p sum_c |U|_pc |V|_pc)        u = 2^-24
 *
 * as long as nothing overflows or becomes subnormal on the way. The bias enters in the plane of the points (1, 1), whose column of A is
 * all ones. An infinity or NaN in the input reaches every output of the tiles that read it, not only those whose window holds it.
 *
 * K is the number of roundings on the longest way from an input to an output: through both transforms, one for the filter, which
 * is computed in float64 and rounded once, one for the product, and one a channel for the sum with the bias.
 */
import type { Arithmetic } from "./arithmetic.ts";
import type { Transforms } from "./transforms.ts";

const magnitudes: Arithmetic<number> = {
  zero: 0,
  add: (a, b) => a + b,
  sub: (a, b) => a + b,
  shl: (a, by) => a * 2 ** by,
  mulc: (a, factor) => a * Math.abs(factor),
  neg: (a) => a,
};

/** Roundings behind a value; those by powers of two are exact. */
const depths: Arithmetic<number> = {
  zero: 0,
  add: (a, b) => Math.max(a, b) + 1,
  sub: (a, b) => Math.max(a, b) + 1,
  shl: (a) => a,
  mulc: (a) => a + 1,
  neg: (a) => a,
};

const UNIT = 2 ** -24;

/** K of the bound, for a sum over `channels` channels and a bias. */
export function roundings(found: Transforms, channels: number): number {
  const { vertical, horizontal, planes } = found.nested;
  const zeros = (length: number): number[] => new Array<number>(length).fill(0);
  const input = Math.max(...found.input(zeros(vertical.algorithm.n * horizontal.algorithm.n), depths));
  const output = Math.max(...found.output(zeros(planes.length), depths));
  return input + 2 + channels + output;
}

/** A tile of one input channel, row-major, and its filter. */
export interface TileData {
  readonly tile: readonly number[];
  readonly filter: readonly number[];
}

/** The plane of the points (1, 1), where the kernels add the bias. */
function biasPlane({ nested }: Transforms): number {
  const [row, column] = [nested.vertical, nested.horizontal].map(({ algorithm }) =>
    algorithm.points.findIndex((point) => String(point) === "1"),
  );
  return nested.planes.findIndex((plane) => plane.row === row && plane.column === column);
}

/**
 * Bound on the error of each of the m x m outputs of a tile, activation and residual apart.
 * @param found transforms of the form that the kernel computes
 * @param channels one entry an input channel
 * @param bias of the output channel; an algorithm without the point 1 takes none
 */
export function roundingBound(found: Transforms, channels: readonly TileData[], bias = 0): number[] {
  const scale = Number(found.nested.result.scale);
  const sums = new Array<number>(found.nested.planes.length).fill(0);
  if (bias !== 0) sums[biasPlane(found)] = Math.abs(bias) * scale;
  for (const { tile, filter } of channels) {
    const V = found.input(tile.map(Math.abs), magnitudes);
    const U = found.filter(filter.map(Math.abs), magnitudes);
    for (const [p, v] of V.entries()) sums[p]! += v * U[p]!;
  }
  const K = roundings(found, channels.length) * UNIT;
  return found.output(sums, magnitudes).map((y) => ((y / scale) * K) / (1 - K));
}

/**
 * By how much the bound exceeds that of the plain sum of r^2 products, roundings apart: the sum of magnitudes over the algorithm's
 * ways from all-ones data to the worst output, over r^2. 1 is direct convolution.
 */
export function amplification(found: Transforms): number {
  const { vertical, horizontal, result } = found.nested;
  const ones = (length: number): number[] => new Array<number>(length).fill(1);
  const V = found.input(ones(vertical.algorithm.n * horizontal.algorithm.n), magnitudes);
  const taps = vertical.algorithm.r * horizontal.algorithm.r;
  const U = found.filter(ones(taps), magnitudes);
  const products = V.map((v, p) => v * U[p]!);
  return Math.max(...found.output(products, magnitudes)) / Number(result.scale) / taps;
}
