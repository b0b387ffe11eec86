/**
 * Roofline probes: the highest rate at which one core retires the multiply-accumulate idioms of the kernels.
 *
 * Each step feeds 8 accumulators from 2 vector loads and 4 broadcast loads out of L1 (16 KiB at `base`), the 4x8 tile of
 * the real kernels with nothing around it. One step = 8 vector MACs: 64 int8 MACs with dot_i16x8, 32 with f32 mul + add.
 * `steps` runs of 32 steps each. The sum is returned so that nothing can be removed.
 */

import { multiply_accumulate } from "../common/multiply-accumulate";

const INNER: i32 = 32;

export function roofline_dot_i16x8(base: usize, steps: i32): i32 {
  return probe<i16>(base, steps);
}

export function roofline_f32_mul_add(base: usize, steps: i32): i32 {
  return probe<f32>(base, steps);
}


@inline
function probe<T>(base: usize, steps: i32): i32 {
  let c0 = i32x4.splat(0),
    c1 = i32x4.splat(0),
    c2 = i32x4.splat(0),
    c3 = i32x4.splat(0);
  let c4 = i32x4.splat(0),
    c5 = i32x4.splat(0),
    c6 = i32x4.splat(0),
    c7 = i32x4.splat(0);
  for (let n = 0; n < steps; n++) {
    let a = base,
      w = base + 8192;
    for (let k = 0; k < INNER; k++) {
      const w0 = v128.load(w),
        w1 = v128.load(w, 16);
      const a0 = v128.load32_splat(a);
      c0 = multiply_accumulate<T>(c0, a0, w0);
      c1 = multiply_accumulate<T>(c1, a0, w1);
      const a1 = v128.load32_splat(a, 256);
      c2 = multiply_accumulate<T>(c2, a1, w0);
      c3 = multiply_accumulate<T>(c3, a1, w1);
      const a2 = v128.load32_splat(a, 512);
      c4 = multiply_accumulate<T>(c4, a2, w0);
      c5 = multiply_accumulate<T>(c5, a2, w1);
      const a3 = v128.load32_splat(a, 768);
      c6 = multiply_accumulate<T>(c6, a3, w0);
      c7 = multiply_accumulate<T>(c7, a3, w1);
      a += 4;
      w += 32;
    }
  }
  const s = v128.xor(v128.xor(v128.xor(c0, c1), v128.xor(c2, c3)), v128.xor(v128.xor(c4, c5), v128.xor(c6, c7)));
  return i32x4.extract_lane(s, 0);
}
