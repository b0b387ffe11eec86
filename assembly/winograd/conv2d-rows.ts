/**
 * int8 convolution with stride 1 and 5x5 kernels, Winograd along rows (F(4,5), src/winograd/rows.ts): for few output channels.
 *
 *   four outputs of a row = epilogue( A^T [ sum_{u, c} U[u][c] (.) V[row + u][c] ] )
 *
 * Layout   IFM, OFM, residual NHWC as in conv/conv2d-4x8.ts. Filter [oc/4][planes][5 kernel rows][steps][4 outputs][2] int16, steps = pairs of
 *          channels rounded up to fours, zero-padded. Bias multiplied by the scale, multipliers divided by its power of two, both exact.
 * Ring     five transformed input rows [planes][tiles/8][pairs of channels][8 tiles][2] int16; `planeTilesStride` bytes a plane,
 *          `scratchRowStride` a row. Row t (0 = the topmost padding row) lies in slot t mod 5 and is transformed once.
 * Tile     8 tiles (the lanes) x 4 outputs: 8 accumulators + 2 input vectors + 4 broadcasts = 14 live vectors. With outputs as lanes it would
 *          be 8 + 8 + 1, as V8 hoists the loads, and spill.
 * Bounds   bit-identical to the direct kernel if 2^3 |acc| < 2^31; sums are modulo 2^32.
 * Aliasing none between input and output; the residual may be the output itself.
 * Tails    tiles beyond the last column compute on padding and are not stored; channels beyond ic are met by zero filters. Loads reach
 *          nothing outside the input: rows are copied into a padded patch first.
 * Test     test/kernels/winograd-rows.test.ts
 */
import { assert_geometry, ConvParams } from "../common/conv-params";
import { epilogue_s8_4x4_tail } from "../common/epilogue-s8";
import { multiply_accumulate } from "../common/multiply-accumulate";
import { high_32, high_64, low_32, low_64 } from "../common/transpose";
import {
  ROW_BIAS_PLANE,
  ROW_M,
  ROW_N,
  ROW_PRODUCTS,
  ROW_TAPS,
  ROW_TILES,
  row_input,
  row_output,
} from "./generated/rows-f4-5-s8";
import { ZEROS } from "../gemm/zeros";

/** Bytes of eight tiles by eight channels. */
const BLOCK: usize = 8 * 16;

export function qs8_conv2d_f1x4_5x5(p: ConvParams): void {
  assert_geometry(p);
  assert(p.kh == ROW_TAPS && p.kw == ROW_TAPS && p.stride == 1, "kernel: expected 5x5 with stride 1");
  const blocks = (p.ic + 7) >> 3;
  const groups = (p.ow + ROW_M * ROW_TILES - 1) / (ROW_M * ROW_TILES);
  const panel = (<usize>(ROW_N * ROW_TAPS * blocks)) << 6;
  let filled = 0;
  for (let oy = p.rowBegin; oy < p.rowEnd; oy++) {
    for (let t = max(filled, oy); t < oy + ROW_TAPS; t++) transform_row(p, t, groups, blocks);
    filled = oy + ROW_TAPS;
    let filter = p.filter;
    for (let oc = 0; oc < p.oc; oc += 4, filter += panel) {
      for (let g = 0; g < groups; g++) {
        multiply(p, oy, g, oc, filter, blocks);
        finish(p, oy, g, oc);
      }
    }
  }
}

/** Row t of the padded input -> its slot of the ring. */
function transform_row(p: ConvParams, t: i32, groups: i32, blocks: i32): void {
  const ic = <usize>p.ic;
  const iy = t - p.padTop;
  const pixels = groups * (ROW_M * ROW_TILES) + ROW_N - ROW_M;
  memory.fill(p.patch, <u8>p.inputZeroPoint, <usize>pixels * ic + 8);
  if (iy >= 0 && iy < p.ih) {
    const inside = min(p.iw, pixels - p.padLeft);
    const from = p.input + <usize>iy * <usize>p.inputRowStride;
    memory.copy(p.patch + <usize>p.padLeft * ic, from, <usize>inside * ic);
  }
  const plane = <usize>p.planeTilesStride;
  let to = p.planeTiles + <usize>(t % ROW_TAPS) * <usize>p.scratchRowStride;
  let tile = p.patch;
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < ROW_TILES; i++, tile += ic * <usize>ROW_M) {
      let pixel = tile,
        at = to + ((<usize>i) << 4);
      for (let c = 0; c < blocks; c++, pixel += 8, at += BLOCK) row_input(pixel, ic, at, plane);
    }
    transpose_group(to, plane, blocks);
    to += <usize>blocks * BLOCK;
  }
}

/** Eight tiles by eight channels of every plane, [tiles][channels] -> [pairs of channels][tiles]: tiles become lanes. */
function transpose_group(to: usize, plane: usize, blocks: i32): void {
  for (let i = 0; i < ROW_N; i++, to += plane) {
    let at = to;
    for (let c = 0; c < blocks; c++, at += BLOCK) {
      const v0 = v128.load(at),
        v1 = v128.load(at, 16),
        v2 = v128.load(at, 32),
        v3 = v128.load(at, 48);
      const l01 = low_32(v0, v1),
        l23 = low_32(v2, v3),
        h01 = high_32(v0, v1),
        h23 = high_32(v2, v3);
      const v4 = v128.load(at, 64),
        v5 = v128.load(at, 80),
        v6 = v128.load(at, 96),
        v7 = v128.load(at, 112);
      v128.store(at, low_64(l01, l23));
      v128.store(at, high_64(l01, l23), 32);
      v128.store(at, low_64(h01, h23), 64);
      v128.store(at, high_64(h01, h23), 96);
      const l45 = low_32(v4, v5),
        l67 = low_32(v6, v7),
        h45 = high_32(v4, v5),
        h67 = high_32(v6, v7);
      v128.store(at, low_64(l45, l67), 16);
      v128.store(at, high_64(l45, l67), 48);
      v128.store(at, low_64(h45, h67), 80);
      v128.store(at, high_64(h45, h67), 112);
    }
  }
}

/** The products of eight tiles and four output channels, all planes: [planes][4 outputs][8 tiles]. */
function multiply(p: ConvParams, oy: i32, g: i32, oc: i32, filter: usize, blocks: i32): void {
  const bytes = <usize>blocks * BLOCK;
  const group = p.planeTiles + <usize>g * bytes;
  let w = filter,
    to = p.products;
  for (let plane = 0; plane < ROW_N; plane++, to += ROW_PRODUCTS) {
    const at = group + <usize>plane * <usize>p.planeTilesStride;
    const bias = plane == ROW_BIAS_PLANE ? p.bias + ((<usize>oc) << 2) : ZEROS;
    let c00 = v128.load32_splat(bias),
      c10 = v128.load32_splat(bias, 4),
      c20 = v128.load32_splat(bias, 8),
      c30 = v128.load32_splat(bias, 12);
    let c01 = c00,
      c11 = c10,
      c21 = c20,
      c31 = c30;
    let slot = oy % ROW_TAPS;
    for (let u = 0; u < ROW_TAPS; u++) {
      let x = at + <usize>slot * <usize>p.scratchRowStride;
      if (++slot == ROW_TAPS) slot = 0;
      const end = x + bytes;
      do {
        const x0 = v128.load(x),
          x1 = v128.load(x, 16);
        const w0 = v128.load32_splat(w);
        c00 = multiply_accumulate<i16>(c00, x0, w0);
        c01 = multiply_accumulate<i16>(c01, x1, w0);
        const w1 = v128.load32_splat(w, 4);
        c10 = multiply_accumulate<i16>(c10, x0, w1);
        c11 = multiply_accumulate<i16>(c11, x1, w1);
        const w2 = v128.load32_splat(w, 8);
        c20 = multiply_accumulate<i16>(c20, x0, w2);
        c21 = multiply_accumulate<i16>(c21, x1, w2);
        const w3 = v128.load32_splat(w, 12);
        c30 = multiply_accumulate<i16>(c30, x0, w3);
        c31 = multiply_accumulate<i16>(c31, x1, w3);
        x += 32;
        w += 16;
      } while (x < end);
    }
    v128.store(to, c00);
    v128.store(to, c01, 16);
    v128.store(to, c10, 32);
    v128.store(to, c11, 48);
    v128.store(to, c20, 64);
    v128.store(to, c21, 80);
    v128.store(to, c30, 96);
    v128.store(to, c31, 112);
  }
}

/** Output transform and epilogue of eight tiles, in fours: pixel x of each is computed with tiles as lanes, then channels become lanes again. */
function finish(p: ConvParams, oy: i32, g: i32, oc: i32): void {
  let ox = g * (ROW_M * ROW_TILES);
  const pixels = p.products + <usize>ROW_N * ROW_PRODUCTS;
  for (let half: usize = 0; half < 32; half += 16) {
    for (let o: usize = 0; o < 4; o++) row_output(p.products + (o << 5) + half, pixels + (o << 4));
    for (let x = 0; x < ROW_M; x++) transpose_pixel(pixels + ((<usize>x) << 6));
    for (let i = 0; i < 4 && ox < p.ow; i++, ox += ROW_M) {
      const at = pixels + ((<usize>i) << 4);
      const y0 = v128.load(at),
        y1 = v128.load(at, 64),
        y2 = v128.load(at, 128),
        y3 = v128.load(at, 192);
      epilogue_s8_4x4_tail(p, oy, ox, p.ow, oc, y0, y1, y2, y3);
    }
  }
}

/** [4 outputs][4 tiles] -> [4 tiles][4 outputs], in place. */
@inline
function transpose_pixel(at: usize): void {
  const v0 = v128.load(at),
    v1 = v128.load(at, 16),
    v2 = v128.load(at, 32),
    v3 = v128.load(at, 48);
  const l01 = low_32(v0, v1),
    l23 = low_32(v2, v3),
    h01 = high_32(v0, v1),
    h23 = high_32(v2, v3);
  v128.store(at, low_64(l01, l23));
  v128.store(at, high_64(l01, l23), 16);
  v128.store(at, low_64(h01, h23), 32);
  v128.store(at, high_64(h01, h23), 48);
}
