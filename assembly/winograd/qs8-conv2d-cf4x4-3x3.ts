/**
 * int8 3x3 convolution, stride 1, by the complex Winograd F(4x4,3x3) with points 0, 1, -1, i, -i, inf: 46 products a tile and channel
 * instead of 144, bit-identical to the direct kernel.
 *
 *   OFM tile = requantise( A^T [ sum_c U_c (.) V_c ] A / 16 + bias )          arXiv 1901.01965
 *
 * Layout   IFM, OFM, residual int8 NHWC as in conv2d-4x8.ts. Filter packed int16 [block][oc/8][46][K2][8 outputs][2],
 *          K2 = ceil(channels of the block / 2), zero-padded; pairs are stored as c, d-c, c+d of the integer filter 4G g (4G)^T, times 2.
 * Exact    if 16 |acc| < 2^31 for every block of channels (the accumulators themselves may wrap). One block: bias holds 16 times
 *          the bias and the multipliers are divided by 16, both exact. Several blocks (`sums` set): each block's result is divided by
 *          16 and added in int32, then bias and multipliers are the plain ones.
 * Tile     groups of `tiles` tiles: transformed input and products stay in L1/L2; one block of 8 output channels at a time.
 * Aliasing none between input and output; the residual may be the output itself.
 * Tails    tiles over the right or bottom edge compute pixels that are not stored; tiles that touch a border read a padded copy.
 *          Loads reach at most 7 bytes past the input and 3 past the residual.
 * Test     test/kernels/qs8-conv2d.test.ts, test/kernels/winograd-limits.test.ts
 */
import { assert_geometry, ConvParams } from "../common/conv-params";
import { epilogue_s8_4x4 } from "../common/epilogue-s8";
import { cf4x4_input_s8 } from "./cf4x4-input-s8";
import { cf4x4_column_pass } from "./cf4x4-output-s32";
import { gemm_s16_4x8 } from "./gemm-s16-4x8";

const PLANES: i32 = 46;

export function qs8_conv2d_cf4x4_3x3(p: ConvParams): void {
  assert_geometry(p);
  assert(p.kh == 3 && p.kw == 3 && p.stride == 1, "kernel: expected 3x3 with stride 1");
  assert(p.tiles > 0 && p.tiles % 4 == 0, "tiles: expected a multiple of 4");
  const tilesAcross = (p.ow + 3) >> 2;
  const count = ((p.rowEnd - p.rowBegin + 3) >> 2) * tilesAcross;
  for (let first = 0; first < count; first += p.tiles) {
    const n = min(p.tiles, count - first);
    let filter = p.filter;
    for (let c = 0; c < p.ic; c += p.blockChannels, filter += p.blockFilterBytes) {
      const channels = min(p.blockChannels, p.ic - c);
      transform_group(p, first, n, tilesAcross, c, channels);
      const last = c + channels >= p.ic;
      const pairs = (channels + 1) >> 1;
      const vTile = (<usize>((channels + 7) & ~7)) << 1;
      let panel = filter;
      for (let oc = 0; oc < p.oc; oc += 8) {
        gemm_s16_4x8(
          PLANES,
          p.planeTiles,
          p.planeTilesStride,
          vTile,
          panel,
          p.products,
          p.productsStride,
          (n + 3) >> 2,
          pairs,
        );
        panel += (<usize>(PLANES * pairs)) << 5;
        if (p.sums) sum_group(p, n, oc, c == 0);
        else finish_group(p, first, n, tilesAcross, oc);
      }
      if (last && p.sums) finish_sums(p, first, n, tilesAcross);
    }
  }
}

/** Input transform of n tiles; those that touch a border are copied into a padded patch first. */
function transform_group(p: ConvParams, first: i32, n: i32, tilesAcross: i32, c: i32, channels: i32): void {
  let ty = first / tilesAcross;
  let tx = first - ty * tilesAcross;
  const step = (<usize>((channels + 7) & ~7)) << 1;
  let to = p.planeTiles;
  for (let i = 0; i < n; i++, to += step) {
    const iy = p.rowBegin + (ty << 2) - p.padTop;
    const ix = (tx << 2) - p.padLeft;
    if (iy >= 0 && ix >= 0 && iy + 6 <= p.ih && ix + 6 <= p.iw) {
      const tile = p.input + <usize>iy * <usize>p.inputRowStride + <usize>(ix * p.ic + c);
      cf4x4_input_s8(tile, p.inputRowStride, p.ic, channels, to, p.planeTilesStride, p.workspace);
    } else {
      copy_patch(p, iy, ix);
      cf4x4_input_s8(p.patch + <usize>c, p.ic * 6, p.ic, channels, to, p.planeTilesStride, p.workspace);
    }
    if (++tx == tilesAcross) {
      tx = 0;
      ty++;
    }
  }
}

/** The 6x6 patch whose top left pixel is (iy, ix), outside pixels at the zero point. */
function copy_patch(p: ConvParams, iy: i32, ix: i32): void {
  const ic = p.ic;
  memory.fill(p.patch, <u8>p.inputZeroPoint, 36 * ic);
  const x0 = max(0, -ix),
    x1 = min(6, p.iw - ix);
  const y0 = max(0, -iy),
    y1 = min(6, p.ih - iy);
  for (let y = y0; y < y1; y++) {
    const from = p.input + <usize>(iy + y) * <usize>p.inputRowStride + <usize>((ix + x0) * ic);
    memory.copy(p.patch + <usize>((y * 6 + x0) * ic), from, (x1 - x0) * ic);
  }
}

/** Output transform, requantisation and store of n tiles and eight output channels. */
function finish_group(p: ConvParams, first: i32, n: i32, tilesAcross: i32, oc: i32): void {
  const workspace = p.workspace;
  const channels = min(8, p.oc - oc);
  let ty = first / tilesAcross;
  let tx = first - ty * tilesAcross;
  let m = p.products;
  for (let i = 0; i < n; i++, m += 32) {
    for (let half = 0; half < channels; half += 4) {
      const o = oc + half;
      cf4x4_column_pass(m + ((<usize>half) << 2), p.productsStride, p.bias + ((<usize>o) << 2), workspace);
      let from = workspace;
      const oy = p.rowBegin + (ty << 2);
      const rows = min(4, p.rowEnd - oy);
      for (let y = 0; y < rows; y++, from += 96) {
        const m1 = v128.load(from, 16),
          m2 = v128.load(from, 32),
          r = v128.load(from, 48),
          s = v128.load(from, 64);
        const sum = i32x4.add(m1, m2),
          difference = i32x4.sub(m1, m2);
        const y0 = i32x4.add(i32x4.add(v128.load(from), sum), r);
        const y1 = i32x4.sub(difference, s);
        const y2 = i32x4.sub(sum, r);
        const y3 = i32x4.add(i32x4.add(difference, s), v128.load(from, 80));
        epilogue_s8_4x4(p, oy + y, tx << 2, p.ow, o, y0, y1, y2, y3);
      }
    }
    if (++tx == tilesAcross) {
      tx = 0;
      ty++;
    }
  }
}

/** Output transform of n tiles and eight output channels into (first block) or onto the int32 sums, divided by 16. */
function sum_group(p: ConvParams, n: i32, oc: i32, firstBlock: bool): void {
  const workspace = p.workspace;
  const pixelStep = (<usize>((p.oc + 7) & ~7)) << 2;
  let m = p.products;
  let sums = p.sums + ((<usize>oc) << 2);
  for (let i = 0; i < n; i++, m += 32, sums += pixelStep << 4) {
    for (let half: usize = 0; half < 32; half += 16) {
      const bias = firstBlock ? v128.load(p.bias + ((<usize>oc) << 2) + half) : i32x4.splat(0);
      cf4x4_column_pass(m + half, p.productsStride, 0, workspace);
      let from = workspace;
      let to = sums + half;
      for (let y = 0; y < 4; y++, from += 96, to += pixelStep << 2) {
        const m1 = v128.load(from, 16),
          m2 = v128.load(from, 32),
          r = v128.load(from, 48),
          s = v128.load(from, 64);
        const sum = i32x4.add(m1, m2),
          difference = i32x4.sub(m1, m2);
        add_sum(to, i32x4.add(i32x4.add(v128.load(from), sum), r), bias, firstBlock);
        add_sum(to + pixelStep, i32x4.sub(difference, s), bias, firstBlock);
        add_sum(to + pixelStep * 2, i32x4.sub(sum, r), bias, firstBlock);
        add_sum(to + pixelStep * 3, i32x4.add(i32x4.add(difference, s), v128.load(from, 80)), bias, firstBlock);
      }
    }
  }
}


@inline
function add_sum(to: usize, scaled: v128, bias: v128, firstBlock: bool): void {
  const y = i32x4.shr_s(scaled, 4);
  v128.store(to, i32x4.add(y, firstBlock ? bias : v128.load(to)));
}

/** Requantisation and store of the finished sums. */
function finish_sums(p: ConvParams, first: i32, n: i32, tilesAcross: i32): void {
  const pixelStep = (<usize>((p.oc + 7) & ~7)) << 2;
  let ty = first / tilesAcross;
  let tx = first - ty * tilesAcross;
  let sums = p.sums;
  for (let i = 0; i < n; i++, sums += pixelStep << 4) {
    const oy = p.rowBegin + (ty << 2);
    const rows = min(4, p.rowEnd - oy);
    for (let o = 0; o < p.oc; o += 4) {
      let from = sums + ((<usize>o) << 2);
      for (let y = 0; y < rows; y++, from += pixelStep << 2) {
        const y0 = v128.load(from),
          y1 = v128.load(from + pixelStep);
        const y2 = v128.load(from + pixelStep * 2),
          y3 = v128.load(from + pixelStep * 3);
        epilogue_s8_4x4(p, oy + y, tx << 2, p.ow, o, y0, y1, y2, y3);
      }
    }
    if (++tx == tilesAcross) {
      tx = 0;
      ty++;
    }
  }
}
