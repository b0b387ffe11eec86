import type { Model } from "../network/description.ts";
import { type Equalisation, equalise } from "../quantization/equalise.ts";
import { type QuantisedModel, quantise } from "../quantization/quantise.ts";
import type { Calibration } from "../quantization/ranges.ts";

/** What calibration found for a trained network. */
export interface Int8Recipe {
  readonly calibration: Calibration;
  /** The scales under which `calibration` was observed; none if absent. */
  readonly equalisation?: Equalisation | undefined;
  /** As of `quantise`; none if absent. */
  readonly fine?: readonly string[] | undefined;
}

/** The int8 network that an upscaler runs: equalised, then quantised but for its ends. @throws WasmogradError as `equalise` and `quantise` */
export function int8Model(model: Model, { calibration, equalisation = {}, fine = [] }: Int8Recipe): QuantisedModel {
  return quantise(equalise(model, equalisation), calibration, { boundary: "f32", fine });
}
