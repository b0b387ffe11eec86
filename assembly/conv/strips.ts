/**
 * The input of a depthwise tile, copied out of the picture: sixteen channels as four strips of four, padding included, in the order in
 * which the tile reads them, so that the inner loops know no borders and neighbouring channels of a wide picture do not push each
 * other out of the first cache.
 *
 * A strip covers two output rows, that is kh + stride input rows, and the columns of at most p.tileColumns outputs. Vector (x, y) holds
 *
 *   int8  [columns][pairs]   int16 of rows 2y and 2y + 1 by turns: c0 c0' c1 c1' c2 c2' c3 c3'     pairs = ceil((kh + stride) / 2)
 *   f32   [rows][columns]    four channels
 *
 * p.scratchRowStride bytes lie between strips. Channels beyond p.ic are the next pixel's or the slack's: reads reach at most 60 bytes past
 * the input, and what is computed from them is not stored.
 */
import { ConvParams } from "../common/conv-params";

/** Bytes of scratch ahead of the strips: a pixel of padding (int8). */
export const STRIPS: usize = 64;
/** Channels that are copied together. */
export const STRIP_CHANNELS: i32 = 16;

/** Input columns of the outputs [left, right), rounded up to whole tiles of four. */
@inline
export function strip_columns(p: ConvParams, left: i32, right: i32): i32 {
  return (((right - left + 3) & ~3) - 1) * p.stride + p.kw;
}

/** Pairs of input rows behind two output rows. */
@inline
export function strip_pairs(p: ConvParams): i32 {
  return (p.kh + p.stride + 1) >> 1;
}


@inline
function interleave_low(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
}


@inline
function interleave_high(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
}


@inline
function store_pairs(to: usize, strip: usize, a: usize, b: usize): void {
  const a0 = v128.load8x8_s(a),
    b0 = v128.load8x8_s(b);
  v128.store(to, interleave_low(a0, b0));
  v128.store(to + strip, interleave_high(a0, b0));
  const a1 = v128.load8x8_s(a, 8),
    b1 = v128.load8x8_s(b, 8);
  v128.store(to + strip * 2, interleave_low(a1, b1));
  v128.store(to + strip * 3, interleave_high(a1, b1));
}

/** Sixteen int8 channels from `oc` on, of the inputs of output rows oy and oy + 1, columns [left, right). */
export function fill_strips_s8(p: ConvParams, oy: i32, left: i32, right: i32, oc: i32): void {
  const zero = p.scratch,
    strip = <usize>p.scratchRowStride;
  v128.store(zero, i8x16.splat(<i8>p.inputZeroPoint));
  const columns = strip_columns(p, left, right),
    pairs = strip_pairs(p);
  const ix = left * p.stride - p.padLeft;
  const before = min(max(-ix, 0), columns);
  const inside = max(min(p.iw - ix, columns), before);
  const from = p.input + <usize>(max(ix, 0) * p.ic + oc);
  const pixel = (<usize>pairs) << 4;
  let iy = oy * p.stride - p.padTop;
  let row = p.scratch + STRIPS;
  for (let n = 0; n < pairs; n++, iy += 2, row += 16) {
    // A row of padding is one pixel of it, again and again.
    let a = zero,
      b = zero;
    let aStep: usize = 0,
      bStep: usize = 0;
    if (<u32>iy < <u32>p.ih) {
      a = from + <usize>iy * <usize>p.inputRowStride;
      aStep = <usize>p.ic;
    }
    if (<u32>(iy + 1) < <u32>p.ih) {
      b = from + <usize>(iy + 1) * <usize>p.inputRowStride;
      bStep = <usize>p.ic;
    }
    let to = row,
      x = 0;
    for (; x < before; x++, to += pixel) store_pairs(to, strip, zero, zero);
    for (; x < inside; x++, to += pixel, a += aStep, b += bStep) store_pairs(to, strip, a, b);
    for (; x < columns; x++, to += pixel) store_pairs(to, strip, zero, zero);
  }
}


@inline
function store_four(to: usize, strip: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, a);
  v128.store(to + strip, b);
  v128.store(to + strip * 2, c);
  v128.store(to + strip * 3, d);
}


@inline
function fill_zeros(from: usize, to: usize, strip: usize): usize {
  const zero = f32x4.splat(0);
  for (; from < to; from += 16) store_four(from, strip, zero, zero, zero, zero);
  return to;
}

/** Sixteen f32 channels from `oc` on, of the inputs of output rows oy and oy + 1, columns [left, right). */
export function fill_strips_f32(p: ConvParams, oy: i32, left: i32, right: i32, oc: i32): void {
  const strip = <usize>p.scratchRowStride;
  const columns = strip_columns(p, left, right);
  const ix = left * p.stride - p.padLeft;
  const before = min(max(-ix, 0), columns);
  const inside = max(min(p.iw - ix, columns), before);
  const pixel = (<usize>p.ic) << 2;
  const from = p.input + <usize>max(ix, 0) * pixel + ((<usize>oc) << 2);
  let iy = oy * p.stride - p.padTop;
  let to = p.scratch + STRIPS;
  for (let n = p.kh + p.stride; n > 0; n--, iy++) {
    const rowEnd = to + ((<usize>columns) << 4);
    if (<u32>iy < <u32>p.ih) {
      const pixelsEnd = to + ((<usize>inside) << 4);
      to = fill_zeros(to, to + ((<usize>before) << 4), strip);
      let x = from + <usize>iy * <usize>p.inputRowStride;
      for (; to < pixelsEnd; to += 16, x += pixel) {
        store_four(to, strip, v128.load(x), v128.load(x, 16), v128.load(x, 32), v128.load(x, 48));
      }
    }
    to = fill_zeros(to, rowEnd, strip);
  }
}
