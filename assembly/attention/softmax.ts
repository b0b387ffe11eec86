/**
 * f32_softmax     y[c] = e^(x[c] - m) / sum_c e^(x[c] - m), m the row's maximum
 *
 * Bounds   with u = 2^-24, d = m - x[c], D the mean of m - x weighted by y, and e^-d the exponential without the sum:
 *          exponential  |e - e^-d| <= u * (3.7 + 2.3 * d) * e^-d, 0 for d > 87.7
 *          |y - exact| <= u * (13 + 2.3 * (d + D) + columns / 4) * exact to first order in u, plus 2^-126
 *          A row with a NaN or +infinity becomes NaN; -infinity gives 0, unless nothing else is there: NaN.
 * Layout   [rows][columns], rows `rowStride` bytes apart in both.
 * Aliasing the output may be the input.
 * Tails    four values at a time; loads reach at most 12 bytes past the input, stores never.
 * Test     test/kernels/attention/softmax.test.ts
 */
import { store_f32 } from "../common/store-f32";
import { LOG2_E } from "./attention";
import { exp2 } from "./exp";


@inline
function swap_pairs(v: v128): v128 {
  return i32x4.shuffle(v, v, 2, 3, 0, 1);
}


@inline
function swap_neighbours(v: v128): v128 {
  return i32x4.shuffle(v, v, 1, 0, 3, 2);
}

export function f32_softmax(from: usize, to: usize, rows: i32, columns: i32, rowStride: usize): void {
  assert(columns > 0, "columns: expected at least one");
  const log = f32x4.splat(LOG2_E);
  const whole = (<usize>(columns & ~3)) << 2;
  const left = columns & 3;
  const mask = i32x4.gt_s(i32x4.splat(left), i32x4(0, 1, 2, 3));
  for (; rows > 0; rows--, from += rowStride, to += rowStride) {
    const end = from + whole;
    let most = v128.load32_splat(from);
    for (let p = from; p < end; p += 16) most = f32x4.pmax(most, v128.load(p));
    if (left) most = f32x4.pmax(most, v128.bitselect(v128.load(end), most, mask));
    most = f32x4.pmax(most, swap_pairs(most));
    most = f32x4.pmax(most, swap_neighbours(most));
    let sum = f32x4.splat(0);
    let out = to;
    for (let p = from; p < end; p += 16, out += 16) {
      const e = exp2(f32x4.mul(f32x4.sub(v128.load(p), most), log));
      v128.store(out, e);
      sum = f32x4.add(sum, e);
    }
    if (left) {
      const e = exp2(f32x4.mul(f32x4.sub(v128.load(end), most), log));
      store_f32(out, e, left);
      sum = f32x4.add(sum, v128.and(e, mask));
    }
    sum = f32x4.add(sum, swap_pairs(sum));
    sum = f32x4.add(sum, swap_neighbours(sum));
    const factor = f32x4.div(f32x4.splat(1), sum);
    for (out = to; out < to + whole; out += 16) v128.store(out, f32x4.mul(v128.load(out), factor));
    if (left) store_f32(out, f32x4.mul(v128.load(out), factor), left);
  }
}
