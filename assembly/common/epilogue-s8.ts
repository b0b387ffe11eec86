import { centred_x4, round_to_q, select_multiplier } from "./requantize";
import { ConvParams, splat_magic_min, splat_magic_zero, splat_qmax } from "./conv-params";
import { epilogue_f32_4x4_tail } from "./epilogue-f32";

/** (r - zeroPoint) * multipliers of four channels of one residual pixel, or of its only channel. */
@inline
function residual_x4(pointer: usize, broadcast: i32, zeroPoint: v128, multipliers: v128): v128 {
  const r = broadcast ? v128.load8_splat(pointer) : v128.load32_zero(pointer);
  return f32x4.mul(centred_x4(r, zeroPoint), multipliers);
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
      by = v128.load(p.residualMultipliers + ((<usize>oc) << 2));
    const broadcast = p.residualBroadcast;
    const step = <usize>(broadcast ? 1 : p.oc),
      row = <usize>p.residualRowStride;
    const r = p.residual + <usize>oy * row + <usize>ox * step + <usize>(broadcast ? 0 : oc);
    t0 = f32x4.add(t0, residual_x4(r, broadcast, zp, by));
    if (v1) t1 = f32x4.add(t1, residual_x4(r + y1 * row + x1 * step, broadcast, zp, by));
    if (v2) t2 = f32x4.add(t2, residual_x4(r + y2 * row + x2 * step, broadcast, zp, by));
    if (v3) t3 = f32x4.add(t3, residual_x4(r + y3 * row + x3 * step, broadcast, zp, by));
  }
  const magicMin = splat_magic_min(p),
    magicZero = splat_magic_zero(p);
  const q01 = i16x8.narrow_i32x4_s(round_to_q(t0, magicMin, magicZero), round_to_q(t1, magicMin, magicZero));
  const q23 = i16x8.narrow_i32x4_s(round_to_q(t2, magicMin, magicZero), round_to_q(t3, magicMin, magicZero));
  const q = i8x16.min_s(i8x16.narrow_i16x8_s(q01, q23), splat_qmax(p));
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

/**
 * As `epilogue_s8_4x4`, for an output that stays real: scales, adds a residual of int8, then the epilogue of f32. Not inlined: a
 * layer or two of a network.
 */
function epilogue_real_4x4(
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
  const channel = (<usize>oc) << 2;
  const m = v128.load(p.multiplier + channel),
    n = v128.load(p.negativeSums + channel);
  a0 = f32x4.mul(f32x4.convert_i32x4_s(a0), select_multiplier(a0, m, n));
  a1 = f32x4.mul(f32x4.convert_i32x4_s(a1), select_multiplier(a1, m, n));
  a2 = f32x4.mul(f32x4.convert_i32x4_s(a2), select_multiplier(a2, m, n));
  a3 = f32x4.mul(f32x4.convert_i32x4_s(a3), select_multiplier(a3, m, n));
  if (p.byteResidualRowStride) {
    const zp = i32x4.splat(p.residualZeroPoint),
      by = v128.load(p.residualMultipliers + channel),
      broadcast = p.residualBroadcast;
    const step = <usize>(broadcast ? 1 : p.oc),
      left = end - ox;
    let r = p.residual + <usize>oy * <usize>p.byteResidualRowStride + <usize>ox * step + <usize>(broadcast ? 0 : oc);
    a0 = f32x4.add(a0, residual_x4(r, broadcast, zp, by));
    if (left > 1) a1 = f32x4.add(a1, residual_x4((r += step), broadcast, zp, by));
    if (left > 2) a2 = f32x4.add(a2, residual_x4((r += step), broadcast, zp, by));
    if (left > 3) a3 = f32x4.add(a3, residual_x4(r + step, broadcast, zp, by));
  }
  epilogue_f32_4x4_tail(p, oy, ox, end, oc, a0, a1, a2, a3);
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
  if (p.realOutput) {
    epilogue_real_4x4(p, oy, ox, end, oc, a0, a1, a2, a3);
    return;
  }
  const left = end - ox;
  epilogue_s8(p, oy, ox, oc, 0, 1, left > 1, 0, 2, left > 2, 0, 3, left > 3, a0, a1, a2, a3);
}

/** The same by a call: for the tails of kernels whose whole tiles take another way, so that not each carries a copy. */
export function epilogue_s8_4x4_tail(
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
  epilogue_s8_4x4(p, oy, ox, end, oc, a0, a1, a2, a3);
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
  if (p.realOutput) {
    const end = min(ox + 2, p.ow);
    epilogue_real_4x4(p, oy, ox, end, oc, a0, a1, a1, a1);
    if (below) epilogue_real_4x4(p, oy + 1, ox, end, oc, a2, a3, a3, a3);
    return;
  }
  epilogue_s8(p, oy, ox, oc, 0, 1, right, 1, 0, below, 1, 1, below && right, a0, a1, a2, a3);
}

/** The two halves of a tile of eight channels by the epilogue of four. Not inlined: tiles at the edges and layers with a residual. */
function epilogue_s8_4x8_halves(
  p: ConvParams,
  oy: i32,
  ox: i32,
  end: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
  b0: v128,
  b1: v128,
  b2: v128,
  b3: v128,
): void {
  epilogue_s8_4x4_tail(p, oy, ox, end, oc, a0, a1, a2, a3);
  if (oc + 4 < p.oc) epilogue_s8_4x4_tail(p, oy, ox, end, oc + 4, b0, b1, b2, b3);
}

/** Whether a tile of four pixels from column `ox` on and eight channels from `oc` on is one for `epilogue_s8_4x8_whole`. */
@inline
export function is_whole_s8(p: ConvParams, ox: i32, end: i32, oc: i32): bool {
  return (
    end - ox >= 4 && p.oc - oc >= 8 && p.negativeBelow != 0 && (p.residualRowStride == 0 || p.residualBroadcast == 0)
  );
}

/** acc * m, or acc * n below zero: as n <= m, the larger of the two. The order decides which zero, which rounding then forgets. */
@inline
function scaled(acc: v128, m: v128, n: v128): v128 {
  const t = f32x4.convert_i32x4_s(acc);
  return f32x4.pmax(f32x4.mul(t, m), f32x4.mul(t, n));
}


@inline
function narrowed(a: v128, b: v128, magicMin: v128, magicZero: v128): v128 {
  return i16x8.narrow_i32x4_s(round_to_q(a, magicMin, magicZero), round_to_q(b, magicMin, magicZero));
}

/** a + (r - zeroPoint) * multipliers for the first (`high` = 0) or last four of eight int16 residuals less their zero point. */
@inline
function add_residual(a: v128, r: v128, high: bool, multipliers: v128): v128 {
  const wide = high ? i32x4.extend_high_i16x8_s(r) : i32x4.extend_low_i16x8_s(r);
  return f32x4.add(a, f32x4.mul(f32x4.convert_i32x4_s(wide), multipliers));
}

/**
 * Four neighbouring pixels x eight channels of row `oy`, from column `ox` and channel `oc` on: a0 to a3 the first four channels, b0 to b3 the
 * others. All are stored. For tiles that `is_whole_s8`.
 */
@inline
export function epilogue_s8_4x8_whole(
  p: ConvParams,
  oy: i32,
  ox: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
  b0: v128,
  b1: v128,
  b2: v128,
  b3: v128,
): void {
  const channel = (<usize>oc) << 2;
  const multiplier = p.multiplier + channel;
  const negative = (p.negative ? p.negative : p.multiplier) + channel;
  const ma = v128.load(multiplier),
    na = v128.load(negative);
  a0 = scaled(a0, ma, na);
  a1 = scaled(a1, ma, na);
  a2 = scaled(a2, ma, na);
  a3 = scaled(a3, ma, na);
  const mb = v128.load(multiplier, 16),
    nb = v128.load(negative, 16);
  b0 = scaled(b0, mb, nb);
  b1 = scaled(b1, mb, nb);
  b2 = scaled(b2, mb, nb);
  b3 = scaled(b3, mb, nb);
  const step = <usize>p.oc;
  if (p.residualRowStride) {
    const r = p.residual + <usize>oy * <usize>p.residualRowStride + <usize>ox * step + <usize>oc;
    // r - zeroPoint fits int16.
    const zero = i16x8.splat(<i16>p.residualZeroPoint),
      by = p.residualMultipliers + channel;
    const byA = v128.load(by),
      byB = v128.load(by, 16);
    const r0 = i16x8.sub(v128.load8x8_s(r), zero);
    a0 = add_residual(a0, r0, false, byA);
    b0 = add_residual(b0, r0, true, byB);
    const r1 = i16x8.sub(v128.load8x8_s(r + step), zero);
    a1 = add_residual(a1, r1, false, byA);
    b1 = add_residual(b1, r1, true, byB);
    const r2 = i16x8.sub(v128.load8x8_s(r + step * 2), zero);
    a2 = add_residual(a2, r2, false, byA);
    b2 = add_residual(b2, r2, true, byB);
    const r3 = i16x8.sub(v128.load8x8_s(r + step * 3), zero);
    a3 = add_residual(a3, r3, false, byA);
    b3 = add_residual(b3, r3, true, byB);
  }
  const low = splat_magic_min(p),
    zero = splat_magic_zero(p),
    qmax = splat_qmax(p);
  const q01 = i8x16.min_s(i8x16.narrow_i16x8_s(narrowed(a0, b0, low, zero), narrowed(a1, b1, low, zero)), qmax);
  const q23 = i8x16.min_s(i8x16.narrow_i16x8_s(narrowed(a2, b2, low, zero), narrowed(a3, b3, low, zero)), qmax);
  let out = p.output + <usize>oy * <usize>p.outputRowStride + <usize>ox * step + <usize>oc;
  v128.store64_lane(out, q01, 0);
  out += step;
  v128.store64_lane(out, q01, 1);
  out += step;
  v128.store64_lane(out, q23, 0);
  out += step;
  v128.store64_lane(out, q23, 1);
}

/** The same for any tile: pixels from column `end` on and channels from p.oc on are not stored. */
@inline
export function epilogue_s8_4x8(
  p: ConvParams,
  oy: i32,
  ox: i32,
  end: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
  b0: v128,
  b1: v128,
  b2: v128,
  b3: v128,
): void {
  if (is_whole_s8(p, ox, end, oc)) epilogue_s8_4x8_whole(p, oy, ox, oc, a0, a1, a2, a3, b0, b1, b2, b3);
  else epilogue_s8_4x8_halves(p, oy, ox, end, oc, a0, a1, a2, a3, b0, b1, b2, b3);
}
