/**
 * Direct convolution, any kernel, any stride, any channel count; int8 (T = i16, what the line buffer holds) and f32 from one source.
 *
 *   acc[y,x,o] = bias[o] + sum_{u,v,i} IFM[y*s+u-padTop, x*s+v-padLeft, i] * filter[o,u,v,i]
 *   int8  OFM = requantise(acc, multiplier[o] or negative[o], residual), acc modulo 2^32           docs/quantization.md
 *   f32   OFM = clamp(act(acc) + residual), act the identity or PReLU (`negative` holds the slopes)
 *
 * f32 sums run in the order u, v, i with one rounding a multiplication and one an addition (no FMA). The order does not depend on the
 * position, so tiles of a picture give the same bits as the whole.
 *
 * Layout   IFM, OFM, residual NHWC, row strides in bytes from the descriptor. Padding is real zero: in int8 the input's zero point, and
 *          the bias holds - zeroPoint * sum(filter) already, so raw input values are multiplied.
 *          Filter packed [oc/8][kh][K][8 outputs], K = kw*ic values of the flattened (v, i) row; for int8 int16 pairs
 *          [oc/8][kh][ceil(K/2)][8 outputs][2]. An odd row is padded with a zero weight, so channels need no padding of their own.
 * Tile     4 pixels x 8 output channels: 8 accumulators + 2 filter vectors + 1 broadcast input = 11 live vectors + temporaries.
 * Scratch  kh * scratchRowStride bytes (line-buffer.ts).
 * Aliasing none between input and output. The residual may be the output itself.
 * Bounds   |pair| <= 2 * 128 * 127 fits; int8 accumulators wrap modulo 2^32 as the oracle's do.
 * Tails    ow % 4: the last group computes pixels that are not stored; oc % 8: packed filter, bias and multipliers are zero-padded
 *          and the store is cut. Loads reach at most 15 bytes past the input and the residual.
 * Test     test/kernels/qs8-conv2d.test.ts, test/kernels/f32-conv2d.test.ts
 */
import { assert_geometry, ConvParams } from "../common/conv-params";
import { epilogue_f32_4x8 } from "../common/epilogue-f32";
import { epilogue_s8_4x8 } from "../common/epilogue-s8";
import { multiply_accumulate } from "../common/multiply-accumulate";
import { fill_rows, first_row, row_steps } from "./line-buffer";

export function qs8_conv2d_4x8(p: ConvParams): void {
  conv2d<i16>(p);
}

export function f32_conv2d_4x8(p: ConvParams): void {
  conv2d<f32>(p);
}


@inline
function conv2d<T>(p: ConvParams): void {
  assert_geometry(p);
  const steps = row_steps<T>(p);
  const blockBytes = (<usize>(p.kh * steps)) << 5;
  let filled = 0;
  for (let oy = p.rowBegin; oy < p.rowEnd; oy++) {
    filled = fill_rows<T>(p, oy, filled);
    let filter = p.filter;
    for (let oc = 0; oc < p.oc; oc += 8, filter += blockBytes) conv_row<T>(p, oy, oc, filter, steps);
  }
}

/** One output row for eight output channels. */
function conv_row<T>(p: ConvParams, oy: i32, oc: i32, filter: usize, steps: i32): void {
  const ow = p.ow,
    kh = p.kh;
  const pixelStep = <usize>(p.stride * p.ic) * sizeof<T>();
  const panel = (<usize>steps) << 5;
  const bias = p.bias + ((<usize>oc) << 2);
  const first = first_row(p, oy),
    rowStride = <usize>p.scratchRowStride;
  const ring = p.scratch,
    ringEnd = ring + <usize>kh * rowStride;
  let column: usize = 0;
  for (let ox = 0; ox < ow; ox += 4, column += pixelStep << 2) {
    let c00 = v128.load(bias),
      c01 = v128.load(bias, 16);
    let c10 = c00,
      c11 = c01,
      c20 = c00,
      c21 = c01,
      c30 = c00,
      c31 = c01;
    let w = filter,
      row = first;
    for (let ky = 0; ky < kh; ky++) {
      let x0 = row + column;
      row += rowStride;
      if (row == ringEnd) row = ring;
      let x1 = x0 + pixelStep;
      let x2 = x1 + pixelStep;
      let x3 = x2 + pixelStep;
      const end = w + panel;
      do {
        const w0 = v128.load(w),
          w1 = v128.load(w, 16);
        const a0 = v128.load32_splat(x0);
        c00 = multiply_accumulate<T>(c00, a0, w0);
        c01 = multiply_accumulate<T>(c01, a0, w1);
        const a1 = v128.load32_splat(x1);
        c10 = multiply_accumulate<T>(c10, a1, w0);
        c11 = multiply_accumulate<T>(c11, a1, w1);
        const a2 = v128.load32_splat(x2);
        c20 = multiply_accumulate<T>(c20, a2, w0);
        c21 = multiply_accumulate<T>(c21, a2, w1);
        const a3 = v128.load32_splat(x3);
        c30 = multiply_accumulate<T>(c30, a3, w0);
        c31 = multiply_accumulate<T>(c31, a3, w1);
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
        w += 32;
      } while (w < end);
    }
    if (isFloat<T>()) {
      epilogue_f32_4x8(p, oy, ox, ow, oc, c00, c10, c20, c30, c01, c11, c21, c31);
    } else {
      epilogue_s8_4x8(p, oy, ox, ow, oc, c00, c10, c20, c30, c01, c11, c21, c31);
    }
  }
}
