/**
 * One channel of interleaved 8- or 16-bit pixels to an f32 plane and back (grey, alpha, and channels resized one by
 * one).
 *
 *   channel_to_f32:  plane[y, x]  = sample * scale + offset                              two roundings to f32
 *   f32_channel_to:  sample = floor(clip(plane[y, x] * scale + offset, 0, 255 or 65535) + 0.5)      NaN gives 0
 *
 * Layout   pixels: `src` or `dst` points to the wanted sample of the first pixel; pixels lie `step` samples apart, 1 to
 *          4; rows at a stride in bytes. Planes: f32, row stride in bytes.
 * Aliasing none. Alignment none required.
 * Tails    cols % 4: loads reach at most 15 bytes (u16: 31) past the last pixel, plane loads 12; stores are cut to the
 *          picture, and samples of other channels are never written.
 * Test     test/image/channel.test.ts
 */
import { store_f32 } from "../common/store-f32";
import { integers, rotate, round_clip } from "./lanes";


@inline
function gather<T>(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: usize,
  step: i32,
  plane: usize,
  planeRowBytes: usize,
  scale: f32,
  offset: f32,
): void {
  const bytes = step * <i32>sizeof<T>();
  const pair = <usize>(bytes * 2);
  const index =
    sizeof<T>() == 1
      ? i32x4(-256, -256 | bytes, -256 | (bytes * 2), -256 | (bytes * 3))
      : i32x4(0xffff0100, 0xffff0000 | ((bytes + 1) << 8) | bytes, -1, -1);
  for (let y = 0; y < rows; y++) {
    let p = src;
    let out = plane;
    for (let left = cols; left > 0; left -= 4) {
      let v = i8x16.swizzle(v128.load(p), index);
      if (sizeof<T>() == 2) {
        const high = i8x16.swizzle(v128.load(p + pair), index);
        v = i64x2.shuffle(v, high, 0, 2);
      }
      const scaled = f32x4.mul(f32x4.convert_i32x4_s(v), f32x4.splat(scale));
      store_f32(out, f32x4.add(scaled, f32x4.splat(offset)), left);
      p += pair * 2;
      out += 16;
    }
    src += srcRowBytes;
    plane += planeRowBytes;
  }
}


@inline
function scatter<T>(
  rows: i32,
  cols: i32,
  plane: usize,
  planeRowBytes: usize,
  dst: usize,
  dstRowBytes: usize,
  step: i32,
  scale: f32,
  offset: f32,
): void {
  const limit = f32x4.splat(sizeof<T>() == 1 ? 255 : 65535);
  const bytes = <usize>step * sizeof<T>();
  for (let y = 0; y < rows; y++) {
    let p = plane;
    let out = dst;
    for (let left = cols; left > 0; left -= 4) {
      const scaled = f32x4.add(f32x4.mul(v128.load(p), f32x4.splat(scale)), f32x4.splat(offset));
      let v = integers(round_clip(scaled, limit));
      for (let n = min(left, 4); n > 0; n--, out += bytes) {
        v128.store_lane<T>(out, v, 0);
        v = rotate(v);
      }
      p += 16;
    }
    plane += planeRowBytes;
    dst += dstRowBytes;
  }
}

export function u8_channel_to_f32(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: usize,
  step: i32,
  plane: usize,
  planeRowBytes: usize,
  scale: f32,
  offset: f32,
): void {
  gather<u8>(rows, cols, src, srcRowBytes, step, plane, planeRowBytes, scale, offset);
}

export function u16_channel_to_f32(
  rows: i32,
  cols: i32,
  src: usize,
  srcRowBytes: usize,
  step: i32,
  plane: usize,
  planeRowBytes: usize,
  scale: f32,
  offset: f32,
): void {
  gather<u16>(rows, cols, src, srcRowBytes, step, plane, planeRowBytes, scale, offset);
}

export function f32_channel_to_u8(
  rows: i32,
  cols: i32,
  plane: usize,
  planeRowBytes: usize,
  dst: usize,
  dstRowBytes: usize,
  step: i32,
  scale: f32,
  offset: f32,
): void {
  scatter<u8>(rows, cols, plane, planeRowBytes, dst, dstRowBytes, step, scale, offset);
}

export function f32_channel_to_u16(
  rows: i32,
  cols: i32,
  plane: usize,
  planeRowBytes: usize,
  dst: usize,
  dstRowBytes: usize,
  step: i32,
  scale: f32,
  offset: f32,
): void {
  scatter<u16>(rows, cols, plane, planeRowBytes, dst, dstRowBytes, step, scale, offset);
}
