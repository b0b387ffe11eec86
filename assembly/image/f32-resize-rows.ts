/**
 * Vertical pass of a separable resize: every output row is a weighted sum of input rows.
 *
 *   dst[y, x] = post( ((w[y][0] * src[r[y][0], x] + w[y][1] * src[r[y][1], x]) + ...) )     taps in order, each
 *   operation in f32 post(v)   = floor(clip(v, 0, limit) + 0.5) with limit > 0, v itself with limit = 0
 *
 * Layout   src, dst: f32 planes, row strides in bytes. `src` is where row 0 of the whole picture lies or would lie:
 *          when only a region is in memory, subtract its first row times the stride (wrapping is harmless). rows x taps
 *          tables: `indices` i32 row numbers, `weights` f32. Lanes are columns, so a tile of columns computes what the
 *          whole row would.
 * Tile     16 columns, then 4: 4 accumulators + weight + operand = 6 live vectors.
 * Aliasing none. Alignment none required.
 * Tails    cols % 4: loads reach at most 12 bytes past a row; stores are cut to the row.
 * Bounds   |result| <= max|src| * sum|w|, 1.25 at most for bicubic upscaling; error against exact sums: taps * 2^-24 of
 *          that.
 * Test     test/image/resize.test.ts
 */
import { store_f32 } from "../common/store-f32";
import { round_clip } from "./lanes";

export function f32_resize_rows(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: i32,
  dst: usize,
  dstRowBytes: i32,
  indices: usize,
  weights: usize,
  taps: i32,
  limit: f32,
): void {
  const top = f32x4.splat(limit);
  const tableBytes = (<usize>taps) << 2;
  for (let y = 0; y < rows; y++) {
    const end = indices + tableBytes;
    let out = dst;
    let at = src;
    let left = cols;
    for (; left >= 16; left -= 16, at += 64, out += 64) {
      let i = indices,
        w = weights;
      let p = at + load<i32>(i) * srcRowBytes;
      let k = v128.load32_splat(w);
      let v0 = f32x4.mul(k, v128.load(p));
      let v1 = f32x4.mul(k, v128.load(p, 16));
      let v2 = f32x4.mul(k, v128.load(p, 32));
      let v3 = f32x4.mul(k, v128.load(p, 48));
      for (i += 4, w += 4; i < end; i += 4, w += 4) {
        p = at + load<i32>(i) * srcRowBytes;
        k = v128.load32_splat(w);
        v0 = f32x4.add(v0, f32x4.mul(k, v128.load(p)));
        v1 = f32x4.add(v1, f32x4.mul(k, v128.load(p, 16)));
        v2 = f32x4.add(v2, f32x4.mul(k, v128.load(p, 32)));
        v3 = f32x4.add(v3, f32x4.mul(k, v128.load(p, 48)));
      }
      if (limit > 0) {
        v0 = round_clip(v0, top);
        v1 = round_clip(v1, top);
        v2 = round_clip(v2, top);
        v3 = round_clip(v3, top);
      }
      v128.store(out, v0);
      v128.store(out, v1, 16);
      v128.store(out, v2, 32);
      v128.store(out, v3, 48);
    }
    for (; left > 0; left -= 4, at += 16, out += 16) {
      let i = indices,
        w = weights;
      let v = f32x4.mul(v128.load32_splat(w), v128.load(at + load<i32>(i) * srcRowBytes));
      for (i += 4, w += 4; i < end; i += 4, w += 4) {
        v = f32x4.add(v, f32x4.mul(v128.load32_splat(w), v128.load(at + load<i32>(i) * srcRowBytes)));
      }
      if (limit > 0) v = round_clip(v, top);
      store_f32(out, v, left);
    }
    indices = end;
    weights += tableBytes;
    dst += dstRowBytes;
  }
}
