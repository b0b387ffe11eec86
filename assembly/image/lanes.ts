/** Small f32x4 helpers shared by the picture kernels; all are inlined. */

const MAGIC: f32 = 8388608.0; // 2^23: the sum's low bits are the integer itself
const MAGIC_BITS: i32 = 0x4b000000;

/** floor(clamp(v, 0, limit) + 0.5): MATLAB's rounding (halves up) and clipping. NaN becomes 0. */
@inline
export function round_clip(v: v128, limit: v128): v128 {
  const clipped = f32x4.pmin(f32x4.pmax(f32x4.splat(0), v), limit);
  return f32x4.floor(f32x4.add(clipped, f32x4.splat(0.5)));
}

/**
 * Integral values in [0, 2^23) to i32x4. A float addition and a subtraction; i32x4.trunc_sat is many times longer on
 * x86.
 */
@inline
export function integers(v: v128): v128 {
  return i32x4.sub(f32x4.add(v, f32x4.splat(MAGIC)), i32x4.splat(MAGIC_BITS));
}

/** Lanes 1, 2, 3, 0: brings the next lane to the front, for tails. */
@inline
export function rotate(v: v128): v128 {
  return i8x16.shuffle(v, v, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
}
