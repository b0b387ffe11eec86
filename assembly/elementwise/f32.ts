/**
 * f32 elementwise operators.
 *
 *   f32_add     y = a + b;  b may have one channel, broadcast over those of a
 *   f32_prelu   y = x < 0 ? x * slope[c] : x
 *   f32_affine  y = min(maximum, max(minimum, x * scale + offset)); NaN stays NaN
 *
 * Layout   NHWC without gaps; one rounding per arithmetic operation.
 * Aliasing the output may be one of the inputs.
 * Tails    four values at a time; loads reach at most 12 bytes past an input, stores never.
 * Test     test/kernels/elementwise.test.ts
 */
import { prelu_f32x4 } from "../common/epilogue-f32";
import { store_f32 } from "../common/store-f32";

export function f32_add(a: usize, b: usize, to: usize, pixels: i32, channels: i32, broadcast: i32): void {
  const rows = broadcast ? pixels : 1;
  const length = broadcast ? channels : pixels * channels;
  for (let row = 0; row < rows; row++) {
    const single = v128.load32_splat(b);
    for (let i = 0; i < length; i += 4) {
      const at = (<usize>i) << 2;
      const v = broadcast ? single : v128.load(b + at);
      store_f32(to + at, f32x4.add(v128.load(a + at), v), length - i);
    }
    a += (<usize>length) << 2;
    to += (<usize>length) << 2;
    b += 4;
  }
}

export function f32_prelu(from: usize, to: usize, pixels: i32, channels: i32, slopes: usize): void {
  const step = (<usize>channels) << 2;
  for (let pixel = 0; pixel < pixels; pixel++, from += step, to += step) {
    for (let c = 0; c < channels; c += 4) {
      const at = (<usize>c) << 2;
      store_f32(to + at, prelu_f32x4(v128.load(from + at), v128.load(slopes + at)), channels - c);
    }
  }
}

export function f32_affine(
  from: usize,
  to: usize,
  count: i32,
  scale: f32,
  offset: f32,
  minimum: f32,
  maximum: f32,
): void {
  const m = f32x4.splat(scale),
    shift = f32x4.splat(offset);
  const least = f32x4.splat(minimum),
    most = f32x4.splat(maximum);
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const x = f32x4.add(f32x4.mul(v128.load(from + at), m), shift);
    store_f32(to + at, f32x4.pmin(f32x4.pmax(x, least), most), count - i);
  }
}
