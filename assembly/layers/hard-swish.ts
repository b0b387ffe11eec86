/**
 * f32_hard_swish     y = x * (min(max(x + 3, 0), 6) / 6)
 *
 * The division comes before the product: from 3 on y is x itself, at any size. One rounding per operation. NaN stays NaN, and
 * -infinity gives NaN (infinity times zero).
 *
 * Layout   flat.
 * Aliasing the output may be the input.
 * Tails    four values at a time; loads reach at most 12 bytes past the input, stores never.
 * Test     test/kernels/layers/activations.test.ts
 */
import { store_f32 } from "../common/store-f32";

export function f32_hard_swish(from: usize, to: usize, count: i32): void {
  const three = f32x4.splat(3),
    six = f32x4.splat(6),
    zero = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const x = v128.load(from + at);
    const t = f32x4.pmin(f32x4.pmax(f32x4.add(x, three), zero), six);
    store_f32(to + at, f32x4.mul(x, f32x4.div(t, six)), count - i);
  }
}
