/**
 * Direct convolution with stride 1 for few output channels (SESR's last layer has four): the lanes are pixels, the filter is broadcast, so
 * that four channels fill a tile as well as eight pixels do in conv2d-4x8.ts. Same sums, in the same order.
 *
 * Layout   Filter packed [kh][kw][planes][4 outputs] f32, or [4 outputs][2] int16; planes are channels, or pairs of them (int8). Everything
 *          else as in conv2d-4x8.ts.
 * Tile     8 pixels x 4 output channels: 8 accumulators + 2 input vectors + 4 broadcasts (V8 before 12 hoists their loads) = 14 live vectors
 *          + a temporary. A step is a plane, or a kernel column where there is one plane only.
 * Scratch  kh rows, p.scratchRowStride apart, each of whole fours of planes with the row's columns, padding included, 4 bytes each.
 *          Row t (0 = the topmost padding row) lies in slot t mod kh.
 * Aliasing none between input and output. The residual may be the output itself.
 * Bounds   as in conv2d-4x8.ts.
 * Tails    ow % 8: computed and not stored; oc < 4: packed filter, bias and multipliers are zero-padded and the store is cut. Missing channels
 *          of the last four planes are the next pixel's; those that a step reads (an odd int8 channel) meet a zero filter. Loads
 *          reach at most 12 bytes past the input.
 * Test     test/kernels/qs8-conv2d.test.ts, test/kernels/f32-conv2d.test.ts
 */
import { assert_geometry, ConvParams } from "../common/conv-params";
import { epilogue_f32_4x4 } from "../common/epilogue-f32";
import { epilogue_s8_4x4 } from "../common/epilogue-s8";
import { multiply_accumulate } from "../common/multiply-accumulate";
import { high_32, high_64, load_four, low_32, low_64 } from "../common/transpose";

export function qs8_conv2d_8x4(p: ConvParams): void {
  conv2d<i16>(p);
}

export function f32_conv2d_8x4(p: ConvParams): void {
  conv2d<f32>(p);
}


@inline
function conv2d<T>(p: ConvParams): void {
  assert_geometry(p);
  assert(p.stride == 1 && p.oc <= 4, "layer: expected stride 1 and at most 4 output channels");
  const planes = isFloat<T>() ? p.ic : (p.ic + 1) >> 1;
  const planeBytes = <usize>(p.scratchRowStride / ((planes + 3) & ~3));
  let filled = 0;
  for (let oy = p.rowBegin; oy < p.rowEnd; oy++) {
    filled = max(filled, oy);
    for (; filled < oy + p.kh; filled++) fill_row<T>(p, filled, planes, planeBytes);
    conv_row<T>(p, oy, planes, planeBytes);
  }
}

/** `count` columns of padding in every plane, from column address `to` on. */
function fill_padding(to: usize, count: i32, planes: i32, planeBytes: usize, value: i32): void {
  for (; planes > 0; planes--, to += planeBytes) {
    let at = to;
    for (let n = count; n > 0; n--, at += 4) store<i32>(at, value);
  }
}

/** Row t of the padded input, four pixels at a time transposed. */
function fill_row<T>(p: ConvParams, t: i32, planes: i32, planeBytes: usize): void {
  const columns = ((p.ow + 7) & ~7) + p.kw - 1;
  const padding = isFloat<T>() ? 0 : (p.inputZeroPoint & 0xffff) * 0x10001;
  const row = p.scratch + <usize>((t % p.kh) * p.scratchRowStride);
  const iy = t - p.padTop;
  if (iy < 0 || iy >= p.ih) {
    fill_padding(row, columns, planes, planeBytes, padding);
    return;
  }
  const bytes: usize = isFloat<T>() ? 4 : 1;
  const pixel = <usize>p.ic * bytes;
  const first = p.input + <usize>iy * <usize>p.inputRowStride;
  const last = first + <usize>(p.iw - 1) * pixel;
  let column = row + ((<usize>p.padLeft) << 2);
  for (let x = first; x <= last; x += pixel << 2, column += 16) {
    let x0 = x,
      x1 = min(x0 + pixel, last),
      x2 = min(x0 + pixel * 2, last),
      x3 = min(x0 + pixel * 3, last);
    let to = column;
    for (let n = planes; n > 0; n -= 4, to += planeBytes << 2) {
      const v0 = load_four<T>(x0),
        v1 = load_four<T>(x1),
        v2 = load_four<T>(x2),
        v3 = load_four<T>(x3);
      const l01 = low_32(v0, v1),
        l23 = low_32(v2, v3),
        h01 = high_32(v0, v1),
        h23 = high_32(v2, v3);
      v128.store(to, low_64(l01, l23));
      v128.store(to + planeBytes, high_64(l01, l23));
      v128.store(to + planeBytes * 2, low_64(h01, h23));
      v128.store(to + planeBytes * 3, high_64(h01, h23));
      const step: usize = isFloat<T>() ? 16 : 8;
      x0 += step;
      x1 += step;
      x2 += step;
      x3 += step;
    }
  }
  // The last four pixels may have run into the padding on the right, so that comes last.
  fill_padding(row, p.padLeft, planes, planeBytes, padding);
  const behind = p.padLeft + p.iw;
  fill_padding(row + ((<usize>behind) << 2), columns - behind, planes, planeBytes, padding);
}


@inline
function store_pixels<T>(p: ConvParams, oy: i32, ox: i32, c0: v128, c1: v128, c2: v128, c3: v128): void {
  const l01 = low_32(c0, c1),
    l23 = low_32(c2, c3),
    h01 = high_32(c0, c1),
    h23 = high_32(c2, c3);
  const a0 = low_64(l01, l23),
    a1 = high_64(l01, l23),
    a2 = low_64(h01, h23),
    a3 = high_64(h01, h23);
  if (isFloat<T>()) epilogue_f32_4x4(p, oy, ox, p.ow, 0, a0, a1, a2, a3);
  else epilogue_s8_4x4(p, oy, ox, p.ow, 0, a0, a1, a2, a3);
}

/** One output row. */
function conv_row<T>(p: ConvParams, oy: i32, planes: i32, planeBytes: usize): void {
  const ow = p.ow,
    kh = p.kh;
  const single = planes == 1;
  const turns = single ? 1 : p.kw;
  const panel = (<usize>(single ? p.kw : planes)) << 4;
  const step: usize = single ? 4 : planeBytes;
  const rowStride = <usize>p.scratchRowStride;
  const ring = p.scratch,
    ringEnd = ring + <usize>kh * rowStride;
  const firstRow = ring + <usize>(oy % kh) * rowStride;
  for (let ox = 0; ox < ow; ox += 8) {
    let a0 = v128.load32_splat(p.bias),
      b0 = v128.load32_splat(p.bias, 4),
      c0 = v128.load32_splat(p.bias, 8),
      d0 = v128.load32_splat(p.bias, 12);
    let a1 = a0,
      b1 = b0,
      c1 = c0,
      d1 = d0;
    let w = p.filter,
      row = firstRow;
    for (let u = 0; u < kh; u++) {
      let column = row + ((<usize>ox) << 2);
      row += rowStride;
      if (row == ringEnd) row = ring;
      for (let v = 0; v < turns; v++, column += 4) {
        let x = column;
        const end = w + panel;
        do {
          const x0 = v128.load(x),
            x1 = v128.load(x, 16);
          const wa = v128.load32_splat(w);
          a0 = multiply_accumulate<T>(a0, x0, wa);
          a1 = multiply_accumulate<T>(a1, x1, wa);
          const wb = v128.load32_splat(w, 4);
          b0 = multiply_accumulate<T>(b0, x0, wb);
          b1 = multiply_accumulate<T>(b1, x1, wb);
          const wc = v128.load32_splat(w, 8);
          c0 = multiply_accumulate<T>(c0, x0, wc);
          c1 = multiply_accumulate<T>(c1, x1, wc);
          const wd = v128.load32_splat(w, 12);
          d0 = multiply_accumulate<T>(d0, x0, wd);
          d1 = multiply_accumulate<T>(d1, x1, wd);
          x += step;
          w += 16;
        } while (w < end);
      }
    }
    store_pixels<T>(p, oy, ox, a0, b0, c0, d0);
    if (ox + 4 < ow) store_pixels<T>(p, oy, ox + 4, a1, b1, c1, d1);
  }
}
