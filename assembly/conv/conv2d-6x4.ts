/**
 * Direct convolution for few output channels where conv2d-8x4.ts does not serve (stride 2, 1x1, one or three int8 input channels): as
 * conv2d-4x8.ts with the tile turned, 6 pixels x 4 output channels, so that a layer of four channels wastes no lanes.
 *
 * Layout   Filter packed [oc/4][kh][K][4 outputs], for int8 [oc/4][kh][ceil(K/2)][4 outputs][2]; everything else, the order of the sum
 *          included, as in conv2d-4x8.ts.
 * Tile     6 accumulators + 1 filter vector + 6 broadcast inputs = 13 live vectors: V8 hoists all loads of a step, so eight pixels spill.
 * Tails    ow % 6, oc % 4 as there.
 * Test     test/kernels/qs8-conv2d.test.ts, test/kernels/f32-conv2d.test.ts
 */
import { assert_geometry, ConvParams } from "../common/conv-params";
import { epilogue_f32_4x4, epilogue_f32_4x4_tail } from "../common/epilogue-f32";
import { epilogue_s8_4x4, epilogue_s8_4x4_tail } from "../common/epilogue-s8";
import { multiply_accumulate } from "../common/multiply-accumulate";
import { fill_rows, first_row, row_steps } from "./line-buffer";

export function qs8_conv2d_6x4(p: ConvParams): void {
  conv2d<i16>(p);
}

export function f32_conv2d_6x4(p: ConvParams): void {
  conv2d<f32>(p);
}


@inline
function conv2d<T>(p: ConvParams): void {
  assert_geometry(p);
  const steps = row_steps<T>(p);
  const blockBytes = (<usize>(p.kh * steps)) << 4;
  let filled = 0;
  for (let oy = p.rowBegin; oy < p.rowEnd; oy++) {
    filled = fill_rows<T>(p, oy, filled);
    let filter = p.filter;
    for (let oc = 0; oc < p.oc; oc += 4, filter += blockBytes) conv_row<T>(p, oy, oc, filter, steps);
  }
}

/** One output row for four output channels. */
function conv_row<T>(p: ConvParams, oy: i32, oc: i32, filter: usize, steps: i32): void {
  const ow = p.ow,
    kh = p.kh;
  const pixelStep = <usize>(p.stride * p.ic) * sizeof<T>();
  const panel = (<usize>steps) << 4;
  const bias = p.bias + ((<usize>oc) << 2);
  const first = first_row(p, oy),
    rowStride = <usize>p.scratchRowStride;
  const ring = p.scratch,
    ringEnd = ring + <usize>kh * rowStride;
  let column: usize = 0;
  for (let ox = 0; ox < ow; ox += 6, column += pixelStep * 6) {
    let c0 = v128.load(bias);
    let c1 = c0,
      c2 = c0,
      c3 = c0,
      c4 = c0,
      c5 = c0;
    let w = filter,
      row = first;
    for (let ky = 0; ky < kh; ky++) {
      let x0 = row + column;
      row += rowStride;
      if (row == ringEnd) row = ring;
      let x3 = x0 + pixelStep * 3;
      const end = w + panel;
      do {
        const w0 = v128.load(w);
        c0 = multiply_accumulate<T>(c0, v128.load32_splat(x0), w0);
        c1 = multiply_accumulate<T>(c1, v128.load32_splat(x0 + pixelStep), w0);
        c2 = multiply_accumulate<T>(c2, v128.load32_splat(x0 + pixelStep * 2), w0);
        c3 = multiply_accumulate<T>(c3, v128.load32_splat(x3), w0);
        c4 = multiply_accumulate<T>(c4, v128.load32_splat(x3 + pixelStep), w0);
        c5 = multiply_accumulate<T>(c5, v128.load32_splat(x3 + pixelStep * 2), w0);
        x0 += 4;
        x3 += 4;
        w += 16;
      } while (w < end);
    }
    if (isFloat<T>()) {
      epilogue_f32_4x4(p, oy, ox, ow, oc, c0, c1, c2, c3);
      if (ox + 4 < ow) epilogue_f32_4x4_tail(p, oy, ox + 4, min(ow, ox + 6), oc, c4, c5, c5, c5);
    } else {
      epilogue_s8_4x4(p, oy, ox, ow, oc, c0, c1, c2, c3);
      if (ox + 4 < ow) epilogue_s8_4x4_tail(p, oy, ox + 4, min(ow, ox + 6), oc, c4, c5, c5, c5);
    }
  }
}
