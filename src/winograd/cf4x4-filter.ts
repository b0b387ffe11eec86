/**
 * Filter transform of the complex Winograd F(4x4,3x3) with points 0, 1, -1, i, -i, inf (arXiv 1901.01965): U = (4G) g (4G)^T in exact
 * integers, 46 values a filter. The points i and -i are carried as real and imaginary part, so one dimension is
 *
 *   u = g0+g2:  f0 = 4 g0, f1 = u+g1, f2 = u-g1, fR = g0-g2, fS = g1, f5 = 4 g2
 */
export const CF4X4_PRODUCTS = 46;

function transform1d(g0: number, g1: number, g2: number): [number, number, number, number, number, number] {
  const u = g0 + g2;
  return [4 * g0, u + g1, u - g1, g0 - g2, g1, 4 * g2];
}

/** Positions of the real points (0, 1, -1, inf) among the six rows 0, 1, 2, R, S, 5. */
const REAL = [0, 1, 2, 5] as const;
const R = 3;
const S = 4;

/**
 * The 46 right factors of one 3x3 filter (row-major, int8), in the plane order of assembly/winograd/cf4x4-input-s8.ts. Each conjugate pair
 * c + id is stored as 2c, 2(d-c), 2(c+d): the doubling that the output transform needs is absorbed here. |value| <= 24 * 127.
 */
export function transformFilterCf4x4(g: ArrayLike<number>, to: number[] = new Array(CF4X4_PRODUCTS)): number[] {
  const columns = [0, 1, 2].map((x) => transform1d(g[x]!, g[3 + x]!, g[6 + x]!));
  const rows = [0, 1, 2, 3, 4, 5].map((j) => transform1d(columns[0]![j]!, columns[1]![j]!, columns[2]![j]!));
  let n = 0;
  const pair = (c: number, d: number): void => {
    to[n++] = 2 * c;
    to[n++] = 2 * (d - c);
    to[n++] = 2 * (c + d);
  };
  for (const j of REAL) for (const k of REAL) to[n++] = rows[j]![k]!;
  for (const j of REAL) pair(rows[j]![R], rows[j]![S]);
  for (const k of REAL) pair(rows[R]![k]!, rows[S]![k]!);
  const rr = rows[R]![R];
  const rs = rows[R]![S];
  const sr = rows[S]![R];
  const ss = rows[S]![S];
  pair(rr - ss, rs + sr); // (i, i)
  pair(rr + ss, sr - rs); // (i, -i)
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
  const g = new Array<number>(9);
  const taps = new Array<number>(CF4X4_PRODUCTS);
  const blocks: Int16Array<ArrayBuffer>[] = [];
  for (let first = 0; first < ic; first += blockChannels) {
    const channels = Math.min(blockChannels, ic - first);
    const pairs = Math.ceil(channels / 2);
    const packed = new Int16Array(Math.ceil(oc / 8) * CF4X4_PRODUCTS * pairs * 16);
    for (let o = 0; o < oc; o++) {
      const panel = (o >> 3) * CF4X4_PRODUCTS * pairs * 16;
      for (let c = 0; c < channels; c++) {
        for (let t = 0; t < 9; t++) g[t] = weights[(o * 9 + t) * ic + first + c]!;
        transformFilterCf4x4(g, taps);
        const lane = ((c >> 1) * 8 + (o & 7)) * 2 + (c & 1);
        for (let t = 0; t < CF4X4_PRODUCTS; t++) packed[panel + t * pairs * 16 + lane] = taps[t]!;
      }
    }
    blocks.push(packed);
  }
  return blocks;
}
