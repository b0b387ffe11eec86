/** Rounding of f32 convolution on random data: the kernels' own operations in binary32, in their order, beside the direct sum. */
import { type WinogradF32, winogradKernel } from "../../src/kernels/winograd/algorithms.ts";
import { transformFilter } from "../../src/kernels/winograd/filter.ts";
import type { Arithmetic } from "../../src/winograd/arithmetic.ts";
import type { Transforms } from "../../src/winograd/transforms.ts";

/** One rounding an operation; products by powers of two are exact. */
const single: Arithmetic<number> = {
  zero: 0,
  add: (a, b) => Math.fround(a + b),
  sub: (a, b) => Math.fround(a - b),
  shl: (a, by) => a * 2 ** by,
  mulc: (a, factor) => Math.fround(a * factor),
  neg: (a) => -a,
};

/** Marsaglia's xorshift32: values in [-1, 1), binary32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.fround((state >>> 0) / 2 ** 31 - 1);
  };
}

const TILES = 200;

/** Root mean square of the error over that of the direct sum in binary32, for filters and inputs uniform in [-1, 1). */
export function errorOverDirect(id: WinogradF32, found: Transforms, channels: number): number {
  const kernel = winogradKernel("f32", id)!;
  const { m, n, r } = kernel;
  const U = new Float64Array(kernel.planes);
  const next = generator(0x9e3779b9);
  let [winograd, direct] = [0, 0];
  for (let t = 0; t < TILES; t++) {
    const tiles = Array.from({ length: channels }, () => Array.from({ length: n * n }, next));
    const filters = Array.from({ length: channels }, () => Array.from({ length: r * r }, next));
    const sums = new Array<number>(kernel.planes).fill(0);
    for (const [c, tile] of tiles.entries()) {
      const V = found.input(tile, single);
      for (const [p, u] of transformFilter(kernel, filters[c]!, U).entries()) {
        sums[p] = Math.fround(sums[p]! + Math.fround(V[p]! * Math.fround(u)));
      }
    }
    for (const [i, y] of found.output(sums, single).entries()) {
      let [exact, rounded] = [0, 0];
      for (let k = 0; k < r * r; k++) {
        const at = (Math.floor(i / m) + Math.floor(k / r)) * n + (i % m) + (k % r);
        for (let c = 0; c < channels; c++) {
          const product = tiles[c]![at]! * filters[c]![k]!;
          exact += product;
          rounded = Math.fround(rounded + Math.fround(product));
        }
      }
      winograd += (y - exact) ** 2;
      direct += (rounded - exact) ** 2;
    }
  }
  return Math.sqrt(winograd / direct);
}
