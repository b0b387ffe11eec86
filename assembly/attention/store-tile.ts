/**
 * Results of a product [rows][8] on their way out: times a factor of their row or of their lane, int8 requantised (docs/quantization.md)
 * with a constant term. The first `count` lanes of each row are stored, and nothing behind them.
 *
 *   f32     y = f32(x * factor)
 *   int8    q = min(qmax, max(qmin, rne(f32(f32(f32(x) * factor) + term)) + zeroPoint)),  magicMin = magicZero + qmin
 */
import { round_to_q } from "../common/requantize";
import { store_f32 } from "../common/store-f32";
import { store_s8 } from "../common/store-s8";

/** `perRow`: factors [rows]; otherwise [8], one a lane. */
export function store_tile<T>(
  tile: usize,
  rows: i32,
  factors: usize,
  perRow: bool,
  to: usize,
  toStride: usize,
  count: i32,
  term: f32,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
): void {
  let f0 = v128.load(factors),
    f1 = v128.load(factors, 16);
  const add = f32x4.splat(term),
    zero = i32x4.splat(magicZero),
    least = i32x4.splat(magicMin),
    most = i8x16.splat(<i8>qmax);
  for (; rows > 0; rows--, tile += 32, to += toStride) {
    if (perRow) {
      f0 = v128.load32_splat(factors);
      f1 = f0;
      factors += 4;
    }
    const a = v128.load(tile),
      b = v128.load(tile, 16);
    if (isFloat<T>()) {
      store_f32(to, f32x4.mul(a, f0), count);
      if (count > 4) store_f32(to + 16, f32x4.mul(b, f1), count - 4);
    } else {
      const s = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(a), f0), add),
        t = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(b), f1), add);
      const h = i16x8.narrow_i32x4_s(round_to_q(s, least, zero), round_to_q(t, least, zero));
      const q = i8x16.min_s(i8x16.narrow_i16x8_s(h, h), most);
      if (count >= 8) v128.store64_lane(to, q, 0);
      else store_s8(to, q, count);
    }
  }
}
