/**
 * The step of every GEMM and convolution kernel, four lanes (output channels) at a time:
 *
 *   i16  acc + a0 * w0 + a1 * w1   pairs of int16 into int32, modulo 2^32 (i32x4.dot_i16x8_s)
 *   f32  acc + a * w               one rounding for the product, one for the sum; in the binary with relaxed SIMD as many as the engine's
 *                                  relaxed_madd has, one where the processor multiplies and adds in one instruction
 */
@inline
export function multiply_accumulate<T>(acc: v128, a: v128, w: v128): v128 {
  if (isFloat<T>()) {
    if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, w, acc);
    return f32x4.add(acc, f32x4.mul(a, w));
  }
  return i32x4.add(acc, i32x4.dot_i16x8_s(a, w));
}

/** The first step of such a sum. */
@inline
export function product<T>(a: v128, w: v128): v128 {
  return isFloat<T>() ? f32x4.mul(a, w) : i32x4.dot_i16x8_s(a, w);
}


@inline
export function sum<T>(a: v128, b: v128): v128 {
  return isFloat<T>() ? f32x4.add(a, b) : i32x4.add(a, b);
}
