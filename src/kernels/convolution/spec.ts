/** What a convolution computes, in the kernels' terms. */
import type { FilterScaling } from "../../winograd/filter-scaling.ts";
import type { WinogradF32, WinogradS8 } from "../winograd/algorithms.ts";
import type { RowId } from "../winograd/rows.ts";

/** Channels, kernel and stride of a convolution. */
export interface LayerShape {
  readonly ic: number;
  readonly oc: number;
  readonly kh: number;
  readonly kw: number;
  readonly stride: number;
  /** Each channel has a filter of its own, and as many outputs as inputs; the weights' OHWI then has I = 1. */
  readonly depthwise?: boolean;
}

/** The residual that a convolution adds after its activation. */
export interface ResidualSpec {
  /** One channel, added to every output channel, instead of oc channels. */
  readonly broadcast: boolean;
  /** int8 residuals only. */
  readonly zeroPoint?: number;
  /** [oc], what the residual is multiplied by in each output channel. int8 residuals need them; none of f32 ones: 1. */
  readonly multipliers?: Float32Array;
}

export interface ConvSpecS8 extends LayerShape {
  readonly dtype: "s8";
  readonly weights: Int8Array; // OHWI
  readonly bias: Int32Array; // [oc], without any zero-point term
  readonly multipliers: Float32Array; // [oc]
  readonly negativeMultipliers?: Float32Array; // [oc], of negative accumulators
  readonly inputZeroPoint: number;
  readonly outputZeroPoint: number;
  readonly qmin: number;
  readonly qmax: number;
  readonly residual?: ResidualSpec;
  /**
   * Present, both, where the output is f32: what would be rounded is clamped to these. A residual without multipliers is then f32, and what
   * belongs to int8 outputs says nothing.
   */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly algorithm: "direct" | WinogradS8 | RowId;
  /** Winograd only: filters in fewer bits, which is not exact. */
  readonly filterScaling?: FilterScaling;
}

export interface ConvSpecF32 extends LayerShape {
  readonly dtype: "f32";
  readonly weights: Float32Array; // OHWI
  readonly bias: Float32Array; // [oc]
  readonly slopes?: Float32Array; // [oc], PReLU
  readonly minimum: number;
  readonly maximum: number;
  readonly residual?: ResidualSpec;
  readonly algorithm: "direct" | WinogradF32;
}
