/**
 * depth-to-space on bytes (int8 feature maps), TensorFlow's order.
 *
 *   dst[y*b + dy, x*b + dx, c] = src[y, x, (dy*b + dx)*C' + c]              b = block, C' = depth = input channels /
 *   b^2
 *
 * For a fixed dy the values of one pixel are a run of b*C' bytes that stays whole: it goes to row y*b + dy at x*b*C'.
 *
 * Layout   src NHWC, rows x cols pixels of b*b*C' bytes; dst rows*b rows of cols*b*C' bytes; row strides in bytes.
 * Tile     C' = 1: b = 2 splits 8 pixels (32 bytes) into two rows of 16 bytes by two shuffles; b = 4 transposes 4
 *          pixels (64 bytes) as a 4x4 matrix of 32-bit runs. Anything else copies runs.
 * Aliasing none. Alignment none required.
 * Tails    cols % 8 (b = 2) and cols % 4 (b = 4) go through the run copy; nothing is read or written outside the
 *          pictures.
 * Test     test/image/depth-to-space.test.ts
 */
import { copy_runs } from "./runs";

/** Returns how many pixels of the row were done. */
@inline
function split_2(cols: i32, src: usize, row0: usize, row1: usize): i32 {
  let x = 0;
  for (; x + 8 <= cols; x += 8) {
    const a = v128.load(src),
      b = v128.load(src, 16);
    v128.store(row0, i16x8.shuffle(a, b, 0, 2, 4, 6, 8, 10, 12, 14));
    v128.store(row1, i16x8.shuffle(a, b, 1, 3, 5, 7, 9, 11, 13, 15));
    src += 32;
    row0 += 16;
    row1 += 16;
  }
  return x;
}


@inline
function split_4(cols: i32, src: usize, dst: usize, dstRowBytes: usize): i32 {
  let x = 0;
  for (; x + 4 <= cols; x += 4) {
    const a = v128.load(src),
      b = v128.load(src, 16),
      c = v128.load(src, 32),
      d = v128.load(src, 48);
    const ab01 = i32x4.shuffle(a, b, 0, 4, 1, 5),
      ab23 = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const cd01 = i32x4.shuffle(c, d, 0, 4, 1, 5),
      cd23 = i32x4.shuffle(c, d, 2, 6, 3, 7);
    v128.store(dst, i64x2.shuffle(ab01, cd01, 0, 2));
    v128.store(dst + dstRowBytes, i64x2.shuffle(ab01, cd01, 1, 3));
    v128.store(dst + dstRowBytes * 2, i64x2.shuffle(ab23, cd23, 0, 2));
    v128.store(dst + dstRowBytes * 3, i64x2.shuffle(ab23, cd23, 1, 3));
    src += 64;
    dst += 16;
  }
  return x;
}

export function x8_depth_to_space(
  rows: i32,
  cols: i32,
  block: i32,
  depth: i32,
  src: usize,
  srcRowBytes: usize,
  dst: usize,
  dstRowBytes: usize,
): void {
  const run = <usize>(block * depth);
  for (let y = 0; y < rows; y++) {
    let done = 0;
    if (depth == 1) {
      if (block == 2) done = split_2(cols, src, dst, dst + dstRowBytes);
      else if (block == 4) done = split_4(cols, src, dst, dstRowBytes);
    }
    const from = src + <usize>done * run * <usize>block;
    copy_runs(cols - done, block, run, from, dst + <usize>done * run, dstRowBytes);
    src += srcRowBytes;
    dst += dstRowBytes * <usize>block;
  }
}
