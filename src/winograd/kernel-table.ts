/**
 * The algorithms that have kernels, and in which form: the generator of assembly/winograd/generated/, the kernels' own table, `verify`
 * and the tests read this list.
 *
 * int8 kernels keep both factors in int16 and are exact; where the scaled form fits it is taken, as its output transform is the cheaper
 * one. f32 kernels divide by the scale in the filter. Doubling is in the filter everywhere: it costs nothing there.
 */
import { type AlgorithmId, nestedOf } from "./catalogue.ts";
import type { FormKind } from "./integer-form.ts";
import type { Nested } from "./nested.ts";

export interface KernelEntry {
  /** Export of the binary. */
  readonly kernel: string;
  readonly algorithm: AlgorithmId;
  readonly dtype: "s8" | "f32";
  readonly form: FormKind;
}

export const WINOGRAD_KERNELS = [
  { kernel: "qs8_conv2d_f2x2_3x3", algorithm: "f2x2-3x3", dtype: "s8", form: "scaled" },
  { kernel: "qs8_conv2d_cf4x4_3x3", algorithm: "f4x4-3x3-complex", dtype: "s8", form: "scaled" },
  { kernel: "qs8_conv2d_f4x4_3x3", algorithm: "f4x4-3x3-rational", dtype: "s8", form: "split" },
  { kernel: "qs8_conv2d_f4x4_3x3_half", algorithm: "f4x4-3x3-half", dtype: "s8", form: "scaled" },
  { kernel: "qs8_conv2d_cf2x2_5x5", algorithm: "f2x2-5x5-complex", dtype: "s8", form: "scaled" },
  { kernel: "f32_conv2d_cf4x4_3x3", algorithm: "f4x4-3x3-complex", dtype: "f32", form: "scaled" },
  { kernel: "f32_conv2d_f4x4_3x3", algorithm: "f4x4-3x3-rational", dtype: "f32", form: "scaled" },
  { kernel: "f32_conv2d_f4x4_3x3_half", algorithm: "f4x4-3x3-half", dtype: "f32", form: "scaled" },
  { kernel: "f32_conv2d_f2x2_5x5", algorithm: "f2x2-5x5-rational", dtype: "f32", form: "scaled" },
] as const satisfies readonly KernelEntry[];

/** The algorithm of a kernel in the form that the kernel computes. */
export function nestedOfKernel({ algorithm, form }: KernelEntry): Nested {
  return nestedOf(algorithm, { form, doubling: "filter" });
}
