/**
 * The requantisation of docs/quantization.md on four accumulators: q = clamp(rne(f32(acc) * m + r) + zeroPoint).
 *
 * Rounding is a float addition: t + 1.5 * 2^23 leaves the integer nearest to t (halves to even, IEEE default rounding) in the low
 * bits of the sum, exactly for |t| < 2^22. Outside, the bit pattern still orders as the numbers do, so the two clamps (an
 * integer maximum before the magic number is subtracted, saturating narrowing after) give the saturated result.
 */
export const MAGIC: f32 = 12582912.0; // 1.5 * 2^23
export const MAGIC_BITS: i32 = 0x4b400000;

/** MAGIC in four lanes. Loading it is one instruction; V8 builds a vector constant anew wherever it is used, in three. */
const MAGIC_X4: usize = memory.data<f32>([MAGIC, MAGIC, MAGIC, MAGIC], 16);

/** Multiplier of PReLU: `negative` where the accumulator is below zero, `positive` elsewhere. */
@inline
export function select_multiplier(acc: v128, positive: v128, negative: v128): v128 {
  return v128.bitselect(negative, positive, i32x4.shr_s(acc, 31));
}

/**
 * t (four scaled values) -> i32x4 quantised values, not yet clamped above: the narrowing and a final minimum do that.
 * `magicMin` = MAGIC_BITS + qmin - zeroPoint; `magicZero` = MAGIC_BITS - zeroPoint; both splat.
 */
@inline
export function round_to_q(t: v128, magicMin: v128, magicZero: v128): v128 {
  return i32x4.sub(i32x4.max_s(f32x4.add(t, v128.load(MAGIC_X4)), magicMin), magicZero);
}

/** The first four int8 of `bytes` less their zero point, as f32. */
@inline
export function centred_x4(bytes: v128, zeroPoint: v128): v128 {
  const r = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes));
  return f32x4.convert_i32x4_s(i32x4.sub(r, zeroPoint));
}

/** Four int8 at `pointer` less their zero point, as f32. */
@inline
export function load_residual_x4(pointer: usize, zeroPoint: v128): v128 {
  return centred_x4(v128.load32_zero(pointer), zeroPoint);
}
