/**
 * Pointwise convolution: 1x1 kernels, any stride, any channel count; int8 and f32. As conv2d-4x8.ts, sums and their order included, but each
 * output row is first copied into panels of four pixels, whose values the inner loop finds next to each other: one pointer instead of
 * four, and no padding to look after. The copy is made once a row and read by oc / 8 blocks.
 *
 * Layout   As there with kh = kw = 1. Panels [ow/4][steps rounded up to 4][4 pixels]: f32, or int16 in pairs of channels.
 * Tile     4 pixels x 8 output channels: 8 accumulators + 2 filter vectors + 4 broadcasts (V8 before 12 hoists their loads) = 14 live vectors
 *          + a temporary.
 * Scratch  a row of panels, p.scratchRowStride bytes each.
 * Tails    ow % 4: the last pixel stands in for those that are missing, and they are not stored; ic: an odd channel is met by a zero
 *          filter (int8); oc % 8 as there. Loads reach at most 12 bytes past the input.
 * Test     test/kernels/pointwise.test.ts
 */
import { assert_geometry, ConvParams } from "../common/conv-params";
import { epilogue_f32_4x8 } from "../common/epilogue-f32";
import { epilogue_s8_4x8 } from "../common/epilogue-s8";
import { multiply_accumulate } from "../common/multiply-accumulate";
import { high_32, high_64, load_four, low_32, low_64 } from "../common/transpose";

export function qs8_conv2d_1x1_4x8(p: ConvParams): void {
  pointwise<i16>(p);
}

export function f32_conv2d_1x1_4x8(p: ConvParams): void {
  pointwise<f32>(p);
}


@inline
function pointwise<T>(p: ConvParams): void {
  assert_geometry(p);
  assert(p.kh == 1 && p.kw == 1, "kernel: expected 1x1");
  const steps = isFloat<T>() ? p.ic : (p.ic + 1) >> 1;
  const blockBytes = (<usize>steps) << 5;
  for (let oy = p.rowBegin; oy < p.rowEnd; oy++) {
    fill_panels<T>(p, oy, steps);
    let filter = p.filter;
    for (let oc = 0; oc < p.oc; oc += 8, filter += blockBytes) tile_row<T>(p, oy, oc, filter, blockBytes);
  }
}

/** The inputs of output row `oy`, four pixels at a time transposed. */
function fill_panels<T>(p: ConvParams, oy: i32, steps: i32): void {
  const bytes: usize = isFloat<T>() ? 4 : 1;
  const pixel = <usize>(p.stride * p.ic) * bytes;
  const row = p.input + <usize>(oy * p.stride) * <usize>p.inputRowStride;
  const last = row + <usize>(p.ow - 1) * pixel;
  let panel = p.scratch;
  for (let x = row; x <= last; x += pixel << 2, panel += <usize>p.scratchRowStride) {
    let x0 = x,
      x1 = min(x0 + pixel, last),
      x2 = min(x0 + pixel * 2, last),
      x3 = min(x0 + pixel * 3, last);
    let to = panel;
    for (let n = steps; n > 0; n -= 4, to += 64) {
      const v0 = load_four<T>(x0),
        v1 = load_four<T>(x1),
        v2 = load_four<T>(x2),
        v3 = load_four<T>(x3);
      const l01 = low_32(v0, v1),
        l23 = low_32(v2, v3),
        h01 = high_32(v0, v1),
        h23 = high_32(v2, v3);
      v128.store(to, low_64(l01, l23));
      v128.store(to, high_64(l01, l23), 16);
      v128.store(to, low_64(h01, h23), 32);
      v128.store(to, high_64(h01, h23), 48);
      const step: usize = isFloat<T>() ? 16 : 8;
      x0 += step;
      x1 += step;
      x2 += step;
      x3 += step;
    }
  }
}

/** One output row for eight output channels. */
function tile_row<T>(p: ConvParams, oy: i32, oc: i32, filter: usize, blockBytes: usize): void {
  const ow = p.ow;
  const bias = p.bias + ((<usize>oc) << 2);
  const end = filter + blockBytes;
  let panel = p.scratch;
  for (let ox = 0; ox < ow; ox += 4, panel += <usize>p.scratchRowStride) {
    let c00 = v128.load(bias),
      c01 = v128.load(bias, 16);
    let c10 = c00,
      c11 = c01,
      c20 = c00,
      c21 = c01,
      c30 = c00,
      c31 = c01;
    let w = filter,
      x = panel;
    do {
      const w0 = v128.load(w),
        w1 = v128.load(w, 16);
      const a0 = v128.load32_splat(x);
      c00 = multiply_accumulate<T>(c00, a0, w0);
      c01 = multiply_accumulate<T>(c01, a0, w1);
      const a1 = v128.load32_splat(x, 4);
      c10 = multiply_accumulate<T>(c10, a1, w0);
      c11 = multiply_accumulate<T>(c11, a1, w1);
      const a2 = v128.load32_splat(x, 8);
      c20 = multiply_accumulate<T>(c20, a2, w0);
      c21 = multiply_accumulate<T>(c21, a2, w1);
      const a3 = v128.load32_splat(x, 12);
      c30 = multiply_accumulate<T>(c30, a3, w0);
      c31 = multiply_accumulate<T>(c31, a3, w1);
      x += 16;
      w += 32;
    } while (w < end);
    if (isFloat<T>()) epilogue_f32_4x8(p, oy, ox, ow, oc, c00, c10, c20, c30, c01, c11, c21, c31);
    else epilogue_s8_4x8(p, oy, ox, ow, oc, c00, c10, c20, c30, c01, c11, c21, c31);
  }
}
