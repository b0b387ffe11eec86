/**
 * The product of attention: to[row][o] = sum_s x[row][s] * w[s][o] for `groups` groups of four rows and eight columns, from panels.
 *
 * Types    T = f32, one rounding a product and one a sum, step by step; T = i16, pairs into int32 modulo 2^32.
 * Layout   x: groups `xPanel` bytes apart, in each [steps, xStep bytes apart][4 rows]; w [steps][8]; to [rows][8]. A step is 4 bytes.
 * Tile     4 x 8, as in conv2d-1x1-4x8.ts: 8 accumulators + 2 vectors + 4 broadcasts (V8 before 12 hoists their loads).
 * Steps    at least one; exactly `steps` are read.
 */
import { multiply_accumulate } from "../common/multiply-accumulate";

export function product_4x8<T>(
  x: usize,
  xPanel: usize,
  xStep: usize,
  groups: i32,
  w: usize,
  steps: i32,
  to: usize,
): void {
  const end = w + ((<usize>steps) << 5);
  for (; groups > 0; groups--, x += xPanel, to += 128) {
    let c00 = i32x4.splat(0),
      c01 = c00;
    let c10 = c00,
      c11 = c00,
      c20 = c00,
      c21 = c00,
      c30 = c00,
      c31 = c00;
    let a = x,
      b = w;
    do {
      const w0 = v128.load(b),
        w1 = v128.load(b, 16);
      const a0 = v128.load32_splat(a);
      c00 = multiply_accumulate<T>(c00, a0, w0);
      c01 = multiply_accumulate<T>(c01, a0, w1);
      const a1 = v128.load32_splat(a, 4);
      c10 = multiply_accumulate<T>(c10, a1, w0);
      c11 = multiply_accumulate<T>(c11, a1, w1);
      const a2 = v128.load32_splat(a, 8);
      c20 = multiply_accumulate<T>(c20, a2, w0);
      c21 = multiply_accumulate<T>(c21, a2, w1);
      const a3 = v128.load32_splat(a, 12);
      c30 = multiply_accumulate<T>(c30, a3, w0);
      c31 = multiply_accumulate<T>(c31, a3, w1);
      a += xStep;
      b += 32;
    } while (b < end);
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
