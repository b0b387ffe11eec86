/**
 * Between real and int8 (docs/quantization.md).
 *
 *   s8_quantize     q = clamp(rne(f32(x * inverseScale)) + zeroPoint, -128, 127); NaN becomes the zero point
 *   s8_split        parts = clamp(rne(f32(x * inversePart)), -2^15, 2^15 - 1); of NaN 0
 *                   level = clamp(floor((parts + 4) / 8) + zeroPoint, -128, 127)
 *                   rest  = clamp(parts - 8 * (level - zeroPoint) + restZeroPoint, -128, 127)
 *   f32_dequantize  x = f32((q - zeroPoint) * scale)
 *
 * Layout   flat; s8_split writes level and rest of each value beside each other. `inverseScale` is f32(1 / scale), `inversePart` f32(8 / scale).
 * Aliasing none.
 * Overflow s8_split: sums of int16 saturate where they could overflow, and what saturates lies beyond both limits of int8.
 * Tails    four values at a time; loads reach at most 12 bytes (dequantize: 3) past the input, stores never.
 * Test     test/kernels/elementwise.test.ts
 */
import { load_residual_x4, MAGIC_BITS, round_to_q } from "../common/requantize";

export function s8_quantize(from: usize, to: usize, count: i32, inverseScale: f32, zeroPoint: i32): void {
  const m = f32x4.splat(inverseScale);
  const zero = i32x4.splat(MAGIC_BITS - zeroPoint),
    least = i32x4.splat(MAGIC_BITS - zeroPoint - 128);
  for (let i = 0; i < count; i += 4) {
    let t = f32x4.mul(v128.load(from + ((<usize>i) << 2)), m);
    t = v128.and(t, f32x4.eq(t, t)); // NaN -> 0
    const q = round_to_q(t, least, zero);
    const h = i16x8.narrow_i32x4_s(q, q);
    let bits = i32x4.extract_lane(i8x16.narrow_i16x8_s(h, h), 0);
    if (i + 4 <= count) {
      store<i32>(to + i, bits);
    } else {
      for (let k = i; k < count; k++, bits >>= 8) store<i8>(to + k, <i8>bits);
    }
  }
}

export function s8_split(
  from: usize,
  to: usize,
  count: i32,
  inversePart: f32,
  zeroPoint: i32,
  restZeroPoint: i32,
): void {
  const m = f32x4.splat(inversePart);
  const least = i16x8.splat(<i16>(-128 - zeroPoint)),
    most = i16x8.splat(<i16>(127 - zeroPoint));
  const zero = i16x8.splat(<i16>zeroPoint),
    restZero = i16x8.splat(<i16>restZeroPoint);
  for (let i = 0; i < count; i += 4, from += 16, to += 8) {
    // NaN becomes 0.
    const t = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(from), m)));
    const parts = i16x8.narrow_i32x4_s(t, t);
    const high = i16x8.shr_s(i16x8.add_sat_s(parts, i16x8.splat(4)), 3);
    const level = i16x8.min_s(i16x8.max_s(high, least), most);
    const rest = i16x8.add_sat_s(i16x8.sub_sat_s(parts, i16x8.shl(level, 3)), restZero);
    const bytes = i8x16.narrow_i16x8_s(i16x8.add(level, zero), rest);
    let pairs = i64x2.extract_lane(i8x16.shuffle(bytes, bytes, 0, 8, 1, 9, 2, 10, 3, 11, 0, 0, 0, 0, 0, 0, 0, 0), 0);
    if (i + 4 <= count) {
      store<i64>(to, pairs);
    } else {
      for (let k = 0; k < count - i; k++, pairs >>= 16) store<i16>(to + ((<usize>k) << 1), <i16>pairs);
    }
  }
}

export function f32_dequantize(from: usize, to: usize, count: i32, scale: f32, zeroPoint: i32): void {
  const m = f32x4.splat(scale),
    zero = i32x4.splat(zeroPoint);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(to + ((<usize>i) << 2), f32x4.mul(load_residual_x4(from + i, zero), m));
  }
  for (; i < count; i++) store<f32>(to + ((<usize>i) << 2), <f32>(<i32>load<i8>(from + i) - zeroPoint) * scale);
}
