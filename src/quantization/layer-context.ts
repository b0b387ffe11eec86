/** What the int8 form of a layer is made from. */
import type { Weights } from "../network/description.ts";
import { type Clamp, FULL, type Limits } from "./assign.ts";
import { checkedMultiplier, type QuantizationParams } from "./requantize.ts";

/** What a layer needs of its surroundings: parameters by tensor, limits that clips have set, weights, channels by tensor, names of splits. */
export interface LayerContext {
  readonly tensors: ReadonlyMap<string, QuantizationParams>;
  readonly limits: ReadonlyMap<string, Limits>;
  /** The same limits for outputs that stay real. */
  readonly clamps: ReadonlyMap<string, Clamp>;
  readonly weights: Weights;
  readonly channels: ReadonlyMap<string, number>;
  readonly split: ReadonlySet<string>;
}

/** A ratio of scales in the form that kernels multiply by. @throws WasmogradError ERR_QUANTIZATION */
export function layerMultiplier(layer: string, value: number): number {
  return checkedMultiplier(`layer ${layer}`, value);
}

/** What a clip behind the layer has made its limits. */
export function limitsOfLayer({ limits }: LayerContext, layer: string): Limits {
  return limits.get(layer) ?? FULL;
}
