/**
 * f32_gelu     y = x * Phi(x) = 0.5 * x * (1 + erf(x / sqrt 2)), the exact form and not that by tanh
 *
 * Computed as max(x, 0) - a * Q(a), where a = |x| and Q = 1 - Phi is the upper tail. What is subtracted is a bump of at most 0.17, so
 * its rounding hardly shows, and for large |x| it is 0: y is x or 0, to the bit. With C = 6.125 and a cut at C (Q(C) = 4.5e-10)
 *
 *   Q(a) = (C - a)^8 * P(a - 2)
 *
 * with P of degree 11. The factor falls much as the tail does, from 1.98e6 to 0, which leaves a smooth rest for the polynomial: three
 * multiplications in place of some five degrees. P is ours: the minimax fit of a * Q(a) with the weight 1 / max(1, a), by linear
 * programming on 1500 Chebyshev points in float64, then rounded to binary32. Even and odd powers are summed apart, as one chain of eleven
 * multiplications and additions would have to wait for itself.
 *
 * Bounds   |y - exact| <= 2e-7 * max(1, |x|) for all finite x (measured: 1.54e-7, of which 1.8e-8 is the fit's).
 *          -infinity gives 0, infinity itself, NaN NaN, -0 itself.
 * Layout   flat.
 * Tile     8 values: two vectors share the loads of the coefficients.
 * Aliasing the output may be the input.
 * Tails    loads reach at most 28 bytes past the input, stores never.
 * Test     test/kernels/layers/activations.test.ts
 */
import { store_f32 } from "../common/store-f32";

/** P's coefficients, ascending, then C and the centre 2. */
const P: usize = memory.data<f32>(
  [
    2.7138887e-7, -1.17735659e-7, -3.08505399e-8, 2.84071362e-8, -3.19094959e-11, -3.40490947e-9, 4.31226305e-10,
    2.84442164e-10, -5.36144983e-11, -1.71380566e-11, 2.8720071e-12, 6.8772337e-13, 6.125, 2,
  ],
  16,
);

/** Number k of the table in every lane: one instruction, where a constant is three. */
@inline
function coefficient(k: usize): v128 {
  return v128.load32_splat(P + (k << 2));
}

/** a * Q(a), given a, at most C, and P(a - 2). */
@inline
function bump(a: v128, cut: v128, p: v128): v128 {
  let m = f32x4.sub(cut, a);
  m = f32x4.mul(m, m);
  m = f32x4.mul(m, m);
  return f32x4.mul(f32x4.mul(a, f32x4.mul(m, m)), p);
}

/** Reads eight values and stores the first `count` results: x the first four, y the others. */
@inline
function gelu_x8(from: usize, to: usize, count: i32): void {
  const x = v128.load(from),
    y = v128.load(from, 16);
  const cut = coefficient(12),
    centre = coefficient(13);
  const ax = f32x4.pmin(f32x4.abs(x), cut),
    ay = f32x4.pmin(f32x4.abs(y), cut);
  const tx = f32x4.sub(ax, centre),
    ty = f32x4.sub(ay, centre);
  const ux = f32x4.mul(tx, tx),
    uy = f32x4.mul(ty, ty);
  let k = coefficient(11);
  let oddX = f32x4.mul(k, ux),
    oddY = f32x4.mul(k, uy);
  k = coefficient(9);
  oddX = f32x4.mul(f32x4.add(oddX, k), ux);
  oddY = f32x4.mul(f32x4.add(oddY, k), uy);
  k = coefficient(7);
  oddX = f32x4.mul(f32x4.add(oddX, k), ux);
  oddY = f32x4.mul(f32x4.add(oddY, k), uy);
  k = coefficient(5);
  oddX = f32x4.mul(f32x4.add(oddX, k), ux);
  oddY = f32x4.mul(f32x4.add(oddY, k), uy);
  k = coefficient(3);
  oddX = f32x4.mul(f32x4.add(oddX, k), ux);
  oddY = f32x4.mul(f32x4.add(oddY, k), uy);
  k = coefficient(1);
  oddX = f32x4.mul(f32x4.add(oddX, k), tx);
  oddY = f32x4.mul(f32x4.add(oddY, k), ty);
  k = coefficient(10);
  let evenX = f32x4.mul(k, ux),
    evenY = f32x4.mul(k, uy);
  k = coefficient(8);
  evenX = f32x4.mul(f32x4.add(evenX, k), ux);
  evenY = f32x4.mul(f32x4.add(evenY, k), uy);
  k = coefficient(6);
  evenX = f32x4.mul(f32x4.add(evenX, k), ux);
  evenY = f32x4.mul(f32x4.add(evenY, k), uy);
  k = coefficient(4);
  evenX = f32x4.mul(f32x4.add(evenX, k), ux);
  evenY = f32x4.mul(f32x4.add(evenY, k), uy);
  k = coefficient(2);
  evenX = f32x4.mul(f32x4.add(evenX, k), ux);
  evenY = f32x4.mul(f32x4.add(evenY, k), uy);
  k = coefficient(0);
  const px = f32x4.add(f32x4.add(evenX, k), oddX),
    py = f32x4.add(f32x4.add(evenY, k), oddY);
  const zero = f32x4.splat(0);
  store_f32(to, f32x4.sub(f32x4.pmax(x, zero), bump(ax, cut, px)), count);
  if (count > 4) store_f32(to + 16, f32x4.sub(f32x4.pmax(y, zero), bump(ay, cut, py)), count - 4);
}

export function f32_gelu(from: usize, to: usize, count: i32): void {
  for (; count >= 8; count -= 8, from += 32, to += 32) gelu_x8(from, to, 8);
  if (count > 0) gelu_x8(from, to, count);
}
