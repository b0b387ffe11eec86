/**
 * Filter transform of the complex Winograd F(4x4,3x3) with points 0, 1, -1, i, -i, inf (arXiv 1901.01965): 46 right factors a filter, as
 * exact integers. The 46 x 9 matrix is derived from the points when the first filter is packed; nothing is typed here.
 */
import { nestedOf } from "./catalogue.ts";
import { filterPlanes } from "./nested.ts";

export const CF4X4_PRODUCTS = 46;

const TAPS = 9;

let coefficients: Int32Array | undefined;

/** 4G (x) 4G over the planes, row-major 46 x 9. */
function matrix(): Int32Array {
  coefficients ??= Int32Array.from(
    filterPlanes(nestedOf("f4x4-3x3-complex", { form: "scaled", doubling: "filter" })).flat(),
  );
  return coefficients;
}

/**
 * The 46 right factors of one 3x3 filter (row-major, int8), in the plane order of structure.ts, which is that of
 * assembly/winograd/cf4x4-input-s8.ts. Each conjugate pair c + id is stored as 2c, 2(d-c), 2(c+d): the doubling that the output
 * transform needs is absorbed here. |value| <= 24 * 127.
 */
export function transformFilterCf4x4(g: ArrayLike<number>, to: number[] = new Array(CF4X4_PRODUCTS)): number[] {
  const rows = matrix();
  for (let p = 0, at = 0; p < CF4X4_PRODUCTS; p++) {
    let sum = 0;
    for (let t = 0; t < TAPS; t++) sum += rows[at++]! * g[t]!;
    to[p] = sum;
  }
  return to;
}

/**
 * int8 OHWI filters -> int16 [block][oc/8][46][K2][8 outputs][2] for the kernel, K2 = ceil(channels of the block / 2), zero-padded.
 * `blockChannels` is a multiple of 8 or at least ic.
 */
export function packCf4x4(
  weights: Int8Array,
  oc: number,
  ic: number,
  blockChannels: number,
): Int16Array<ArrayBuffer>[] {
  const g = new Array<number>(TAPS);
  const taps = new Array<number>(CF4X4_PRODUCTS);
  const blocks: Int16Array<ArrayBuffer>[] = [];
  for (let first = 0; first < ic; first += blockChannels) {
    const channels = Math.min(blockChannels, ic - first);
    const pairs = Math.ceil(channels / 2);
    const packed = new Int16Array(Math.ceil(oc / 8) * CF4X4_PRODUCTS * pairs * 16);
    for (let o = 0; o < oc; o++) {
      const panel = (o >> 3) * CF4X4_PRODUCTS * pairs * 16;
      for (let c = 0; c < channels; c++) {
        for (let t = 0; t < TAPS; t++) g[t] = weights[(o * TAPS + t) * ic + first + c]!;
        transformFilterCf4x4(g, taps);
        const lane = ((c >> 1) * 8 + (o & 7)) * 2 + (c & 1);
        for (let t = 0; t < CF4X4_PRODUCTS; t++) packed[panel + t * pairs * 16 + lane] = taps[t]!;
      }
    }
    blocks.push(packed);
  }
  return blocks;
}
