/**
 * qs8_layer_norm     layer normalisation over the channels of each pixel, int8 to int8 (docs/quantization.md)
 *
 *   S = sum of q[c],  S2 = sum of q[c]^2                              int32, exact
 *   n[c] = channels * q[c] - S                                        an integer below 2^24 in magnitude: exact in binary32
 *   inverse = f32(1 / sqrt(f64(channels * S2 - S^2) + epsilon))       int64, then one rounding an operation of binary64
 *   t = f32(f32(f32(n[c] * inverse) * factors[c]) + offsets[c])
 *   to = min(qmax, max(qmin, rne(t) + zeroPoint))
 *
 * Scale and zero point of the input cancel: n is the channels times what a value is off the mean, in steps, channels * S2 - S^2 the square
 * of the channels times the variance. Sums are of integers, so that their order does not matter, and all else is one operation of IEEE 754
 * after the other: the same bits on every engine.
 *
 * epsilon = channels^2 * (that of the layer) / scaleIn^2, factors = scale / scaleOut, offsets = offset / scaleOut.
 *
 * Bounds   channels up to 65,793: 255 * channels < 2^24. epsilon at least 2^-100, so that its root is no infinity where all values are equal.
 * Layout   NHWC without gaps. `magicZero` = MAGIC_BITS - zeroPoint, `magicMin` = magicZero + qmin.
 * Aliasing the output may be the input.
 * Tails    sixteen values at a time; loads reach at most 15 bytes past the input, 60 past `factors` and `offsets`, stores never.
 * Test     test/kernels/layers/normalisation.test.ts
 */
import { round_to_q } from "../common/requantize";
import { store_s8 } from "../common/store-s8";


@inline
function horizontal_sum(v: v128): i32 {
  const pair = i32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(pair, 0) + i32x4.extract_lane(pair, 1);
}

/** Four int32 values of q, normalised, as int8 values but for the upper clamp. */
@inline
function normalised(
  q: v128,
  size: v128,
  sum: v128,
  inverse: v128,
  factors: usize,
  offsets: usize,
  least: v128,
  zero: v128,
): v128 {
  const n = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(q), size), sum);
  const y = f32x4.mul(f32x4.mul(n, inverse), v128.load(factors));
  return round_to_q(f32x4.add(y, v128.load(offsets)), least, zero);
}

export function qs8_layer_norm(
  from: usize,
  to: usize,
  pixels: i32,
  channels: i32,
  factors: usize,
  offsets: usize,
  epsilon: f64,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
): void {
  const whole = channels & ~15;
  // All ones in the bytes of the channels behind the whole vectors.
  const mask = i8x16.lt_s(
    i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    i8x16.splat(<i8>(channels - whole)),
  );
  const ones = i16x8.splat(1);
  const size = f32x4.splat(<f32>channels);
  const zero = i32x4.splat(magicZero),
    least = i32x4.splat(magicMin),
    most = i8x16.splat(<i8>qmax);
  for (let pixel = 0; pixel < pixels; pixel++, from += channels, to += channels) {
    const end = from + <usize>whole;
    let v = v128.and(v128.load(end), mask);
    let low = i16x8.extend_low_i8x16_s(v),
      high = i16x8.extend_high_i8x16_s(v);
    let sums = i32x4.dot_i16x8_s(i16x8.add(low, high), ones),
      squares = i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high));
    for (let p = from; p < end; p += 16) {
      v = v128.load(p);
      low = i16x8.extend_low_i8x16_s(v);
      high = i16x8.extend_high_i8x16_s(v);
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.add(low, high), ones));
      squares = i32x4.add(squares, i32x4.dot_i16x8_s(low, low));
      squares = i32x4.add(squares, i32x4.dot_i16x8_s(high, high));
    }
    const total = horizontal_sum(sums);
    const spread = <i64>channels * <i64>horizontal_sum(squares) - <i64>total * <i64>total;
    const inverse = f32x4.splat(<f32>(1 / sqrt<f64>(<f64>spread + epsilon))),
      sum = f32x4.splat(<f32>total);
    for (let c = 0; c < channels; c += 16) {
      v = v128.load(from + c);
      low = i16x8.extend_low_i8x16_s(v);
      high = i16x8.extend_high_i8x16_s(v);
      const f = factors + ((<usize>c) << 2),
        o = offsets + ((<usize>c) << 2);
      const a = normalised(i32x4.extend_low_i16x8_s(low), size, sum, inverse, f, o, least, zero),
        b = normalised(i32x4.extend_high_i16x8_s(low), size, sum, inverse, f + 16, o + 16, least, zero);
      const first = i16x8.narrow_i32x4_s(a, b);
      const d = normalised(i32x4.extend_low_i16x8_s(high), size, sum, inverse, f + 32, o + 32, least, zero),
        e = normalised(i32x4.extend_high_i16x8_s(high), size, sum, inverse, f + 48, o + 48, least, zero);
      const q = i8x16.min_s(i8x16.narrow_i16x8_s(first, i16x8.narrow_i32x4_s(d, e)), most);
      store_s8(to + c, q, channels - c);
    }
  }
}
