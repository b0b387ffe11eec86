/** One export an algorithm and data type: conv2d-winograd.ts around the transforms of generated/. */
import { ConvParams } from "../common/conv-params";
import { conv2d_winograd } from "./conv2d-winograd";
import { CF2x2_5x5_S8 } from "./generated/cf2x2-5x5-s8";
import { CF4x4_3x3_F32 } from "./generated/cf4x4-3x3-f32";
import { CF4x4_3x3_S8 } from "./generated/cf4x4-3x3-s8";
import { F2x2_3x3_S8 } from "./generated/f2x2-3x3-s8";
import { F2x2_5x5_F32 } from "./generated/f2x2-5x5-f32";
import { F4x4_3x3_F32 } from "./generated/f4x4-3x3-f32";
import { F4x4_3x3_half_F32 } from "./generated/f4x4-3x3-half-f32";
import { F4x4_3x3_half_S8 } from "./generated/f4x4-3x3-half-s8";
import { F4x4_3x3_S8 } from "./generated/f4x4-3x3-s8";

export function qs8_conv2d_f2x2_3x3(p: ConvParams): void {
  conv2d_winograd<F2x2_3x3_S8>(p);
}
export function qs8_conv2d_cf4x4_3x3(p: ConvParams): void {
  conv2d_winograd<CF4x4_3x3_S8>(p);
}
export function qs8_conv2d_f4x4_3x3(p: ConvParams): void {
  conv2d_winograd<F4x4_3x3_S8>(p);
}
export function qs8_conv2d_f4x4_3x3_half(p: ConvParams): void {
  conv2d_winograd<F4x4_3x3_half_S8>(p);
}
export function qs8_conv2d_cf2x2_5x5(p: ConvParams): void {
  conv2d_winograd<CF2x2_5x5_S8>(p);
}
export function f32_conv2d_cf4x4_3x3(p: ConvParams): void {
  conv2d_winograd<CF4x4_3x3_F32>(p);
}
export function f32_conv2d_f4x4_3x3(p: ConvParams): void {
  conv2d_winograd<F4x4_3x3_F32>(p);
}
export function f32_conv2d_f4x4_3x3_half(p: ConvParams): void {
  conv2d_winograd<F4x4_3x3_half_F32>(p);
}
export function f32_conv2d_f2x2_5x5(p: ConvParams): void {
  conv2d_winograd<F2x2_5x5_F32>(p);
}
