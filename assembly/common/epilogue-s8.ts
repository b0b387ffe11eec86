import { load_residual_x4, round_to_q, select_multiplier } from "./requantize";
import { ConvParams } from "./conv-params";

/** (r - zeroPoint) * multiplier of four channels of one residual pixel, or of its only channel. */
@inline
function residual_x4(pointer: usize, broadcast: i32, zeroPoint: v128, multiplier: v128): v128 {
  if (broadcast) {
    const r = i32x4.sub(i32x4.splat(<i32>load<i8>(pointer)), zeroPoint);
    return f32x4.mul(f32x4.convert_i32x4_s(r), multiplier);
  }
  return f32x4.mul(load_residual_x4(pointer, zeroPoint), multiplier);
}

/** Stores the low `count` (1..3) bytes of `bits`. */
function store_bytes(pointer: usize, bits: i32, count: i32): void {
  for (let i = 0; i < count; i++, bits >>= 8) store<i8>(pointer + i, <i8>bits);
}

/**
 * Four neighbouring pixels of output row `oy`, from column `ox` on, x four output channels from `oc` on: requantises, adds the
 * residual, stores. Pixels from column `end` on and channels beyond p.oc are not stored. Residual reads stay inside its row but for
 * 3 bytes.
 */
@inline
export function epilogue_s8_4x4(
  p: ConvParams,
  oy: i32,
  ox: i32,
  end: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
): void {
  const m = v128.load(p.multiplier + ((<usize>oc) << 2));
  let t0: v128, t1: v128, t2: v128, t3: v128;
  if (p.negative) {
    const n = v128.load(p.negative + ((<usize>oc) << 2));
    t0 = f32x4.mul(f32x4.convert_i32x4_s(a0), select_multiplier(a0, m, n));
    t1 = f32x4.mul(f32x4.convert_i32x4_s(a1), select_multiplier(a1, m, n));
    t2 = f32x4.mul(f32x4.convert_i32x4_s(a2), select_multiplier(a2, m, n));
    t3 = f32x4.mul(f32x4.convert_i32x4_s(a3), select_multiplier(a3, m, n));
  } else {
    t0 = f32x4.mul(f32x4.convert_i32x4_s(a0), m);
    t1 = f32x4.mul(f32x4.convert_i32x4_s(a1), m);
    t2 = f32x4.mul(f32x4.convert_i32x4_s(a2), m);
    t3 = f32x4.mul(f32x4.convert_i32x4_s(a3), m);
  }
  const left = end - ox;
  if (p.residual) {
    const zp = i32x4.splat(p.residualZeroPoint),
      multiplier = f32x4.splat(p.residualMultiplier);
    const broadcast = p.residualBroadcast;
    const step = <usize>(broadcast ? 1 : p.oc);
    const r0 = p.residual + <usize>oy * <usize>p.residualRowStride + <usize>ox * step + <usize>(broadcast ? 0 : oc);
    t0 = f32x4.add(t0, residual_x4(r0, broadcast, zp, multiplier));
    if (left > 1) t1 = f32x4.add(t1, residual_x4(r0 + step, broadcast, zp, multiplier));
    if (left > 2) t2 = f32x4.add(t2, residual_x4(r0 + step * 2, broadcast, zp, multiplier));
    if (left > 3) t3 = f32x4.add(t3, residual_x4(r0 + step * 3, broadcast, zp, multiplier));
  }
  const magicMin = i32x4.splat(p.magicMin),
    magicZero = i32x4.splat(p.magicZero);
  const q01 = i16x8.narrow_i32x4_s(round_to_q(t0, magicMin, magicZero), round_to_q(t1, magicMin, magicZero));
  const q23 = i16x8.narrow_i32x4_s(round_to_q(t2, magicMin, magicZero), round_to_q(t3, magicMin, magicZero));
  const q = i8x16.min_s(i8x16.narrow_i16x8_s(q01, q23), i8x16.splat(<i8>p.qmax));
  const out = p.output + <usize>oy * <usize>p.outputRowStride + <usize>(ox * p.oc + oc);
  const count = p.oc - oc;
  const step = <usize>p.oc;
  if (count >= 4) {
    v128.store32_lane(out, q, 0);
    if (left > 1) v128.store32_lane(out + step, q, 1);
    if (left > 2) v128.store32_lane(out + step * 2, q, 2);
    if (left > 3) v128.store32_lane(out + step * 3, q, 3);
  } else {
    store_bytes(out, i32x4.extract_lane(q, 0), count);
    if (left > 1) store_bytes(out + step, i32x4.extract_lane(q, 1), count);
    if (left > 2) store_bytes(out + step * 2, i32x4.extract_lane(q, 2), count);
    if (left > 3) store_bytes(out + step * 3, i32x4.extract_lane(q, 3), count);
  }
}
