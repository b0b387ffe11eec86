/**
 * Interleaved 8- or 16-bit pixels to one or three f32 planes through an affine map (RGB to YCbCr).
 *
 *   plane_i[y, x] = ((m[i][0] * R + m[i][1] * G) + m[i][2] * B) + m[i][3]        each operation rounded to f32
 *
 * Layout   src: rows of pixels of `channels` samples (u8, or u16 of the machine's order); row stride in bytes. With 1
 *          or 2 channels R = G = B = the first sample; a fourth channel is not looked at.
 *          matrix: 12 f32, row-major [3][4]; *_to_plane_* reads the first row only. src/image/bt601.ts fills it.
 *          Planes: f32, one row stride in bytes for all three.
 * Tile     four pixels: 16 bytes (u16: twice 16) are loaded and each colour is picked into 32-bit lanes by one swizzle,
 *          whose index depends on `channels` alone, so that one loop serves every pixel stride.
 * Aliasing none. Alignment none required.
 * Tails    cols % 4: the last load reaches at most 15 bytes (u16: 31) past the last row; stores are cut to the lanes in
 *          the picture.
 * Bounds   a u8 sample is exact in f32, a u16 sample too; no intermediate leaves [-2^17, 2^17] for the matrices of
 *          bt601.ts.
 * Test     test/image/color.test.ts
 */
import { store_f32 } from "../common/store-f32";

/**
 * Swizzle index: the sample at byte `offset` of each pixel to a 32-bit lane of its own (four of u8, two of u16), zeros
 * above.
 */
@inline
function pick<T>(pixelBytes: i32, offset: i32): v128 {
  if (sizeof<T>() == 1) {
    const a = -256 | offset;
    return i32x4(a, a + pixelBytes, a + pixelBytes * 2, a + pixelBytes * 3);
  }
  const a = -65536 | ((offset + 1) << 8) | offset;
  return i32x4(a, a + pixelBytes * 0x101, -1, -1);
}

/** Four samples of one colour as f32. `pair` = bytes of two pixels. */
@inline
function samples<T>(p: usize, pair: usize, index: v128): v128 {
  let v = i8x16.swizzle(v128.load(p), index);
  if (sizeof<T>() == 2) v = i64x2.shuffle(v, i8x16.swizzle(v128.load(p + pair), index), 0, 2);
  return f32x4.convert_i32x4_s(v);
}


@inline
function affine(r: v128, g: v128, b: v128, matrix: usize): v128 {
  const rg = f32x4.add(f32x4.mul(r, v128.load32_splat(matrix)), f32x4.mul(g, v128.load32_splat(matrix, 4)));
  return f32x4.add(f32x4.add(rg, f32x4.mul(b, v128.load32_splat(matrix, 8))), v128.load32_splat(matrix, 12));
}


@inline
function convert<T>(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: usize,
  channels: i32,
  plane0: usize,
  plane1: usize,
  plane2: usize,
  planeRowBytes: usize,
  matrix: usize,
  three: bool,
): void {
  const size = <i32>sizeof<T>();
  const pixelBytes = channels * size;
  const pair = <usize>(pixelBytes * 2);
  const next = channels > 2 ? size : 0;
  const indexR = pick<T>(pixelBytes, 0);
  const indexG = pick<T>(pixelBytes, next);
  const indexB = pick<T>(pixelBytes, next * 2);
  for (let y = 0; y < rows; y++) {
    let p = src;
    let at: usize = 0;
    for (let left = cols; left > 0; left -= 4) {
      const r = samples<T>(p, pair, indexR);
      const g = samples<T>(p, pair, indexG);
      const b = samples<T>(p, pair, indexB);
      store_f32(plane0 + at, affine(r, g, b, matrix), left);
      if (three) {
        store_f32(plane1 + at, affine(r, g, b, matrix + 16), left);
        store_f32(plane2 + at, affine(r, g, b, matrix + 32), left);
      }
      p += pair * 2;
      at += 16;
    }
    src += srcRowBytes;
    plane0 += planeRowBytes;
    if (three) {
      plane1 += planeRowBytes;
      plane2 += planeRowBytes;
    }
  }
}

export function u8_rgb_to_planes_f32(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: usize,
  channels: i32,
  plane0: usize,
  plane1: usize,
  plane2: usize,
  planeRowBytes: usize,
  matrix: usize,
): void {
  convert<u8>(rows, cols, src, srcRowBytes, channels, plane0, plane1, plane2, planeRowBytes, matrix, true);
}

export function u16_rgb_to_planes_f32(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: usize,
  channels: i32,
  plane0: usize,
  plane1: usize,
  plane2: usize,
  planeRowBytes: usize,
  matrix: usize,
): void {
  convert<u16>(rows, cols, src, srcRowBytes, channels, plane0, plane1, plane2, planeRowBytes, matrix, true);
}

export function u8_rgb_to_plane_f32(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: usize,
  channels: i32,
  plane: usize,
  planeRowBytes: usize,
  matrix: usize,
): void {
  convert<u8>(rows, cols, src, srcRowBytes, channels, plane, 0, 0, planeRowBytes, matrix, false);
}

export function u16_rgb_to_plane_f32(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: usize,
  channels: i32,
  plane: usize,
  planeRowBytes: usize,
  matrix: usize,
): void {
  convert<u16>(rows, cols, src, srcRowBytes, channels, plane, 0, 0, planeRowBytes, matrix, false);
}
