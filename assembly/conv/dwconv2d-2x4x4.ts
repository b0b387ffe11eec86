/**
 * Depthwise convolution, channel multiplier 1, any kernel, any stride, any channel count; int8 and f32.
 *
 *   acc[y,x,c] = bias[c] + sum_{u,v} IFM[y*s+u-padTop, x*s+v-padLeft, c] * filter[c,u,v]
 *   int8  OFM = requantise(acc, multiplier[c] or negative[c], residual), acc modulo 2^32           docs/quantization.md
 *   f32   OFM = clamp(act(acc) + residual), act the identity or PReLU (`negative` holds the slopes)
 *
 * f32 sums run in the order u, v with one rounding a multiplication and one an addition (no FMA), wherever the pixel lies, and nothing but
 * its own kh * kw products enters a sum: tiles of a picture give the same bits as the whole, infinities and NaN included.
 *
 * Layout   IFM, OFM, residual NHWC with ic = oc, row strides in bytes from the descriptor. Padding is real zero: in int8 the input's zero
 *          point, and the bias holds - zeroPoint * sum(filter) already, so raw input values are multiplied.
 *          f32 filter [oc/4][kh][kw][4 channels].
 *          int8 filter [oc/4][kw][pairs][2][4 channels][2] int16: for each pair of the strip's rows (strips.ts) the taps that the upper output
 *          row has there, then those of the lower one, `stride` rows further down; zero where a row has none. So an odd kernel height
 *          costs one row of zero products, and two rows of outputs share every load.
 * Tile     2 rows x 4 pixels x 4 channels: 8 accumulators + 2 filter vectors + up to 4 input vectors (V8 before 12 hoists their loads) = 14 live
 *          vectors + a temporary; int8 one pair of rows and one column a step, the window's steps being contiguous in the strip; f32 one
 *          tap a step, first the rows that only the upper output has (4 accumulators), then those of both, then those of the lower.
 * Scratch  STRIPS bytes, 4 strips p.scratchRowStride apart, [2][p.tileColumns][16] sums of 4 bytes.
 * Aliasing none between input and output. The residual may be the output itself.
 * Bounds   |pair| <= 2 * 128 * 127 fits; int8 accumulators wrap modulo 2^32 as the oracle's do.
 * Tails    ow % 4, an odd last row: computed and not stored; oc % 4: packed filter, bias and multipliers are zero-padded and the store is
 *          cut. Loads reach at most 60 bytes past the input and 15 past output and residual.
 * Test     test/kernels/depthwise.test.ts
 */
import { assert_geometry, ConvParams } from "../common/conv-params";
import { multiply_accumulate } from "../common/multiply-accumulate";
import { fill_strips_f32, fill_strips_s8, STRIP_CHANNELS, strip_columns, strip_pairs, STRIPS } from "./strips";
import { finish_row_f32, finish_row_s8, SUMS_PIXEL } from "./sums";

export function qs8_dwconv2d_2x4x4(p: ConvParams): void {
  dwconv2d<i8>(p);
}

export function f32_dwconv2d_2x4x4(p: ConvParams): void {
  dwconv2d<f32>(p);
}


@inline
function dwconv2d<T>(p: ConvParams): void {
  assert_geometry(p);
  assert(p.ic == p.oc, "channels: expected as many outputs as inputs");
  assert(p.tileColumns > 0 && (p.tileColumns & 3) == 0, "tileColumns: expected a positive multiple of 4");
  const filterBytes = isFloat<T>() ? (<usize>(p.kh * p.kw)) << 4 : (<usize>(strip_pairs(p) * p.kw)) << 5;
  const upper = p.scratch + STRIPS + ((<usize>p.scratchRowStride) << 2);
  const lower = upper + <usize>p.tileColumns * SUMS_PIXEL;
  let touched = 0;
  for (let oy = p.rowBegin; oy < p.rowEnd; oy += 2) {
    touched = touch_rows<T>(p, oy, touched);
    for (let left = 0; left < p.ow; left += p.tileColumns) {
      const right = min(p.ow, left + p.tileColumns);
      let filter = p.filter;
      for (let oc = 0; oc < p.oc; oc += STRIP_CHANNELS) {
        if (isFloat<T>()) fill_strips_f32(p, oy, left, right, oc);
        else fill_strips_s8(p, oy, left, right, oc);
        const end = min(p.oc, oc + STRIP_CHANNELS);
        let strip = p.scratch + STRIPS,
          sums = upper;
        for (let c = oc; c < end; c += 4, filter += filterBytes, sums += 16) {
          if (isFloat<T>()) tile_f32(p, left, right, c, strip, filter, sums);
          else tile_s8(p, left, right, c, strip, filter, filterBytes, sums);
          strip += <usize>p.scratchRowStride;
        }
        if (isFloat<T>()) {
          finish_row_f32(p, oy, left, right, oc, upper);
          if (oy + 1 < p.rowEnd) finish_row_f32(p, oy + 1, left, right, oc, lower);
        } else {
          finish_row_s8(p, oy, left, right, oc, upper);
          if (oy + 1 < p.rowEnd) finish_row_s8(p, oy + 1, left, right, oc, lower);
        }
      }
    }
  }
}

/** Reads one value a cache line. The result keeps the compiler from dropping the loads. */
@inline
function touch(from: usize, end: usize): v128 {
  let sum = i32x4.splat(0);
  for (; from < end; from += 64) sum = v128.or(sum, v128.load(from));
  return sum;
}

/**
 * Brings the input of output rows oy and oy + 1 from row `touched` on, and those rows themselves, near in the order of their addresses.
 * Strips and sums visit them sixteen channels at a time, in steps of a pixel, which hardware prefetchers do not follow: f32 maps
 * that live in the third cache took 1.4 times as long without, int8 maps up to 1.1 times. Returns the first row not yet read.
 */
function touch_rows<T>(p: ConvParams, oy: i32, touched: i32): i32 {
  const top = oy * p.stride - p.padTop;
  const from = max(touched, top),
    to = min(p.ih, top + p.kh + p.stride);
  let sum = i32x4.splat(0);
  for (let iy = max(from, 0); iy < to; iy++) {
    const row = p.input + <usize>iy * <usize>p.inputRowStride;
    sum = v128.or(sum, touch(row, row + <usize>(p.iw * p.ic) * sizeof<T>()));
  }
  const rows = min(p.rowEnd, oy + 2);
  for (let y = oy; y < rows; y++) {
    const row = p.output + <usize>y * <usize>p.outputRowStride;
    sum = v128.or(sum, touch(row, row + <usize>(p.ow * p.oc) * sizeof<T>()));
  }
  v128.store(p.scratch, sum);
  return max(touched, to);
}

/** The sums of four channels of two output rows. */
@inline
function store_sums(
  upper: usize,
  lower: usize,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
  b0: v128,
  b1: v128,
  b2: v128,
  b3: v128,
): void {
  v128.store(upper, a0);
  v128.store(upper, a1, SUMS_PIXEL);
  v128.store(upper, a2, SUMS_PIXEL * 2);
  v128.store(upper, a3, SUMS_PIXEL * 3);
  v128.store(lower, b0);
  v128.store(lower, b1, SUMS_PIXEL);
  v128.store(lower, b2, SUMS_PIXEL * 2);
  v128.store(lower, b3, SUMS_PIXEL * 3);
}

/** int8: sums of channels [oc, oc + 4) of both rows, columns [left, right). */
function tile_s8(
  p: ConvParams,
  left: i32,
  right: i32,
  oc: i32,
  strip: usize,
  filter: usize,
  filterBytes: usize,
  sums: usize,
): void {
  const bias = p.bias + ((<usize>oc) << 2);
  const end = filter + filterBytes;
  const step = (<usize>(strip_pairs(p) * p.stride)) << 4;
  const below = <usize>p.tileColumns * SUMS_PIXEL;
  for (let ox = left; ox < right; ox += 4, strip += step << 2, sums += SUMS_PIXEL * 4) {
    let a0 = v128.load(bias);
    let a1 = a0,
      a2 = a0,
      a3 = a0,
      b0 = a0,
      b1 = a0,
      b2 = a0,
      b3 = a0;
    let w = filter,
      x = strip;
    do {
      const wa = v128.load(w),
        wb = v128.load(w, 16);
      const x0 = v128.load(x);
      a0 = multiply_accumulate<i16>(a0, x0, wa);
      b0 = multiply_accumulate<i16>(b0, x0, wb);
      const x1 = v128.load(x + step);
      a1 = multiply_accumulate<i16>(a1, x1, wa);
      b1 = multiply_accumulate<i16>(b1, x1, wb);
      const x2 = v128.load(x + step * 2);
      a2 = multiply_accumulate<i16>(a2, x2, wa);
      b2 = multiply_accumulate<i16>(b2, x2, wb);
      const x3 = v128.load(x + step * 3);
      a3 = multiply_accumulate<i16>(a3, x3, wa);
      b3 = multiply_accumulate<i16>(b3, x3, wb);
      x += 16;
      w += 32;
    } while (w < end);
    store_sums(sums, sums + below, a0, a1, a2, a3, b0, b1, b2, b3);
  }
}

/** f32: sums of channels [oc, oc + 4) of both rows, columns [left, right). */
function tile_f32(p: ConvParams, left: i32, right: i32, oc: i32, strip: usize, filter: usize, sums: usize): void {
  const bias = p.bias + ((<usize>oc) << 2);
  const kh = p.kh,
    stride = p.stride;
  const alone = min(stride, kh);
  const kernelRow = (<usize>p.kw) << 4,
    rowBytes = (<usize>strip_columns(p, left, right)) << 4;
  const step = (<usize>stride) << 4;
  const below = <usize>p.tileColumns * SUMS_PIXEL;
  for (let ox = left; ox < right; ox += 4, strip += step << 2, sums += SUMS_PIXEL * 4) {
    let a0 = v128.load(bias);
    let a1 = a0,
      a2 = a0,
      a3 = a0,
      b0 = a0,
      b1 = a0,
      b2 = a0,
      b3 = a0;
    let u = filter,
      v = filter,
      row = strip;
    for (let n = alone; n > 0; n--, row += rowBytes) {
      const end = u + kernelRow;
      let x = row;
      do {
        const wa = v128.load(u);
        a0 = multiply_accumulate<f32>(a0, v128.load(x), wa);
        a1 = multiply_accumulate<f32>(a1, v128.load(x + step), wa);
        a2 = multiply_accumulate<f32>(a2, v128.load(x + step * 2), wa);
        a3 = multiply_accumulate<f32>(a3, v128.load(x + step * 3), wa);
        x += 16;
        u += 16;
      } while (u < end);
    }
    for (let n = kh - stride; n > 0; n--, row += rowBytes) {
      const end = u + kernelRow;
      let x = row;
      do {
        const wa = v128.load(u),
          wb = v128.load(v);
        const x0 = v128.load(x);
        a0 = multiply_accumulate<f32>(a0, x0, wa);
        b0 = multiply_accumulate<f32>(b0, x0, wb);
        const x1 = v128.load(x + step);
        a1 = multiply_accumulate<f32>(a1, x1, wa);
        b1 = multiply_accumulate<f32>(b1, x1, wb);
        const x2 = v128.load(x + step * 2);
        a2 = multiply_accumulate<f32>(a2, x2, wa);
        b2 = multiply_accumulate<f32>(b2, x2, wb);
        const x3 = v128.load(x + step * 3);
        a3 = multiply_accumulate<f32>(a3, x3, wa);
        b3 = multiply_accumulate<f32>(b3, x3, wb);
        x += 16;
        u += 16;
        v += 16;
      } while (u < end);
    }
    row = strip + rowBytes * <usize>max(kh, stride);
    for (let n = alone; n > 0; n--, row += rowBytes) {
      const end = v + kernelRow;
      let x = row;
      do {
        const wb = v128.load(v);
        b0 = multiply_accumulate<f32>(b0, v128.load(x), wb);
        b1 = multiply_accumulate<f32>(b1, v128.load(x + step), wb);
        b2 = multiply_accumulate<f32>(b2, v128.load(x + step * 2), wb);
        b3 = multiply_accumulate<f32>(b3, v128.load(x + step * 3), wb);
        x += 16;
        v += 16;
      } while (v < end);
    }
    store_sums(sums, sums + below, a0, a1, a2, a3, b0, b1, b2, b3);
  }
}
