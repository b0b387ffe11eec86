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
import { multiply_accumulate, product, sum } from "../common/multiply-accumulate";
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

/** Bytes between tiles of 9 to 16 int16 channels: a constant lets one pointer serve all four tiles. */
const NARROW: usize = 32;

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
    const biased = bias != 0 && t == biasPlane;
    const init = biased ? bias : ZEROS;
    let x = v,
      to = m;
    for (let g = 0; g < groups; g++, x += vTile << 2, to += 128) {
      let x0 = x,
        x1 = x + vTile,
        x2 = x1 + vTile,
        x3 = x2 + vTile,
        w = u;
      // The first step starts the sums, so that they need not be set to zero.
      const s0 = load_filter<T, W>(w, 0),
        s1 = load_filter<T, W>(w, 1);
      w += step;
      const b0 = v128.load32_splat(x0),
        b1 = v128.load32_splat(x1),
        b2 = v128.load32_splat(x2),
        b3 = v128.load32_splat(x3);
      let c00 = product<T>(b0, s0),
        c01 = product<T>(b0, s1);
      let c10 = product<T>(b1, s0),
        c11 = product<T>(b1, s1);
      let c20 = product<T>(b2, s0),
        c21 = product<T>(b2, s1);
      let c30 = product<T>(b3, s0),
        c31 = product<T>(b3, s1);
      if (vTile == NARROW) {
        for (x0 += 4; w < end; x0 += 4, w += step) {
          const w0 = load_filter<T, W>(w, 0),
            w1 = load_filter<T, W>(w, 1);
          const a0 = v128.load32_splat(x0);
          c00 = multiply_accumulate<T>(c00, a0, w0);
          c01 = multiply_accumulate<T>(c01, a0, w1);
          const a1 = v128.load32_splat(x0, NARROW);
          c10 = multiply_accumulate<T>(c10, a1, w0);
          c11 = multiply_accumulate<T>(c11, a1, w1);
          const a2 = v128.load32_splat(x0, 2 * NARROW);
          c20 = multiply_accumulate<T>(c20, a2, w0);
          c21 = multiply_accumulate<T>(c21, a2, w1);
          const a3 = v128.load32_splat(x0, 3 * NARROW);
          c30 = multiply_accumulate<T>(c30, a3, w0);
          c31 = multiply_accumulate<T>(c31, a3, w1);
        }
      } else {
        while (w < end) {
          x0 += 4;
          x1 += 4;
          x2 += 4;
          x3 += 4;
          const w0 = load_filter<T, W>(w, 0),
            w1 = load_filter<T, W>(w, 1);
          w += step;
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
        }
      }
      if (!isFloat<T>() && scales) {
        store_scaled(to, c00, c01, scales, init);
        store_scaled(to + 32, c10, c11, scales, init);
        store_scaled(to + 64, c20, c21, scales, init);
        store_scaled(to + 96, c30, c31, scales, init);
      } else {
        if (biased) {
          const i0 = v128.load(bias),
            i1 = v128.load(bias, 16);
          c00 = sum<T>(c00, i0);
          c01 = sum<T>(c01, i1);
          c10 = sum<T>(c10, i0);
          c11 = sum<T>(c11, i1);
          c20 = sum<T>(c20, i0);
          c21 = sum<T>(c21, i1);
          c30 = sum<T>(c30, i0);
          c31 = sum<T>(c31, i1);
        }
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
