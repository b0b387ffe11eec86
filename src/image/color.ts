/**
 * Pixels in kernel memory to planes and back. Y, Cb and Cr have the units of 8 bits (studio range, 0..255, not rounded)
 * for both depths. Formulas and rounding: bt601.ts and the heads of assembly/image/rgb-to-planes.ts, planes-to-rgb.ts,
 * channel.ts.
 */
import { check } from "../errors.ts";
import type { KernelInstance } from "../kernels/load.ts";
import { greyToY, rgbToYCbCrCoefficients, yCbCrToRgbCoefficients } from "./bt601.ts";
import type { Depth, Size } from "./types.ts";
import type { PixelView, PlaneView } from "./views.ts";

/** Y, Cb and Cr; the three have one row stride. */
export interface YCbCrView {
  readonly y: number;
  readonly cb: number;
  readonly cr: number;
  readonly rowBytes: number;
}

/** The matrices, rounded to f32, lie in each instance's memory from first use on: 4 x 12 values. */
const matrices = new WeakMap<KernelInstance, number>();

function matrix(kernels: KernelInstance, direction: "forward" | "inverse", depth: Depth): number {
  let pointer = matrices.get(kernels);
  if (pointer === undefined) {
    pointer = kernels.memory.allocate(4 * 48);
    const all = [
      rgbToYCbCrCoefficients(8),
      rgbToYCbCrCoefficients(16),
      yCbCrToRgbCoefficients(8),
      yCbCrToRgbCoefficients(16),
    ];
    for (const [i, m] of all.entries()) kernels.memory.f32.set(m, pointer / 4 + 12 * i);
    matrices.set(kernels, pointer);
  }
  return pointer + 48 * ((direction === "forward" ? 0 : 2) + (depth === 8 ? 0 : 1));
}

/** Luma of pixels of any channel count; grey is taken as R = G = B, alpha is not looked at. */
export function pixelsToY(kernels: KernelInstance, { width, height }: Size, pixels: PixelView, y: PlaneView): void {
  const { pointer, rowBytes, channels, depth } = pixels;
  const kernel = depth === 8 ? kernels.exports.u8_rgb_to_plane_f32 : kernels.exports.u16_rgb_to_plane_f32;
  const m = matrix(kernels, "forward", depth);
  kernel(height, width, pointer, rowBytes, channels, y.pointer, y.rowBytes, m);
}

/** Luma and chroma of RGB(A) pixels (grey gives chroma 128). */
export function pixelsToYCbCr(
  kernels: KernelInstance,
  { width, height }: Size,
  { pointer, rowBytes, channels, depth }: PixelView,
  planes: YCbCrView,
): void {
  const kernel = depth === 8 ? kernels.exports.u8_rgb_to_planes_f32 : kernels.exports.u16_rgb_to_planes_f32;
  const m = matrix(kernels, "forward", depth);
  kernel(height, width, pointer, rowBytes, channels, planes.y, planes.cb, planes.cr, planes.rowBytes, m);
}

/** The way back, rounded and clipped, to pixels of 3 or 4 channels; alpha keeps its value. */
export function yCbCrToPixels(
  kernels: KernelInstance,
  { width, height }: Size,
  planes: YCbCrView,
  { pointer, rowBytes, channels, depth }: PixelView,
): void {
  check(channels >= 3, "ERR_SHAPE", () => `pixels.channels: expected 3 or 4, got ${channels}`);
  const kernel = depth === 8 ? kernels.exports.f32_planes_to_rgb_u8 : kernels.exports.f32_planes_to_rgb_u16;
  const m = matrix(kernels, "inverse", depth);
  kernel(height, width, planes.y, planes.cb, planes.cr, planes.rowBytes, pointer, rowBytes, channels, m);
}

/** Grey from luma, rounded and clipped, into the first channel of pixels of 1 or 2 channels. */
export function yToGrey(kernels: KernelInstance, size: Size, y: PlaneView, pixels: PixelView): void {
  const { scale, offset } = greyToY(pixels.depth);
  planeToChannel(kernels, size, y, pixels, 0, 1 / scale, -offset / scale);
}

/** plane = sample of the given channel * scale + offset, in f32. */
export function channelToPlane(
  kernels: KernelInstance,
  { width, height }: Size,
  { pointer, rowBytes, channels, depth }: PixelView,
  channel: number,
  plane: PlaneView,
  scale = 1,
  offset = 0,
): void {
  const kernel = depth === 8 ? kernels.exports.u8_channel_to_f32 : kernels.exports.u16_channel_to_f32;
  const first = pointer + channel * (depth / 8);
  kernel(height, width, first, rowBytes, channels, plane.pointer, plane.rowBytes, scale, offset);
}

/**
 * Sample of the given channel = plane * scale + offset, clipped and rounded (halves up); other channels keep their
 * values.
 */
export function planeToChannel(
  kernels: KernelInstance,
  { width, height }: Size,
  plane: PlaneView,
  { pointer, rowBytes, channels, depth }: PixelView,
  channel: number,
  scale = 1,
  offset = 0,
): void {
  const kernel = depth === 8 ? kernels.exports.f32_channel_to_u8 : kernels.exports.f32_channel_to_u16;
  const first = pointer + channel * (depth / 8);
  kernel(height, width, plane.pointer, plane.rowBytes, first, rowBytes, channels, scale, offset);
}
