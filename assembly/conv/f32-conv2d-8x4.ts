/**
 * f32 direct convolution for few output channels: as f32-conv2d-4x8.ts with the tile turned, 8 pixels x 4 output channels.
 *
 * Layout   Filter packed f32 [oc/4][kh][kw*ic][4 outputs]; everything else, the order of the sum included, as in f32-conv2d-4x8.ts.
 * Tile     8 accumulators + 1 filter vector + 1 broadcast input = 10 live vectors + temporaries.
 * Tails    ow % 8, oc % 4 as there.
 * Test     test/kernels/f32-conv2d.test.ts
 */
import { ConvParams } from "../common/conv-params";
import { epilogue_f32_4x4 } from "../common/epilogue-f32";
import { fill_row_f32 } from "./line-buffer";

export function f32_conv2d_8x4(p: ConvParams): void {
  const kh = p.kh;
  const length = p.kw * p.ic;
  const pixelStep = (<usize>(p.stride * p.ic)) << 2;
  const blockBytes = (<usize>(kh * length)) << 4;
  let filled = 0;
  for (let oy = p.rowBegin; oy < p.rowEnd; oy++) {
    const top = oy * p.stride;
    filled = max(filled, top);
    for (; filled < top + kh; filled++) {
      fill_row_f32(p, filled, p.scratch + <usize>((filled % kh) * p.scratchRowStride));
    }
    let filter = p.filter;
    for (let oc = 0; oc < p.oc; oc += 4, filter += blockBytes) {
      conv_row(p, oy, oc, filter, top, length, pixelStep);
    }
  }
}

/** One output row for four output channels. */
function conv_row(p: ConvParams, oy: i32, oc: i32, filter: usize, top: i32, length: i32, pixelStep: usize): void {
  const ow = p.ow,
    kh = p.kh;
  const bias = p.bias + ((<usize>oc) << 2);
  let column: usize = 0;
  for (let ox = 0; ox < ow; ox += 8, column += pixelStep << 3) {
    let c0 = v128.load(bias);
    let c1 = c0,
      c2 = c0,
      c3 = c0,
      c4 = c0,
      c5 = c0,
      c6 = c0,
      c7 = c0;
    let w = filter;
    for (let ky = 0; ky < kh; ky++) {
      let x0 = p.scratch + <usize>(((top + ky) % kh) * p.scratchRowStride) + column;
      let x4 = x0 + (pixelStep << 2);
      const end = w + ((<usize>length) << 4);
      do {
        const w0 = v128.load(w);
        c0 = f32x4.add(c0, f32x4.mul(v128.load32_splat(x0), w0));
        c1 = f32x4.add(c1, f32x4.mul(v128.load32_splat(x0 + pixelStep), w0));
        c2 = f32x4.add(c2, f32x4.mul(v128.load32_splat(x0 + pixelStep * 2), w0));
        c3 = f32x4.add(c3, f32x4.mul(v128.load32_splat(x0 + pixelStep * 3), w0));
        c4 = f32x4.add(c4, f32x4.mul(v128.load32_splat(x4), w0));
        c5 = f32x4.add(c5, f32x4.mul(v128.load32_splat(x4 + pixelStep), w0));
        c6 = f32x4.add(c6, f32x4.mul(v128.load32_splat(x4 + pixelStep * 2), w0));
        c7 = f32x4.add(c7, f32x4.mul(v128.load32_splat(x4 + pixelStep * 3), w0));
        x0 += 4;
        x4 += 4;
        w += 16;
      } while (w < end);
    }
    epilogue_f32_4x4(p, oy, ox, oc, c0, c1, c2, c3);
    if (ox + 4 < ow) epilogue_f32_4x4(p, oy, ox + 4, oc, c4, c5, c6, c7);
  }
}
