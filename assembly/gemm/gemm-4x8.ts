/**
 * The batched product of every Winograd convolution: for each of `planes` taps, M[t] = V[t] * U[t] over a block of channels.
 *
 *   M[t][tile][o] = init[t][o] + scales[t][o] * sum_k V[t][tile][k] * U[t][k][o]        init: `bias` in plane `biasPlane`, else 0
 *
 * Types    T = i16: int16 x int16 -> int32 modulo 2^32, in pairs of k; T = f32: one rounding a product and one a sum, k by k.
 *          W: how U is stored. i8 is widened to i16 on load, half the bytes of a filter.
 * Layout   V [planes][tiles][channels], planes `vPlane` and tiles `vTile` bytes apart; U [planes][steps][8 outputs], int16 and int8
 *          in pairs [8 outputs][2], contiguous; M [planes][tiles][8], planes STRIDE bytes apart; `bias` 8 values; `scales`
 *          int32 [planes][8] powers of two, or 0 for none (integer types only).
 * Tile     4 tiles x 8 outputs, the micro-kernel of the direct convolution: 8 accumulators, 2 filter vectors, 1 broadcast.
 * Tails    tiles come in groups of 4 (`groups`); surplus ones compute on stale data that nobody reads. Channels: int16 pairs beyond
 *          the last are met by zero filters; f32 does exactly `steps` steps, as stale lanes may hold NaN.
 */
import { multiply_accumulate } from "../common/multiply-accumulate";
import { STRIDE } from "../winograd/generated/tiling";
import { ZEROS } from "./zeros";

/** Eight filter values of one step, the second vector `half` = 1. */
@inline
function load_filter<T, W>(w: usize, half: usize): v128 {
  if (sizeof<W>() < sizeof<T>()) return half ? v128.load8x8_s(w, 8) : v128.load8x8_s(w);
  return half ? v128.load(w, 16) : v128.load(w);
}


@inline
function store_scaled(to: usize, c0: v128, c1: v128, scales: usize, init: usize): void {
  v128.store(to, i32x4.add(i32x4.mul(c0, v128.load(scales)), v128.load(init)));
  v128.store(to, i32x4.add(i32x4.mul(c1, v128.load(scales, 16)), v128.load(init, 16)), 16);
}

export function gemm_4x8<T, W>(
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
  const step: usize = sizeof<W>() < sizeof<T>() ? 16 : 32;
  const panel = <usize>steps * step;
  for (let t = 0; t < planes; t++, v += vPlane, m += STRIDE, u += panel) {
    const end = u + panel;
    const init = bias && t == biasPlane ? bias : ZEROS;
    // What is scaled afterwards starts from zero.
    const from = scales ? ZEROS : init;
    let x = v,
      to = m;
    for (let g = 0; g < groups; g++, x += vTile << 2, to += 128) {
      let x0 = x,
        x1 = x + vTile,
        x2 = x1 + vTile,
        x3 = x2 + vTile,
        w = u;
      let c00 = v128.load(from),
        c01 = v128.load(from, 16);
      let c10 = c00,
        c11 = c01,
        c20 = c00,
        c21 = c01,
        c30 = c00,
        c31 = c01;
      do {
        const w0 = load_filter<T, W>(w, 0),
          w1 = load_filter<T, W>(w, 1);
        const a0 = v128.load32_splat(x0);
        c00 = multiply_accumulate<T>(c00, a0, w0);
        c01 = multiply_accumulate<T>(c01, a0, w1);
        const a1 = v128.load32_splat(x1);
        c10 = multiply_accumulate<T>(c10, a1, w0);
        c11 = multiply_accumulate<T>(c11, a1, w1);
        const a2 = v128.load32_splat(x2);
        c20 = multiply_accumulate<T>(c20, a2, w0);
        c21 = multiply_accumulate<T>(c21, a2, w1);
        const a3 = v128.load32_splat(x3);
        c30 = multiply_accumulate<T>(c30, a3, w0);
        c31 = multiply_accumulate<T>(c31, a3, w1);
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
        w += step;
      } while (w < end);
      if (!isFloat<T>() && scales) {
        store_scaled(to, c00, c01, scales, init);
        store_scaled(to + 32, c10, c11, scales, init);
        store_scaled(to + 64, c20, c21, scales, init);
        store_scaled(to + 96, c30, c31, scales, init);
      } else {
        v128.store(to, c00);
        v128.store(to, c01, 16);
        v128.store(to, c10, 32);
        v128.store(to, c11, 48);
        v128.store(to, c20, 64);
        v128.store(to, c21, 80);
        v128.store(to, c30, 96);
        v128.store(to, c31, 112);
      }
    }
    if (scales) scales += 32;
  }
}
