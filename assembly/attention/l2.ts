/**
 * f32_l2     y[n, c] = x[n, c] / max(sqrt(sum_n x[n, c]^2), epsilon): every channel divided by its norm along the tokens
 *
 * Bounds   |y - exact| <= 3 * 2^-24 * |exact| to first order, plus 2^-149: the sum is one of float64, the root and the quotient round.
 *          Norms of 2^128 and more give 0, or NaN for infinite values.
 * Layout   [tokens][channels], tokens fromStride and toStride bytes apart.
 * Aliasing the output may be the input, with the same stride.
 * Tails    four channels at a time; loads reach at most 12 bytes past the input, stores never.
 * Test     test/kernels/attention/layers.test.ts
 */
import { store_f32 } from "../common/store-f32";

export function f32_l2(
  from: usize,
  to: usize,
  tokens: i32,
  channels: i32,
  fromStride: usize,
  toStride: usize,
  epsilon: f32,
): void {
  const least = f32x4.splat(epsilon);
  for (let c = 0; c < channels; c += 4, from += 16, to += 16) {
    let low = f64x2.splat(0),
      high = low;
    let p = from;
    for (let n = tokens; n > 0; n--, p += fromStride) {
      const a = f64x2.promote_low_f32x4(v128.load64_zero(p)),
        b = f64x2.promote_low_f32x4(v128.load64_zero(p, 8));
      low = f64x2.add(low, f64x2.mul(a, a));
      high = f64x2.add(high, f64x2.mul(b, b));
    }
    const a = f32x4.demote_f64x2_zero(f64x2.sqrt(low)),
      b = f32x4.demote_f64x2_zero(f64x2.sqrt(high));
    const norm = f32x4.max(i64x2.shuffle(a, b, 0, 2), least);
    p = from;
    let out = to;
    for (let n = tokens; n > 0; n--, p += fromStride, out += toStride) {
      store_f32(out, f32x4.div(v128.load(p), norm), channels - c);
    }
  }
}
