/**
 * Powers of two of numbers up to 0, four at a time: the exponentials of softmax, whose arguments the row's maximum brings there and whose
 * logarithm to base 2 costs nothing, as it goes into a factor that is there anyway.
 *
 *   exp2(t)        2^t:        n = rne(t), P(t - n) * 2^n, P of degree 5 with P(0) = 1
 *   weight(t)      255 * 2^t:  the same by P of degree 3 with P(0) = 255, rounded to an integer, halves to even
 *
 * n comes by an addition: t + 1.5 * 2^23 has it in its lowest bits, and 127 more makes them the exponent of 2^n at once; n = -127 gives
 * the bits of 0. Both polynomials are ours: minimax fits of the relative error on [-1/2, 1/2] by linear programming on 1500 Chebyshev points
 * in float64, then rounded to binary32. Every operation is one of binary32 with one rounding, in the order written here, halves of a
 * polynomial side by side (Estrin) as a chain would wait for itself; t - n and the scaling by 2^n are exact.
 *
 * Bounds   exp2: |y - 2^t| <= 2.2e-7 * 2^t for -126.5 < t <= 0 (measured 2.18e-7, of which 9.2e-8 are the fit's), plus 2^-149 where the
 *          result is subnormal; 0 below; 1 at 0; NaN stays NaN.
 *          weight: within 0.526 of 255 * 2^t (half of a step, and 1.02e-4 * 255); 255 at 0, 0 from -9.01 down; NaN gives any integer.
 * Test     test/kernels/attention/softmax.test.ts, test/kernels/attention/qs8-attention.test.ts
 */
/** P's coefficients, ascending, 1.5 * 2^23 + 127, and where 2^t becomes 0. */
const EXP: usize = memory.data<f32>(
  [1, 0.693147004, 0.240222424, 0.0555073358, 0.00967151299, 0.0013264739, 12583039, -127],
  16,
);

/** The same of the coarse one, with 1.5 * 2^23, and a place where 255 * 2^t rounds to 0. */
const WEIGHT: usize = memory.data<f32>([255, 176.78714, 61.7637939, 14.027277, 12582912, -16], 16);

/** Number k of a table in every lane: one instruction, where a constant is three. */
@inline
function constant(table: usize, k: usize): v128 {
  return v128.load32_splat(table + (k << 2));
}


@inline
export function exp2(t: v128): v128 {
  t = f32x4.pmax(t, constant(EXP, 7));
  const magic = constant(EXP, 6);
  const z = f32x4.add(t, magic);
  const f = f32x4.sub(t, f32x4.sub(z, magic));
  const g = f32x4.mul(f, f);
  const low = f32x4.add(f32x4.mul(constant(EXP, 1), f), constant(EXP, 0)),
    middle = f32x4.add(f32x4.mul(constant(EXP, 3), f), constant(EXP, 2)),
    high = f32x4.add(f32x4.mul(constant(EXP, 5), f), constant(EXP, 4));
  const p = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(high, g), middle), g), low);
  return f32x4.mul(p, i32x4.shl(z, 23));
}

/** 255 * 2^t as an integer in the low half of each lane; what is in the high half is not part of it. */
@inline
export function weight(t: v128): v128 {
  t = f32x4.pmax(t, constant(WEIGHT, 5));
  const magic = constant(WEIGHT, 4);
  const z = f32x4.add(t, magic);
  const f = f32x4.sub(t, f32x4.sub(z, magic));
  const low = f32x4.add(f32x4.mul(constant(WEIGHT, 1), f), constant(WEIGHT, 0)),
    high = f32x4.add(f32x4.mul(constant(WEIGHT, 3), f), constant(WEIGHT, 2));
  const p = f32x4.add(f32x4.mul(high, f32x4.mul(f, f)), low);
  // p * 2^n by its exponent: p is about 2^7 and n at least -16.
  return f32x4.add(i32x4.add(p, i32x4.shl(z, 23)), magic);
}
