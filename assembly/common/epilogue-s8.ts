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
 * Four pixels x four output channels from `oc` on: requantises, adds the residual, stores. The first pixel is (oy, ox); the others
 * lie (y1, x1), (y2, x2), (y3, x3) from it and are stored where v1, v2, v3 hold. Channels beyond p.oc are not stored. Residual reads stay
 * inside its row but for 3 bytes.
 */
@inline
function epilogue_s8(
  p: ConvParams,
  oy: i32,
  ox: i32,
  oc: i32,
  y1: usize,
  x1: usize,
  v1: bool,
  y2: usize,
  x2: usize,
  v2: bool,
  y3: usize,
  x3: usize,
  v3: bool,
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
  if (p.residualRowStride) {
    const zp = i32x4.splat(p.residualZeroPoint),
      multiplier = f32x4.splat(p.residualMultiplier);
    const broadcast = p.residualBroadcast;
    const step = <usize>(broadcast ? 1 : p.oc),
      row = <usize>p.residualRowStride;
    const r = p.residual + <usize>oy * row + <usize>ox * step + <usize>(broadcast ? 0 : oc);
    t0 = f32x4.add(t0, residual_x4(r, broadcast, zp, multiplier));
    if (v1) t1 = f32x4.add(t1, residual_x4(r + y1 * row + x1 * step, broadcast, zp, multiplier));
    if (v2) t2 = f32x4.add(t2, residual_x4(r + y2 * row + x2 * step, broadcast, zp, multiplier));
    if (v3) t3 = f32x4.add(t3, residual_x4(r + y3 * row + x3 * step, broadcast, zp, multiplier));
  }
  const magicMin = i32x4.splat(p.magicMin),
    magicZero = i32x4.splat(p.magicZero);
  const q01 = i16x8.narrow_i32x4_s(round_to_q(t0, magicMin, magicZero), round_to_q(t1, magicMin, magicZero));
  const q23 = i16x8.narrow_i32x4_s(round_to_q(t2, magicMin, magicZero), round_to_q(t3, magicMin, magicZero));
  const q = i8x16.min_s(i8x16.narrow_i16x8_s(q01, q23), i8x16.splat(<i8>p.qmax));
  const step = <usize>p.oc,
    row = <usize>p.outputRowStride;
  const out = p.output + <usize>oy * row + <usize>ox * step + <usize>oc;
  const count = p.oc - oc;
  if (count >= 4) {
    v128.store32_lane(out, q, 0);
    if (v1) v128.store32_lane(out + y1 * row + x1 * step, q, 1);
    if (v2) v128.store32_lane(out + y2 * row + x2 * step, q, 2);
    if (v3) v128.store32_lane(out + y3 * row + x3 * step, q, 3);
  } else {
    store_bytes(out, i32x4.extract_lane(q, 0), count);
    if (v1) store_bytes(out + y1 * row + x1 * step, i32x4.extract_lane(q, 1), count);
    if (v2) store_bytes(out + y2 * row + x2 * step, i32x4.extract_lane(q, 2), count);
    if (v3) store_bytes(out + y3 * row + x3 * step, i32x4.extract_lane(q, 3), count);
  }
}

/** Four neighbouring pixels of row `oy`, from column `ox` on; pixels from column `end` on are not stored. */
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
  const left = end - ox;
  epilogue_s8(p, oy, ox, oc, 0, 1, left > 1, 0, 2, left > 2, 0, 3, left > 3, a0, a1, a2, a3);
}

/** A block of 2 x 2 pixels, row by row; pixels from row p.rowEnd or column p.ow on are not stored. */
@inline
export function epilogue_s8_2x2x4(
  p: ConvParams,
  oy: i32,
  ox: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
): void {
  const right = ox + 1 < p.ow,
    below = oy + 1 < p.rowEnd;
  epilogue_s8(p, oy, ox, oc, 0, 1, right, 1, 0, below, 1, 1, below && right, a0, a1, a2, a3);
}
