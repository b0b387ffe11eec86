/**
 * f32_channel_affine     y = x * scale[c] + offset[c];  offset 0 (no array): y = x * scale[c]
 *
 * Layout   NHWC without gaps; one rounding per arithmetic operation.
 * Aliasing the output may be the input.
 * Tails    four values at a time; loads reach at most 12 bytes past the input, `scale` and `offset`, stores never.
 * Test     test/kernels/layers/normalisation.test.ts
 */
import { store_f32 } from "../common/store-f32";


@inline
function channel_affine(
  from: usize,
  to: usize,
  pixels: i32,
  channels: i32,
  scale: usize,
  offset: usize,
  withOffset: bool,
): void {
  const step = (<usize>channels) << 2;
  for (let pixel = 0; pixel < pixels; pixel++, from += step, to += step) {
    for (let c = 0; c < channels; c += 4) {
      const at = (<usize>c) << 2;
      let y = f32x4.mul(v128.load(from + at), v128.load(scale + at));
      if (withOffset) y = f32x4.add(y, v128.load(offset + at));
      store_f32(to + at, y, channels - c);
    }
  }
}

export function f32_channel_affine(
  from: usize,
  to: usize,
  pixels: i32,
  channels: i32,
  scale: usize,
  offset: usize,
): void {
  if (offset) channel_affine(from, to, pixels, channels, scale, offset, true);
  else channel_affine(from, to, pixels, channels, scale, 0, false);
}
