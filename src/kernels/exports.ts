/**
 * What the binary exports, kernel by kernel. Pointers are byte offsets into the linear memory, strides are bytes; the contract of
 * each kernel stands at the head of its file in assembly/.
 */
import type { ImageKernels } from "./image-exports.ts";

export interface KernelExports extends ImageKernels {
  /** `params` points at a descriptor (convolution/params.ts). */
  qs8_conv2d_4x8(params: number): void;
  qs8_conv2d_6x4(params: number): void;
  f32_conv2d_4x8(params: number): void;
  f32_conv2d_6x4(params: number): void;
  qs8_conv2d_8x4(params: number): void;
  f32_conv2d_8x4(params: number): void;
  qs8_conv2d_1x1_4x8(params: number): void;
  f32_conv2d_1x1_4x8(params: number): void;
  qs8_dwconv2d_2x4x4(params: number): void;
  f32_dwconv2d_2x4x4(params: number): void;
  /** Winograd, one an algorithm and data type (winograd/table.ts). */
  qs8_conv2d_f2x2_3x3(params: number): void;
  qs8_conv2d_cf4x4_3x3(params: number): void;
  qs8_conv2d_f4x4_3x3(params: number): void;
  qs8_conv2d_f4x4_3x3_half(params: number): void;
  qs8_conv2d_cf2x2_5x5(params: number): void;
  f32_conv2d_cf4x4_3x3(params: number): void;
  f32_conv2d_f4x4_3x3(params: number): void;
  f32_conv2d_f4x4_3x3_half(params: number): void;
  f32_conv2d_f2x2_5x5(params: number): void;
  qs8_conv2d_f1x4_5x5(params: number): void;
  s8_winograd_filter(
    weights: number,
    oc: number,
    taps: number,
    ic: number,
    channel: number,
    channels: number,
    planes: number,
    starts: number,
    used: number,
    coefficients: number,
    lanes: number,
    to: number,
  ): void;

  qs8_add(
    a: number,
    b: number,
    to: number,
    pixels: number,
    channels: number,
    broadcast: number,
    zeroA: number,
    multiplierA: number,
    zeroB: number,
    multiplierB: number,
    magicZero: number,
    magicMin: number,
    qmax: number,
  ): void;
  qs8_prelu(
    from: number,
    to: number,
    pixels: number,
    channels: number,
    zeroPoint: number,
    multiplier: number,
    negative: number,
    magicZero: number,
    magicMin: number,
    qmax: number,
  ): void;
  s8_clamp(from: number, to: number, count: number, qmin: number, qmax: number): void;
  s8_quantize(from: number, to: number, count: number, inverseScale: number, zeroPoint: number): void;
  /** Writes two bytes a value; `inversePart` is 8 / scale. */
  s8_split(
    from: number,
    to: number,
    count: number,
    inversePart: number,
    zeroPoint: number,
    restZeroPoint: number,
  ): void;
  f32_dequantize(from: number, to: number, count: number, scale: number, zeroPoint: number): void;
  f32_add(a: number, b: number, to: number, pixels: number, channels: number, broadcast: number): void;
  f32_prelu(from: number, to: number, pixels: number, channels: number, slopes: number): void;
  f32_affine(
    from: number,
    to: number,
    count: number,
    scale: number,
    offset: number,
    minimum: number,
    maximum: number,
  ): void;
}
