import type { Network } from "../network/description.ts";
import type { QuantizationParams } from "./requantize.ts";

/** A convolution in int8, ready for `requantize`. Vectors have one entry per output channel. */
export interface QuantisedFilter {
  /** OHWI, -127..127. */
  readonly weights: Int8Array;
  /** real weight = weightScales[o] * weights[o, ...]. */
  readonly weightScales: Float32Array;
  /** In units of inputScale * weightScales[o]; the input's zero point is NOT folded in. */
  readonly bias: Int32Array;
  /** inputScale * weightScales[o] / outputScale, rounded once to binary32. */
  readonly multipliers: Float32Array;
  /** For accumulators below zero: multiplier * slope (PReLU) or zeros (ReLU with a residual after it). Absent: the same. */
  readonly negativeMultipliers?: Float32Array;
  /** residualScale / outputScale, rounded to binary32; present exactly when the layer has a residual. */
  readonly residualMultiplier?: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** q = requantize(a - zeroPointA, multiplierA, zeroPoint, qmin, qmax, b - zeroPointB, multiplierB); one channel broadcasts. */
export interface QuantisedAdd {
  readonly multiplierA: number;
  readonly multiplierB: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** t = q - inputZeroPoint; requantize(t, t < 0 ? negativeMultipliers[c] : multiplier, zeroPoint, qmin, qmax). */
export interface QuantisedActivation {
  readonly multiplier: number;
  /** One entry per channel for PReLU; absent for ReLU and ReLU6, which clamp at qmin and qmax. */
  readonly negativeMultipliers?: Float32Array;
  readonly qmin: number;
  readonly qmax: number;
}

/** q = min(qmax, max(qmin, q)): a clip that no producing operator could absorb. */
export interface QuantisedClip {
  readonly qmin: number;
  readonly qmax: number;
}

/** A network in int8: what the quantise pass returns, and what the engine and the integer oracle run. */
export interface QuantisedModel {
  /** Collapsed and fused, in topological order. Clips that became a clamp of their producer are gone. */
  readonly network: Network;
  /** Of every tensor (layer name). Depth-to-space, offset and clip outputs hold the same bytes scale as their inputs. */
  readonly tensors: ReadonlyMap<string, QuantizationParams>;
  /** Per conv2d layer. */
  readonly filters: ReadonlyMap<string, QuantisedFilter>;
  /** Per add layer that is not fused. */
  readonly adds: ReadonlyMap<string, QuantisedAdd>;
  /** Per activation layer that is not fused. */
  readonly activations: ReadonlyMap<string, QuantisedActivation>;
  /** Per clip layer that is left. */
  readonly clips: ReadonlyMap<string, QuantisedClip>;
}
