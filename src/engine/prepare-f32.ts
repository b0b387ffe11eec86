/** The passes behind f32 networks, loaded with the first of them: an int8 network comes prepared. */
import type { Model } from "../network/description.ts";
import { lowerMixed } from "../network/passes/lower-mixed.ts";
import { prepare } from "../network/passes/prepare.ts";
import { checkWeights } from "../network/weights.ts";

/** The form of a model that has an f32 kernel for every layer. @throws WasmogradError as `checkWeights`, `prepare`, `lowerMixed` */
export function prepareF32(model: Model): Model {
  checkWeights(model.network, model.weights);
  return lowerMixed(prepare(model));
}
