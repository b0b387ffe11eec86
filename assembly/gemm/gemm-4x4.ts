/**
 * gemm-4x8.ts for layers of at most four output channels, which would leave half of its lanes empty.
 *
 *   M[t][tile][o] = init[t][o] + scales[t][o] * sum_k V[t][tile][k] * U[t][k][o]        o < 4
 *
 * Layout   as there, but U [planes][steps][4 outputs], int16 and int8 in pairs [4 outputs][2]; M keeps its tiles 32 bytes apart.
 * Tile     4 tiles x 4 outputs: 4 accumulators, 1 filter vector, 4 broadcasts.
 * Tails    as there.
 */
import { multiply_accumulate, product, sum } from "../common/multiply-accumulate";
import { STRIDE } from "../winograd/generated/tiling";
import { ZEROS } from "./zeros";


@inline
function load_filter<T, W>(w: usize): v128 {
  return sizeof<W>() < sizeof<T>() ? v128.load8x8_s(w) : v128.load(w);
}

export function gemm_4x4<T, W>(
  planes: i32,
  v: usize,
  vPlane: usize,
  vTile: usize,
  u: usize,
  m: usize,
  groups: i32,
  steps: i32,
  bias: usize,
  biasPlane: i32,
  scales: usize,
): void {
  const step: usize = sizeof<W>() < sizeof<T>() ? 8 : 16;
  const panel = <usize>steps * step;
  for (let t = 0; t < planes; t++, v += vPlane, m += STRIDE, u += panel) {
    const end = u + panel;
    const biased = bias != 0 && t == biasPlane;
    const init = v128.load(biased ? bias : ZEROS);
    let x = v,
      to = m;
    for (let g = 0; g < groups; g++, x += vTile << 2, to += 128) {
      let x0 = x,
        x1 = x + vTile,
        x2 = x1 + vTile,
        x3 = x2 + vTile,
        w = u;
      const s0 = load_filter<T, W>(w);
      let c0 = product<T>(v128.load32_splat(x0), s0),
        c1 = product<T>(v128.load32_splat(x1), s0),
        c2 = product<T>(v128.load32_splat(x2), s0),
        c3 = product<T>(v128.load32_splat(x3), s0);
      w += step;
      while (w < end) {
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
        const w0 = load_filter<T, W>(w);
        w += step;
        c0 = multiply_accumulate<T>(c0, v128.load32_splat(x0), w0);
        c1 = multiply_accumulate<T>(c1, v128.load32_splat(x1), w0);
        c2 = multiply_accumulate<T>(c2, v128.load32_splat(x2), w0);
        c3 = multiply_accumulate<T>(c3, v128.load32_splat(x3), w0);
      }
      if (!isFloat<T>() && scales) {
        const s = v128.load(scales);
        c0 = i32x4.mul(c0, s);
        c1 = i32x4.mul(c1, s);
        c2 = i32x4.mul(c2, s);
        c3 = i32x4.mul(c3, s);
      }
      if (biased) {
        c0 = sum<T>(c0, init);
        c1 = sum<T>(c1, init);
        c2 = sum<T>(c2, init);
        c3 = sum<T>(c3, init);
      }
      v128.store(to, c0);
      v128.store(to, c1, 32);
      v128.store(to, c2, 64);
      v128.store(to, c3, 96);
    }
    if (scales) scales += 32;
  }
}
