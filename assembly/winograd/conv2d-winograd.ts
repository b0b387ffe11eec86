/**
 * Convolution with stride 1 by any Winograd algorithm A (a class of generated/): m x m outputs a tile from n x n inputs.
 *
 *   OFM tile = epilogue( A^T [ sum_c U_c (.) V_c ] A )        arXiv 1901.01965 for the complex points
 *
 * Layout   IFM, OFM, residual NHWC as in conv/conv2d-4x8.ts. Filter packed [block][oc/8][planes][steps][8 outputs], int16 (or int8) in
 *          pairs [8 outputs][2], zero-padded: the products of gemm/gemm-4x8.ts; for oc <= 4 [planes][steps][4 outputs], gemm-4x4.ts.
 * int8     bit-identical to the direct kernel if 2^shift |acc| < 2^31 for every block of channels (the accumulators themselves may
 *          wrap). One block: bias enters multiplied by the scale, and the multipliers are divided by 2^shift, both exact. Several
 *          blocks (`sums` set): each block's result is divided and added in int32, on top of the plain bias, and the multipliers are
 *          the plain ones. With `scales` set the filters are stored scaled down by powers of two, which is not exact.
 * f32      the filter holds the scale; results differ from the direct kernel's by rounding, and with the place of a pixel in its tile.
 * Tile     groups of up to TILES tiles: transformed input and products stay in L1/L2; one block of 8 output channels at a time.
 * Aliasing none between input and output; the residual may be the output itself.
 * Tails    tiles over the right or bottom edge compute pixels that are not stored; tiles that touch a border read a padded copy.
 *          Loads reach at most 7 bytes (f32: 12) past the input and 3 (12) past the residual.
 * Test     test/kernels/winograd.test.ts, test/kernels/winograd-limits.test.ts, test/kernels/f32-winograd.test.ts
 */
import { assert_geometry, ConvParams } from "../common/conv-params";
import { epilogue_s8_2x2x4, epilogue_s8_4x4_tail } from "../common/epilogue-s8";
import { gemm_4x4 } from "../gemm/gemm-4x4";
import { gemm_4x8 } from "../gemm/gemm-4x8";
import { TILES } from "./generated/tiling";
import { AddToSums, StoreF32, StoreS8, sums_at, sums_step } from "./sinks";

export function conv2d_winograd<A>(p: ConvParams): void {
  const a = changetype<A>(0);
  assert_geometry(p);
  assert(p.kh == a.n - a.m + 1 && p.kw == p.kh && p.stride == 1, "kernel: expected the algorithm's size with stride 1");
  const tilesAcross = (p.ow + a.m - 1) / a.m;
  const count = ((p.rowEnd - p.rowBegin + a.m - 1) / a.m) * tilesAcross;
  for (let first = 0; first < count; first += TILES) {
    const n = min(TILES, count - first);
    if (p.sums) fill_sums<A>(p, n);
    let filter = p.filter;
    for (let c = 0; c < p.ic; c += p.blockChannels, filter += p.blockFilterBytes) {
      const channels = min(p.blockChannels, p.ic - c);
      transform_group<A>(p, first, n, tilesAcross, c, channels);
      const steps = a.float ? channels : (channels + 1) >> 1;
      const vTile = a.float ? (<usize>((channels + 3) & ~3)) << 2 : (<usize>((channels + 7) & ~7)) << 1;
      let panel = filter;
      for (let oc = 0; oc < p.oc; oc += 8) {
        multiply<A>(p, panel, vTile, (n + 3) >> 2, steps, oc);
        panel += (<usize>(a.planes * steps)) << (p.narrowFilter ? 4 : 5);
        if (a.float) finish_group<A, StoreF32>(p, first, n, tilesAcross, oc);
        else if (p.sums) finish_group<A, AddToSums>(p, first, n, tilesAcross, oc);
        else finish_group<A, StoreS8>(p, first, n, tilesAcross, oc);
      }
    }
    if (!a.float && p.sums) finish_sums<A>(p, first, n, tilesAcross);
  }
}

/** The products of a group and eight output channels. */
@inline
function multiply<A>(p: ConvParams, panel: usize, vTile: usize, groups: i32, steps: i32, oc: i32): void {
  const a = changetype<A>(0);
  const planes = a.planes;
  const bias = p.sums ? 0 : p.bias + ((<usize>oc) << 2);
  const scales = p.scales ? p.scales + ((<usize>(planes * oc)) << 2) : 0;
  const v = p.planeTiles,
    vPlane = <usize>p.planeTilesStride;
  const m = p.products,
    plane = a.biasPlane;
  // One dispatch a panel: outputs in fours or eights, filters as they are stored.
  if (p.oc <= 4) {
    if (a.float) gemm_4x4<f32, f32>(planes, v, vPlane, vTile, panel, m, groups, steps, bias, plane, 0);
    else if (p.narrowFilter) gemm_4x4<i16, i8>(planes, v, vPlane, vTile, panel, m, groups, steps, bias, plane, scales);
    else gemm_4x4<i16, i16>(planes, v, vPlane, vTile, panel, m, groups, steps, bias, plane, scales);
  } else {
    if (a.float) gemm_4x8<f32, f32>(planes, v, vPlane, vTile, panel, m, groups, steps, bias, plane, 0);
    else if (p.narrowFilter) gemm_4x8<i16, i8>(planes, v, vPlane, vTile, panel, m, groups, steps, bias, plane, scales);
    else gemm_4x8<i16, i16>(planes, v, vPlane, vTile, panel, m, groups, steps, bias, plane, scales);
  }
}

/**
 * Input transform of n tiles: runs of neighbours inside the picture at once, those that touch a border one by one, copied into a padded
 * patch first.
 */
function transform_group<A>(p: ConvParams, first: i32, n: i32, tilesAcross: i32, c: i32, channels: i32): void {
  const a = changetype<A>(0);
  const size = a.n;
  const element: usize = a.float ? 4 : 1;
  const pixel = <usize>p.ic * element;
  const step = a.float ? (<usize>((channels + 3) & ~3)) << 2 : (<usize>((channels + 7) & ~7)) << 1;
  const plane = <usize>p.planeTilesStride;
  // Tiles [inner, innerEnd) of a row touch neither side.
  const inner = (p.padLeft + a.m - 1) / a.m;
  const innerEnd = p.iw + p.padLeft < size ? 0 : min(tilesAcross, (p.iw + p.padLeft - size) / a.m + 1);
  let ty = first / tilesAcross;
  let tx = first - ty * tilesAcross;
  let to = p.planeTiles;
  for (let left = n; left > 0;) {
    const iy = p.rowBegin + ty * a.m - p.padTop;
    const ix = tx * a.m - p.padLeft;
    let tile = p.patch,
      rowStride = pixel * size,
      count = 1;
    if (iy >= 0 && iy + size <= p.ih && tx >= inner && tx < innerEnd) {
      rowStride = <usize>p.inputRowStride;
      tile = p.input + <usize>iy * rowStride + <usize>ix * pixel;
      count = min(left, innerEnd - tx);
    } else {
      copy_patch(p, iy, ix, size, pixel, a.float ? 0 : <u8>p.inputZeroPoint);
    }
    a.input(tile + <usize>c * element, rowStride, pixel, channels, count, to, step, plane, p.workspace);
    to += <usize>count * step;
    left -= count;
    tx += count;
    if (tx == tilesAcross) {
      tx = 0;
      ty++;
    }
  }
}

/** The size x size patch whose top left pixel is (iy, ix); bytes of outside pixels are `fill`. */
function copy_patch(p: ConvParams, iy: i32, ix: i32, size: i32, pixel: usize, fill: u8): void {
  memory.fill(p.patch, fill, <usize>(size * size) * pixel);
  const x0 = max(0, -ix),
    x1 = min(size, p.iw - ix);
  const y0 = max(0, -iy),
    y1 = min(size, p.ih - iy);
  for (let y = y0; y < y1; y++) {
    const from = p.input + <usize>(iy + y) * <usize>p.inputRowStride + <usize>(ix + x0) * pixel;
    memory.copy(p.patch + <usize>(y * size + x0) * pixel, from, <usize>(x1 - x0) * pixel);
  }
}

/** Output transform of n tiles and eight output channels into the sink S. */
function finish_group<A, S>(p: ConvParams, first: i32, n: i32, tilesAcross: i32, oc: i32): void {
  const a = changetype<A>(0);
  const workspace = p.workspace;
  const channels = min(8, p.oc - oc);
  let ty = first / tilesAcross;
  let tx = first - ty * tilesAcross;
  let m = p.products;
  for (let i = 0; i < n; i++, m += 32) {
    const oy = p.rowBegin + ty * a.m;
    if (a.m == 4 && changetype<S>(0).is_whole(p, tx * 4, oc)) {
      a.columns(m, workspace);
      a.columns(m + 16, workspace + a.columnBytes);
      a.wideRows<S>(changetype<S>(0), p, workspace, i, oy, tx * a.m, oc);
    } else {
      for (let half = 0; half < channels; half += 4) {
        a.columns(m + ((<usize>half) << 2), workspace);
        a.rows<S>(changetype<S>(0), p, workspace, i, oy, tx * a.m, oc + half);
      }
    }
    if (++tx == tilesAcross) {
      tx = 0;
      ty++;
    }
  }
}

/** Starts the sums of n tiles with the bias. */
function fill_sums<A>(p: ConvParams, n: i32): void {
  const a = changetype<A>(0);
  const step = sums_step(p);
  let to = p.sums;
  for (let i = n * a.m * a.m; i > 0; i--, to += step) memory.copy(to, p.bias, step);
}

/** Requantisation and store of the finished sums. */
function finish_sums<A>(p: ConvParams, first: i32, n: i32, tilesAcross: i32): void {
  const a = changetype<A>(0);
  const step = sums_step(p);
  const fours = (a.m * a.m) >> 2;
  let ty = first / tilesAcross;
  let tx = first - ty * tilesAcross;
  for (let i = 0; i < n; i++) {
    const oy = p.rowBegin + ty * a.m,
      ox = tx * a.m;
    const rows = a.m == 4 ? min(4, p.rowEnd - oy) : 1;
    for (let o = 0; o < p.oc; o += 4) {
      for (let y = 0; y < rows; y++) {
        const from = sums_at(p, i, fours, y, o);
        const y0 = v128.load(from),
          y1 = v128.load(from + step);
        const y2 = v128.load(from + step * 2),
          y3 = v128.load(from + step * 3);
        if (a.m == 4) epilogue_s8_4x4_tail(p, oy + y, ox, p.ow, o, y0, y1, y2, y3);
        else epilogue_s8_2x2x4(p, oy, ox, o, y0, y1, y2, y3);
      }
    }
    if (++tx == tilesAcross) {
      tx = 0;
      ty++;
    }
  }
}
