/**
 * f32_add_scaled     y = a + b * gamma[c]: a residual with a layer scale (CaiT, arXiv 2103.17239, section 2)
 *
 * Layout   NHWC without gaps; one rounding for the product, one for the sum.
 * Aliasing the output may be either input, or both.
 * Tails    four values at a time; loads reach at most 12 bytes past the inputs and `gamma`, stores never.
 * Test     test/kernels/attention/layers.test.ts
 */
import { store_f32 } from "../common/store-f32";

export function f32_add_scaled(a: usize, b: usize, to: usize, pixels: i32, channels: i32, gamma: usize): void {
  const step = (<usize>channels) << 2;
  for (; pixels > 0; pixels--, a += step, b += step, to += step) {
    for (let c = 0; c < channels; c += 4) {
      const at = (<usize>c) << 2;
      const y = f32x4.add(v128.load(a + at), f32x4.mul(v128.load(b + at), v128.load(gamma + at)));
      store_f32(to + at, y, channels - c);
    }
  }
}
