/**
 * depth-to-space on 32-bit elements (f32 feature maps), TensorFlow's order.
 *
 *   dst[y*b + dy, x*b + dx, c] = src[y, x, (dy*b + dx)*C' + c]              b = block, C' = depth = input channels /
 *   b^2
 *
 * For a fixed dy the values of one pixel are a run of b*C' elements that stays whole: it goes to row y*b + dy at
 * x*b*C'.
 *
 * Layout   src NHWC, rows x cols pixels of b*b*C' elements; dst rows*b rows of cols*b*C' elements; row strides in
 *          bytes.
 * Tile     b = 2, C' = 1: two pixels give 16 bytes to each of two rows. Anything else copies runs (b = 4, C' = 1: 16
 *          bytes each).
 * Aliasing none. Alignment none required.
 * Tails    an odd last pixel goes through the run copy; nothing is read or written outside the pictures.
 * Test     test/image/depth-to-space.test.ts
 */
import { copy_runs } from "./runs";


@inline
function split_2(cols: i32, src: usize, row0: usize, row1: usize): i32 {
  let x = 0;
  for (; x + 2 <= cols; x += 2) {
    const a = v128.load(src),
      b = v128.load(src, 16);
    v128.store(row0, i64x2.shuffle(a, b, 0, 2));
    v128.store(row1, i64x2.shuffle(a, b, 1, 3));
    src += 32;
    row0 += 16;
    row1 += 16;
  }
  return x;
}

export function x32_depth_to_space(
  rows: i32,
  cols: i32,
  block: i32,
  depth: i32,
  src: usize,
  srcRowBytes: usize,
  dst: usize,
  dstRowBytes: usize,
): void {
  const run = (<usize>(block * depth)) << 2;
  for (let y = 0; y < rows; y++) {
    const done = block == 2 && depth == 1 ? split_2(cols, src, dst, dst + dstRowBytes) : 0;
    const from = src + <usize>done * run * <usize>block;
    copy_runs(cols - done, block, run, from, dst + <usize>done * run, dstRowBytes);
    src += srcRowBytes;
    dst += dstRowBytes * <usize>block;
  }
}
