/**
 * The steps of a 4 x 4 transpose of 4-byte values, rows r0 to r3:
 *
 *   l01 = low_32(r0, r1)  l23 = low_32(r2, r3)  h01 = high_32(r0, r1)  h23 = high_32(r2, r3)
 *   columns  low_64(l01, l23)  high_64(l01, l23)  low_64(h01, h23)  high_64(h01, h23)
 */
/** Four values of 4 bytes: f32 channels, or pairs of int8 channels widened. */
@inline
export function load_four<T>(pointer: usize): v128 {
  return isFloat<T>() ? v128.load(pointer) : v128.load8x8_s(pointer);
}


@inline
export function low_32(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
}


@inline
export function high_32(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
}


@inline
export function low_64(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
}


@inline
export function high_64(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}
