/**
 * The mean over all pixels, channel by channel.
 *
 *   f32_global_average     y[c] = f32(sum of x[., c] / pixels), the sum in float64
 *   qs8_global_average     acc = sum of (q[., c] - zeroIn);  y[c] = clamp(rne(f32(f32(acc) * multiplier)) + zeroPoint)
 *
 * Bounds   f32: |y - exact| <= 2^-24 * |y| + pixels * 2^-53 * mean |x|, as good as one rounding.
 *          int8: acc is exact up to 2^23 pixels; multiplier = f32(scaleIn / (scaleOut * pixels)), docs/quantization.md.
 * Layout   from NHWC without gaps, [pixels][channels]; to [channels]. `magicZero` = MAGIC_BITS - zeroPoint, `magicMin` = magicZero + qmin.
 * Aliasing none.
 * Tails    f32: four channels at a time, loads reach at most 12 bytes past the input. int8: sixteen, 15 bytes. Stores never.
 * Test     test/kernels/layers/pooling.test.ts
 */
import { round_to_q } from "../common/requantize";
import { store_f32 } from "../common/store-f32";
import { store_s8 } from "../common/store-s8";

export function f32_global_average(from: usize, to: usize, pixels: i32, channels: i32): void {
  const step = (<usize>channels) << 2;
  const count = f64x2.splat(<f64>pixels);
  for (let c = 0; c < channels; c += 4, from += 16, to += 16) {
    let low = f64x2.splat(0),
      high = f64x2.splat(0);
    let p = from;
    for (let pixel = 0; pixel < pixels; pixel++, p += step) {
      low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load64_zero(p)));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load64_zero(p, 8)));
    }
    const a = f32x4.demote_f64x2_zero(f64x2.div(low, count)),
      b = f32x4.demote_f64x2_zero(f64x2.div(high, count));
    store_f32(to, i64x2.shuffle(a, b, 0, 2), channels - c);
  }
}

/** Pixels whose int8 values an int16 sums without overflow: 256 * -128 = -2^15. */
const BLOCK: i32 = 256;

/** Four sums to int32 that are int8 values but for the upper clamp. */
@inline
function requantise(sum: v128, zero: v128, multiplier: v128, least: v128, magicZero: v128): v128 {
  return round_to_q(f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(sum, zero)), multiplier), least, magicZero);
}

export function qs8_global_average(
  from: usize,
  to: usize,
  pixels: i32,
  channels: i32,
  zeroIn: i32,
  multiplier: f32,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
): void {
  const step = <usize>channels;
  const zero = i32x4.splat(pixels * zeroIn),
    m = f32x4.splat(multiplier);
  const add = i32x4.splat(magicZero),
    least = i32x4.splat(magicMin),
    most = i8x16.splat(<i8>qmax);
  for (let c = 0; c < channels; c += 16, from += 16, to += 16) {
    let s0 = i32x4.splat(0),
      s1 = s0,
      s2 = s0,
      s3 = s0;
    let p = from;
    for (let done = 0; done < pixels; done += BLOCK) {
      const block = min(BLOCK, pixels - done);
      let low = i16x8.splat(0),
        high = low;
      for (let pixel = 0; pixel < block; pixel++, p += step) {
        const v = v128.load(p);
        low = i16x8.add(low, i16x8.extend_low_i8x16_s(v));
        high = i16x8.add(high, i16x8.extend_high_i8x16_s(v));
      }
      s0 = i32x4.add(s0, i32x4.extend_low_i16x8_s(low));
      s1 = i32x4.add(s1, i32x4.extend_high_i16x8_s(low));
      s2 = i32x4.add(s2, i32x4.extend_low_i16x8_s(high));
      s3 = i32x4.add(s3, i32x4.extend_high_i16x8_s(high));
    }
    const low = i16x8.narrow_i32x4_s(requantise(s0, zero, m, least, add), requantise(s1, zero, m, least, add));
    const high = i16x8.narrow_i32x4_s(requantise(s2, zero, m, least, add), requantise(s3, zero, m, least, add));
    store_s8(to, i8x16.min_s(i8x16.narrow_i16x8_s(low, high), most), channels - c);
  }
}
