/**
 * f32 direct convolution, any kernel, any stride, any channel count.
 *
 *   OFM[y,x,o] = clamp( act( bias[o] + sum_{u,v,i} IFM[y*s+u-padTop, x*s+v-padLeft, i] * filter[o,u,v,i] ) + residual )
 *
 * The sum runs in the order u, v, i with one rounding per multiplication and one per addition (no FMA): the order does not depend on the
 * position, so tiles of a picture give the same bits as the whole. act is the identity or PReLU (`negative` holds the slopes).
 *
 * Layout   IFM, OFM, residual f32 NHWC, row strides in bytes. Filter packed f32 [oc/8][kh][kw*ic][8 outputs]; padding is 0.
 * Tile     4 pixels x 8 output channels: 8 accumulators + 2 filter vectors + 1 broadcast input = 11 live vectors + temporaries.
 * Scratch  kh * scratchRowStride bytes (line-buffer.ts).
 * Aliasing none between input and output; the residual may be the output itself.
 * Tails    ow % 4: surplus pixels are computed and not stored; oc % 8: zero-padded filter, cut store. Loads reach at most 12 bytes past
 *          the residual.
 * Test     test/kernels/f32-conv2d.test.ts
 */
import { ConvParams } from "../common/conv-params";
import { epilogue_f32_4x4 } from "../common/epilogue-f32";
import { fill_row_f32 } from "./line-buffer";

export function f32_conv2d_4x8(p: ConvParams): void {
  const kh = p.kh;
  const length = p.kw * p.ic;
  const pixelStep = (<usize>(p.stride * p.ic)) << 2;
  const blockBytes = (<usize>(kh * length)) << 5;
  let filled = 0;
  for (let oy = p.rowBegin; oy < p.rowEnd; oy++) {
    const top = oy * p.stride;
    filled = max(filled, top);
    for (; filled < top + kh; filled++) {
      fill_row_f32(p, filled, p.scratch + <usize>((filled % kh) * p.scratchRowStride));
    }
    let filter = p.filter;
    for (let oc = 0; oc < p.oc; oc += 8, filter += blockBytes) {
      conv_row(p, oy, oc, filter, top, length, pixelStep);
    }
  }
}

/** One output row for eight output channels. */
function conv_row(p: ConvParams, oy: i32, oc: i32, filter: usize, top: i32, length: i32, pixelStep: usize): void {
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
      const end = w + ((<usize>length) << 5);
      do {
        const w0 = v128.load(w),
          w1 = v128.load(w, 16);
        const a0 = v128.load32_splat(x0);
        c00 = f32x4.add(c00, f32x4.mul(a0, w0));
        c01 = f32x4.add(c01, f32x4.mul(a0, w1));
        const a1 = v128.load32_splat(x1);
        c10 = f32x4.add(c10, f32x4.mul(a1, w0));
        c11 = f32x4.add(c11, f32x4.mul(a1, w1));
        const a2 = v128.load32_splat(x2);
        c20 = f32x4.add(c20, f32x4.mul(a2, w0));
        c21 = f32x4.add(c21, f32x4.mul(a2, w1));
        const a3 = v128.load32_splat(x3);
        c30 = f32x4.add(c30, f32x4.mul(a3, w0));
        c31 = f32x4.add(c31, f32x4.mul(a3, w1));
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
        w += 32;
      } while (w < end);
    }
    epilogue_f32_4x4(p, oy, ox, oc, c00, c10, c20, c30);
    if (oc + 4 < p.oc) epilogue_f32_4x4(p, oy, ox, oc + 4, c01, c11, c21, c31);
  }
}
