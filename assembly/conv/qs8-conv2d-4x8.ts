/**
 * int8 direct convolution, any kernel, any stride, any channel count.
 *
 *   acc[y,x,o] = bias[o] + sum_{u,v,i} IFM[y*s+u-padTop, x*s+v-padLeft, i] * filter[o,u,v,i]    (mod 2^32)
 *   OFM[y,x,o] = requantise(acc, multiplier[o] or negative[o], residual)                        docs/quantization.md
 *
 * Layout   IFM, OFM, residual int8 NHWC, row strides in bytes from the descriptor. Padding has the value of the input's zero point;
 *          the bias holds - zeroPoint * sum(filter) already, so raw input values are multiplied.
 *          Filter packed int16 [oc/8][kh][K2][8 outputs][2], K2 = ceil(kw*ic / 2): two consecutive values of the flattened (v, i) row
 *          for eight output channels; an odd row is padded with a zero weight, so channels need no padding of their own.
 * Tile     4 pixels x 8 output channels: 8 accumulators + 2 filter vectors + 1 broadcast input pair = 11 live vectors + temporaries.
 * Scratch  kh * scratchRowStride bytes (line-buffer.ts).
 * Aliasing none allowed between input and output. The residual may be the output itself.
 * Bounds   |pair| <= 2 * 128 * 127 fits; accumulators wrap modulo 2^32 as the oracle's do.
 * Tails    ow % 4: the last group computes pixels that are not stored; oc % 8: packed filter, bias and multipliers are zero-padded
 *          and the store is cut. Loads reach at most 15 bytes past the input and 3 past the residual.
 * Test     test/kernels/qs8-conv2d.test.ts
 */
import { ConvParams } from "../common/conv-params";
import { epilogue_s8_4x4 } from "../common/epilogue-s8";
import { fill_row_s16 } from "./line-buffer";

export function qs8_conv2d_4x8(p: ConvParams): void {
  const kh = p.kh;
  const pairs = (p.kw * p.ic + 1) >> 1;
  const pixelStep = (<usize>(p.stride * p.ic)) << 1;
  const blockBytes = (<usize>(kh * pairs)) << 5;
  let filled = 0;
  for (let oy = p.rowBegin; oy < p.rowEnd; oy++) {
    const top = oy * p.stride;
    filled = max(filled, top);
    for (; filled < top + kh; filled++) {
      fill_row_s16(p, filled, p.scratch + <usize>((filled % kh) * p.scratchRowStride));
    }
    let filter = p.filter;
    for (let oc = 0; oc < p.oc; oc += 8, filter += blockBytes) {
      conv_row(p, oy, oc, filter, top, pairs, pixelStep);
    }
  }
}

/** One output row for eight output channels. */
function conv_row(p: ConvParams, oy: i32, oc: i32, filter: usize, top: i32, pairs: i32, pixelStep: usize): void {
  const ow = p.ow,
    kh = p.kh;
  const bias = p.bias + ((<usize>oc) << 2);
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
    let w = filter;
    for (let ky = 0; ky < kh; ky++) {
      let x0 = p.scratch + <usize>(((top + ky) % kh) * p.scratchRowStride) + column;
      let x1 = x0 + pixelStep;
      let x2 = x1 + pixelStep;
      let x3 = x2 + pixelStep;
      const end = w + ((<usize>pairs) << 5);
      do {
        const w0 = v128.load(w),
          w1 = v128.load(w, 16);
        const a0 = v128.load32_splat(x0);
        c00 = i32x4.add(c00, i32x4.dot_i16x8_s(a0, w0));
        c01 = i32x4.add(c01, i32x4.dot_i16x8_s(a0, w1));
        const a1 = v128.load32_splat(x1);
        c10 = i32x4.add(c10, i32x4.dot_i16x8_s(a1, w0));
        c11 = i32x4.add(c11, i32x4.dot_i16x8_s(a1, w1));
        const a2 = v128.load32_splat(x2);
        c20 = i32x4.add(c20, i32x4.dot_i16x8_s(a2, w0));
        c21 = i32x4.add(c21, i32x4.dot_i16x8_s(a2, w1));
        const a3 = v128.load32_splat(x3);
        c30 = i32x4.add(c30, i32x4.dot_i16x8_s(a3, w0));
        c31 = i32x4.add(c31, i32x4.dot_i16x8_s(a3, w1));
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
        w += 32;
      } while (w < end);
    }
    epilogue_s8_4x4(p, oy, ox, oc, c00, c10, c20, c30);
    if (oc + 4 < p.oc) epilogue_s8_4x4(p, oy, ox, oc + 4, c01, c11, c21, c31);
  }
}
