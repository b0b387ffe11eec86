/**
 * The padded line buffer of the direct kernels: kh rows, each holding one input row with its padding on both sides, so that the
 * inner loops know no borders. Row t (0 = the topmost padding row) lies in slot t mod kh; rows are filled once and reused by the
 * kh output rows that they belong to. Stores run up to 15 elements past what they fill: a row has that much slack at its end.
 */
import { ConvParams } from "../common/conv-params";

/** Stores `count` copies of an int16, eight at a time. */
@inline
function fill_s16(to: usize, count: i32, value: v128): usize {
  const end = to + ((<usize>count) << 1);
  for (; to < end; to += 16) v128.store(to, value);
  return end;
}

/** Fills row t with int8 input widened to int16; padding is the input's zero point. */
function fill_row_s16(p: ConvParams, t: i32, to: usize): void {
  const iy = t - p.padTop;
  const zp = i16x8.splat(<i16>p.inputZeroPoint);
  const total = p.scratchRowStride - 32;
  if (iy < 0 || iy >= p.ih) {
    fill_s16(to, total >> 1, zp);
    return;
  }
  const end = to + <usize>total;
  to = fill_s16(to, p.padLeft * p.ic, zp);
  let from = p.input + <usize>iy * <usize>p.inputRowStride;
  const fromEnd = from + <usize>(p.iw * p.ic);
  const rowEnd = to + ((<usize>(p.iw * p.ic)) << 1);
  for (; from < fromEnd; from += 16, to += 32) {
    const v = v128.load(from);
    v128.store(to, i16x8.extend_low_i8x16_s(v));
    v128.store(to, i16x8.extend_high_i8x16_s(v), 16);
  }
  if (rowEnd < end) fill_s16(rowEnd, <i32>((end - rowEnd) >> 1), zp);
}

/** Fills row t with f32 input; padding is 0. */
function fill_row_f32(p: ConvParams, t: i32, to: usize): void {
  const iy = t - p.padTop;
  const total = <usize>(p.scratchRowStride - 64);
  if (iy < 0 || iy >= p.ih) {
    memory.fill(to, 0, total);
    return;
  }
  const left = (<usize>(p.padLeft * p.ic)) << 2;
  const row = (<usize>(p.iw * p.ic)) << 2;
  if (left) memory.fill(to, 0, left);
  memory.copy(to + left, p.input + <usize>iy * <usize>p.inputRowStride, row);
  if (total > left + row) memory.fill(to + left + row, 0, total - left - row);
}

/** Steps of the inner loop over one kernel row: values for f32, pairs of values for int16. */
@inline
export function row_steps<T>(p: ConvParams): i32 {
  const length = p.kw * p.ic;
  return isFloat<T>() ? length : (length + 1) >> 1;
}

/** Fills the rows that output row `oy` needs and that are not there yet; returns how many rows have been filled or passed by. */
@inline
export function fill_rows<T>(p: ConvParams, oy: i32, filled: i32): i32 {
  const top = oy * p.stride,
    bottom = top + p.kh;
  let row = max(filled, top);
  for (; row < bottom; row++) {
    const to = p.scratch + <usize>((row % p.kh) * p.scratchRowStride);
    if (isFloat<T>()) fill_row_f32(p, row, to);
    else fill_row_s16(p, row, to);
  }
  return row;
}

/** Line-buffer row of the topmost kernel row of output row `oy`; the others follow, around the end of the ring. */
@inline
export function first_row(p: ConvParams, oy: i32): usize {
  return p.scratch + <usize>(((oy * p.stride) % p.kh) * p.scratchRowStride);
}
