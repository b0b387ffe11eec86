/**
 * What the binary exports, kernel by kernel. Pointers are byte offsets into the linear memory, strides are bytes; the contract of
 * each kernel stands at the head of its file in assembly/.
 */
import type { ImageKernels } from "./image-exports.ts";

export interface KernelExports extends ImageKernels {
  /** `params` points at a descriptor (convolution/params.ts). */
  qs8_conv2d_4x8(params: number): void;
  qs8_conv2d_8x4(params: number): void;
  qs8_conv2d_3x3_cf4x4(params: number): void;
  f32_conv2d_4x8(params: number): void;
  f32_conv2d_8x4(params: number): void;
}
