/**
 * Between real and int8 (docs/quantization.md).
 *
 *   s8_quantize     q = clamp(rne(f32(x * inverseScale)) + zeroPoint, -128, 127); NaN becomes the zero point
 *   f32_dequantize  x = f32((q - zeroPoint) * scale)
 *
 * Layout   flat. `inverseScale` is f32(1 / scale).
 * Aliasing none.
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

export function f32_dequantize(from: usize, to: usize, count: i32, scale: f32, zeroPoint: i32): void {
  const m = f32x4.splat(scale),
    zero = i32x4.splat(zeroPoint);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(to + ((<usize>i) << 2), f32x4.mul(load_residual_x4(from + i, zero), m));
  }
  for (; i < count; i++) store<f32>(to + ((<usize>i) << 2), <f32>(<i32>load<i8>(from + i) - zeroPoint) * scale);
}
