/**
 * Operands of attention's products, copied into panels that product-4x8.ts reads from front to back: [steps][4 or 8 rows of the result], a
 * step being one f32 or a pair of int16 of the dimension that is summed over. Tokens lie `stride` bytes apart.
 *
 *   transpose_rows     sums over the channels: four tokens side by side
 *   copy_columns       sums over the tokens: four or eight channels side by side
 *
 * int8 is widened and its zero point subtracted; f32 may be scaled on the way.
 */
import { high_32, high_64, low_32, low_64 } from "../common/transpose";

/** Four f32 times `adjust`, or eight int8 less `adjust`. */
@inline
function load_adjusted<T>(pointer: usize, adjust: v128): v128 {
  if (isFloat<T>()) return f32x4.mul(v128.load(pointer), adjust);
  return i16x8.sub(v128.load8x8_s(pointer), adjust);
}

/**
 * The first `rows` of four tokens, the last of which stands in for those that are missing. Steps come in fours, `toStep` bytes apart; loads
 * reach at most 12 bytes past the last channel, so there is no knowing what the channels beyond hold.
 */
export function transpose_rows<T>(
  from: usize,
  stride: usize,
  rows: i32,
  channels: i32,
  adjust: v128,
  to: usize,
  toStep: usize,
): void {
  const last = from + <usize>(rows - 1) * stride;
  let x0 = from,
    x1 = min(x0 + stride, last),
    x2 = min(x1 + stride, last),
    x3 = min(x2 + stride, last);
  const bytes: usize = isFloat<T>() ? 16 : 8;
  for (let c = channels; c > 0; c -= isFloat<T>() ? 4 : 8) {
    const v0 = load_adjusted<T>(x0, adjust),
      v1 = load_adjusted<T>(x1, adjust),
      v2 = load_adjusted<T>(x2, adjust),
      v3 = load_adjusted<T>(x3, adjust);
    const l01 = low_32(v0, v1),
      l23 = low_32(v2, v3),
      h01 = high_32(v0, v1),
      h23 = high_32(v2, v3);
    v128.store(to, low_64(l01, l23));
    to += toStep;
    v128.store(to, high_64(l01, l23));
    to += toStep;
    v128.store(to, low_64(h01, h23));
    to += toStep;
    v128.store(to, high_64(h01, h23));
    to += toStep;
    x0 += bytes;
    x1 += bytes;
    x2 += bytes;
    x3 += bytes;
  }
}

/**
 * Four channels (eight if `wide`) of all tokens. int8: two tokens to a step, and zero in place of a missing second one. Loads reach at
 * most 28 bytes (int8: 7) past the last channel.
 */
export function copy_columns<T>(from: usize, stride: usize, tokens: i32, wide: bool, adjust: v128, to: usize): void {
  if (isFloat<T>()) {
    for (; tokens > 0; tokens--, from += stride, to += 16) {
      v128.store(to, v128.load(from));
      if (wide) {
        to += 16;
        v128.store(to, v128.load(from, 16));
      }
    }
  } else {
    for (; tokens > 0; tokens -= 2, from += stride << 1, to += 16) {
      const a = load_adjusted<T>(from, adjust);
      const b = tokens > 1 ? load_adjusted<T>(from + stride, adjust) : i32x4.splat(0);
      v128.store(to, i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
      if (wide) {
        to += 16;
        v128.store(to, i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15));
      }
    }
  }
}
