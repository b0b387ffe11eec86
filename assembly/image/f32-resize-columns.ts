/**
 * Horizontal pass of a separable resize: every output column is a weighted sum of input columns.
 *
 *   dst[y, x] = post( ((w[x][0] * src[y, c[x][0]] + w[x][1] * src[y, c[x][1]]) + ...) )     taps in order, each
 *   operation in f32 post(v)   = floor(clip(v, 0, limit) + 0.5) with limit > 0, v itself with limit = 0
 *
 * Layout   src, dst: f32 planes, row strides in bytes. `src` holds columns [first, first + srcCols) of the picture;
 *          cols x taps tables: `indices` i32 column numbers of the whole picture, all inside that range, `weights` f32.
 * Tile     four rows at a time are transposed into `scratch` ([srcCols][4 rows], 16 bytes a column), so that a tap is
 *          one load and one multiplication for four outputs whatever its index; four outputs are transposed back and
 *          stored as rows.
 * Scratch  16 * (srcCols rounded up to 4) bytes.
 * Aliasing none. Alignment none required.
 * Tails    rows % 4: the missing rows repeat the last one and are not stored. srcCols % 4: loads reach at most 12 bytes
 *          past a row; cols % 4: stores are cut to the row.
 * Bounds   as in f32-resize-rows.ts.
 * Test     test/image/resize.test.ts
 */
import { store_f32 } from "../common/store-f32";
import { round_clip } from "./lanes";

/** Four rows of srcCols samples to [srcCols][4]. */
@inline
function interleave(r0: usize, r1: usize, r2: usize, r3: usize, srcCols: i32, scratch: usize): void {
  for (let left = srcCols; left > 0; left -= 4) {
    const a = v128.load(r0),
      b = v128.load(r1),
      c = v128.load(r2),
      d = v128.load(r3);
    const ab01 = i32x4.shuffle(a, b, 0, 4, 1, 5),
      ab23 = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const cd01 = i32x4.shuffle(c, d, 0, 4, 1, 5),
      cd23 = i32x4.shuffle(c, d, 2, 6, 3, 7);
    v128.store(scratch, i64x2.shuffle(ab01, cd01, 0, 2));
    v128.store(scratch, i64x2.shuffle(ab01, cd01, 1, 3), 16);
    v128.store(scratch, i64x2.shuffle(ab23, cd23, 0, 2), 32);
    v128.store(scratch, i64x2.shuffle(ab23, cd23, 1, 3), 48);
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    scratch += 64;
  }
}

/** One output column for four rows. `base` is where column 0 of the picture would lie in the scratch. */
@inline
function column(base: usize, indices: usize, weights: usize, end: usize): v128 {
  let v = f32x4.mul(v128.load32_splat(weights), v128.load(base + (load<u32>(indices) << 4)));
  for (indices += 4, weights += 4; indices < end; indices += 4, weights += 4) {
    v = f32x4.add(v, f32x4.mul(v128.load32_splat(weights), v128.load(base + (load<u32>(indices) << 4))));
  }
  return v;
}

export function f32_resize_columns(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: usize,
  first: i32,
  srcCols: i32,
  dst: usize,
  dstRowBytes: usize,
  indices: usize,
  weights: usize,
  taps: i32,
  limit: f32,
  scratch: usize,
): void {
  const top = f32x4.splat(limit);
  const base = scratch - ((<usize>first) << 4);
  const step = (<usize>taps) << 2;
  for (let left = rows; left > 0; left -= 4) {
    const s1 = left > 1 ? src + srcRowBytes : src;
    const s2 = left > 2 ? s1 + srcRowBytes : s1;
    const s3 = left > 3 ? s2 + srcRowBytes : s2;
    interleave(src, s1, s2, s3, srcCols, scratch);
    let i = indices,
      w = weights,
      d = dst;
    for (let n = cols; n > 0; n -= 4, i += step * 4, w += step * 4, d += 16) {
      let v0 = column(base, i, w, i + step);
      let v1 = v0,
        v2 = v0,
        v3 = v0;
      if (n > 1) v1 = column(base, i + step, w + step, i + step * 2);
      if (n > 2) v2 = column(base, i + step * 2, w + step * 2, i + step * 3);
      if (n > 3) v3 = column(base, i + step * 3, w + step * 3, i + step * 4);
      if (limit > 0) {
        v0 = round_clip(v0, top);
        v1 = round_clip(v1, top);
        v2 = round_clip(v2, top);
        v3 = round_clip(v3, top);
      }
      const a = i32x4.shuffle(v0, v1, 0, 4, 1, 5),
        b = i32x4.shuffle(v0, v1, 2, 6, 3, 7);
      const c = i32x4.shuffle(v2, v3, 0, 4, 1, 5),
        e = i32x4.shuffle(v2, v3, 2, 6, 3, 7);
      store_f32(d, i64x2.shuffle(a, c, 0, 2), n);
      if (left > 1) store_f32(d + dstRowBytes, i64x2.shuffle(a, c, 1, 3), n);
      if (left > 2) store_f32(d + dstRowBytes * 2, i64x2.shuffle(b, e, 0, 2), n);
      if (left > 3) store_f32(d + dstRowBytes * 3, i64x2.shuffle(b, e, 1, 3), n);
    }
    src += srcRowBytes * 4;
    dst += dstRowBytes * 4;
  }
}
