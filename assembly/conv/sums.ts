/**
 * Finished sums of a row of a depthwise tile, [pixels][16 channels] int32 or f32, to outputs. Sixteen channels at once share their
 * constants and leave in whole vectors; activations with slopes, residuals and the last channels take the epilogue of the other kernels.
 */
import { ConvParams } from "../common/conv-params";
import { epilogue_f32_4x4_tail } from "../common/epilogue-f32";
import { epilogue_s8_4x4_tail } from "../common/epilogue-s8";
import { round_to_q } from "../common/requantize";
import { STRIP_CHANNELS } from "./strips";

/** Bytes of sums from pixel to pixel. */
export const SUMS_PIXEL: usize = 64;


@inline
function is_plain(p: ConvParams, oc: i32): bool {
  return !p.negative && !p.residualRowStride && !p.realOutput && p.oc - oc >= STRIP_CHANNELS;
}


@inline
function requantized(sums: usize, multiplier: v128, magicMin: v128, magicZero: v128): v128 {
  return round_to_q(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), multiplier), magicMin, magicZero);
}

/** int8 outputs of row oy, columns [left, right), channels [oc, oc + 16). */
export function finish_row_s8(p: ConvParams, oy: i32, left: i32, right: i32, oc: i32, sums: usize): void {
  if (!is_plain(p, oc)) {
    finish_any<i8>(p, oy, left, right, oc, sums);
    return;
  }
  const multiplier = p.multiplier + ((<usize>oc) << 2);
  const m0 = v128.load(multiplier),
    m1 = v128.load(multiplier, 16),
    m2 = v128.load(multiplier, 32),
    m3 = v128.load(multiplier, 48);
  const low = i32x4.splat(p.magicMin),
    zero = i32x4.splat(p.magicZero),
    qmax = i8x16.splat(<i8>p.qmax);
  const step = <usize>p.oc;
  let out = p.output + <usize>oy * <usize>p.outputRowStride + <usize>left * step + <usize>oc;
  const end = sums + <usize>(right - left) * SUMS_PIXEL;
  for (; sums < end; sums += SUMS_PIXEL, out += step) {
    const q01 = i16x8.narrow_i32x4_s(requantized(sums, m0, low, zero), requantized(sums + 16, m1, low, zero));
    const q23 = i16x8.narrow_i32x4_s(requantized(sums + 32, m2, low, zero), requantized(sums + 48, m3, low, zero));
    v128.store(out, i8x16.min_s(i8x16.narrow_i16x8_s(q01, q23), qmax));
  }
}


@inline
function clamped(sums: usize, minimum: v128, maximum: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v128.load(sums), minimum), maximum);
}

/** f32 outputs of row oy, columns [left, right), channels [oc, oc + 16). */
export function finish_row_f32(p: ConvParams, oy: i32, left: i32, right: i32, oc: i32, sums: usize): void {
  if (!is_plain(p, oc)) {
    finish_any<f32>(p, oy, left, right, oc, sums);
    return;
  }
  const low = f32x4.splat(p.minimum),
    high = f32x4.splat(p.maximum);
  const step = (<usize>p.oc) << 2;
  let out = p.output + <usize>oy * <usize>p.outputRowStride + <usize>left * step + ((<usize>oc) << 2);
  const end = sums + <usize>(right - left) * SUMS_PIXEL;
  for (; sums < end; sums += SUMS_PIXEL, out += step) {
    v128.store(out, clamped(sums, low, high));
    v128.store(out, clamped(sums + 16, low, high), 16);
    v128.store(out, clamped(sums + 32, low, high), 32);
    v128.store(out, clamped(sums + 48, low, high), 48);
  }
}

/** Four pixels x four channels at a time, by the common epilogue. */
function finish_any<T>(p: ConvParams, oy: i32, left: i32, right: i32, oc: i32, sums: usize): void {
  const end = min(p.oc, oc + STRIP_CHANNELS);
  for (let ox = left; ox < right; ox += 4, sums += SUMS_PIXEL * 4) {
    let s = sums;
    for (let c = oc; c < end; c += 4, s += 16) {
      const a0 = v128.load(s),
        a1 = v128.load(s, SUMS_PIXEL),
        a2 = v128.load(s, SUMS_PIXEL * 2),
        a3 = v128.load(s, SUMS_PIXEL * 3);
      if (isFloat<T>()) epilogue_f32_4x4_tail(p, oy, ox, right, c, a0, a1, a2, a3);
      else epilogue_s8_4x4_tail(p, oy, ox, right, c, a0, a1, a2, a3);
    }
  }
}
