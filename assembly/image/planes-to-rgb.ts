/**
 * Three f32 planes to interleaved 8- or 16-bit pixels through an affine map (YCbCr to RGB).
 *
 *   sample_i = floor(clip(((m[i][0] * P0 + m[i][1] * P1) + m[i][2] * P2) + m[i][3], 0, 255 or 65535) + 0.5)
 *                                                                    each operation rounded to f32; NaN gives 0
 * Layout   planes f32 with one row stride in bytes; dst rows of pixels of `channels` = 3 or 4 samples, u8 or u16; the
 *          fourth sample of a pixel (alpha) keeps what it was. matrix: 12 f32, row-major [3][4] (src/image/bt601.ts).
 * Tile     four pixels, packed to one vector of 8-bit pixels or two of 16-bit pixels.
 * Aliasing none. Alignment none required.
 * Tails    cols % 4: plane loads reach at most 12 bytes past the last row; nothing is stored past the last pixel.
 * Test     test/image/color.test.ts
 */
import { integers, rotate, round_clip } from "./lanes";


@inline
function component(a: v128, b: v128, c: v128, matrix: usize, limit: v128): v128 {
  const ab = f32x4.add(f32x4.mul(a, v128.load32_splat(matrix)), f32x4.mul(b, v128.load32_splat(matrix, 4)));
  const v = f32x4.add(f32x4.add(ab, f32x4.mul(c, v128.load32_splat(matrix, 8))), v128.load32_splat(matrix, 12));
  return integers(round_clip(v, limit));
}

/** Up to four pixels, each a 32-bit lane 0x00BBGGRR. */
@inline
function store_u8(p: usize, rgb: v128, channels: i32, left: i32): void {
  if (channels == 4) {
    if (left >= 4) {
      v128.store(p, v128.or(rgb, v128.and(v128.load(p), i32x4.splat(0xff000000))));
      return;
    }
    for (; left > 0; left--, p += 4) {
      store<u32>(p, (load<u32>(p) & 0xff000000) | i32x4.extract_lane(rgb, 0));
      rgb = rotate(rgb);
    }
    return;
  }
  if (left >= 4) {
    const packed = i8x16.swizzle(rgb, i8x16(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    v128.store64_lane(p, packed, 0);
    v128.store32_lane(p, packed, 2, 8);
    return;
  }
  for (; left > 0; left--, p += 3) {
    const pixel = i32x4.extract_lane(rgb, 0);
    store<u16>(p, <u16>pixel);
    store<u8>(p, <u8>(pixel >> 16), 2);
    rgb = rotate(rgb);
  }
}

/** One or two pixels, each two 32-bit lanes 0xGGGGRRRR, 0x0000BBBB. */
@inline
function store_u16(p: usize, rgb: v128, channels: i32, left: i32): void {
  for (; left > 0; left--, p += <usize>(channels * 2)) {
    v128.store32_lane(p, rgb, 0);
    v128.store16_lane(p, rgb, 2, 4);
    rgb = i64x2.shuffle(rgb, rgb, 1, 0);
  }
}


@inline
function convert<T>(
  rows: i32,
  cols: i32,
  plane0: usize,
  plane1: usize,
  plane2: usize,
  planeRowBytes: usize,
  dst: usize,
  dstRowBytes: usize,
  channels: i32,
  matrix: usize,
): void {
  const limit = f32x4.splat(sizeof<T>() == 1 ? 255 : 65535);
  const step = <usize>channels * sizeof<T>();
  for (let y = 0; y < rows; y++) {
    let p = dst;
    let at: usize = 0;
    for (let left = cols; left > 0; left -= 4) {
      const a = v128.load(plane0 + at),
        b = v128.load(plane1 + at),
        c = v128.load(plane2 + at);
      const red = component(a, b, c, matrix, limit);
      const green = component(a, b, c, matrix + 16, limit);
      const blue = component(a, b, c, matrix + 32, limit);
      if (sizeof<T>() == 1) {
        const rgb = v128.or(red, v128.or(i32x4.shl(green, 8), i32x4.shl(blue, 16)));
        store_u8(p, rgb, channels, left);
      } else {
        const rg = v128.or(red, i32x4.shl(green, 16));
        store_u16(p, i32x4.shuffle(rg, blue, 0, 4, 1, 5), channels, min(left, 2));
        store_u16(p + step * 2, i32x4.shuffle(rg, blue, 2, 6, 3, 7), channels, min(left - 2, 2));
      }
      p += step * 4;
      at += 16;
    }
    plane0 += planeRowBytes;
    plane1 += planeRowBytes;
    plane2 += planeRowBytes;
    dst += dstRowBytes;
  }
}

export function f32_planes_to_rgb_u8(
  rows: i32,
  cols: i32,
  plane0: usize,
  plane1: usize,
  plane2: usize,
  planeRowBytes: usize,
  dst: usize,
  dstRowBytes: usize,
  channels: i32,
  matrix: usize,
): void {
  convert<u8>(rows, cols, plane0, plane1, plane2, planeRowBytes, dst, dstRowBytes, channels, matrix);
}

export function f32_planes_to_rgb_u16(
  rows: i32,
  cols: i32,
  plane0: usize,
  plane1: usize,
  plane2: usize,
  planeRowBytes: usize,
  dst: usize,
  dstRowBytes: usize,
  channels: i32,
  matrix: usize,
): void {
  convert<u16>(rows, cols, plane0, plane1, plane2, planeRowBytes, dst, dstRowBytes, channels, matrix);
}
