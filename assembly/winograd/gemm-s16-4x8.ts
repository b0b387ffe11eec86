/**
 * The products of a Winograd convolution: for each of `planes` taps, M[t] = V[t] * U[t] over a block of channels.
 *
 *   M[t][tile][o] = sum_k V[t][tile][k] * U[t][k][o]     (mod 2^32), int16 x int16 -> int32
 *
 * Layout   V int16 [planes][tiles][channels], planes `vPlane` and tiles `vTile` bytes apart; U int16 [planes][pairs][8 outputs][2],
 *          contiguous; M int32 [planes][tiles][8], planes `mPlane` bytes apart.
 * Tile     4 tiles x 8 outputs, the micro-kernel of the direct convolution: 8 accumulators, 2 filter vectors, 1 broadcast pair.
 * Tails    tiles come in groups of 4 (`groups`); surplus ones compute on stale data that nobody reads.
 */
import { multiply_accumulate } from "../common/multiply-accumulate";

export function gemm_s16_4x8(
  planes: i32,
  v: usize,
  vPlane: usize,
  vTile: usize,
  u: usize,
  m: usize,
  mPlane: usize,
  groups: i32,
  pairs: i32,
): void {
  const panel = (<usize>pairs) << 5;
  for (let t = 0; t < planes; t++, v += vPlane, m += mPlane, u += panel) {
    const end = u + panel;
    let x = v,
      to = m;
    for (let g = 0; g < groups; g++, x += vTile << 2, to += 128) {
      let x0 = x,
        x1 = x + vTile,
        x2 = x1 + vTile,
        x3 = x2 + vTile,
        w = u;
      let c00 = i32x4.splat(0),
        c01 = i32x4.splat(0),
        c10 = i32x4.splat(0),
        c11 = i32x4.splat(0);
      let c20 = i32x4.splat(0),
        c21 = i32x4.splat(0),
        c30 = i32x4.splat(0),
        c31 = i32x4.splat(0);
      do {
        const w0 = v128.load(w),
          w1 = v128.load(w, 16);
        const a0 = v128.load32_splat(x0);
        c00 = multiply_accumulate<i16>(c00, a0, w0);
        c01 = multiply_accumulate<i16>(c01, a0, w1);
        const a1 = v128.load32_splat(x1);
        c10 = multiply_accumulate<i16>(c10, a1, w0);
        c11 = multiply_accumulate<i16>(c11, a1, w1);
        const a2 = v128.load32_splat(x2);
        c20 = multiply_accumulate<i16>(c20, a2, w0);
        c21 = multiply_accumulate<i16>(c21, a2, w1);
        const a3 = v128.load32_splat(x3);
        c30 = multiply_accumulate<i16>(c30, a3, w0);
        c31 = multiply_accumulate<i16>(c31, a3, w1);
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
        w += 32;
      } while (w < end);
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
}
