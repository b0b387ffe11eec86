/** The passes behind f32 networks, loaded with the first of them: an int8 network comes prepared. */
import { check } from "../errors.ts";
import type { Layer, Model } from "../network/description.ts";
import { lowerMixed } from "../network/passes/lower-mixed.ts";
import { prepare } from "../network/passes/prepare.ts";
import { checkWeights } from "../network/weights.ts";

/** What the reference alone computes. */
const WITHOUT_KERNEL: ReadonlySet<Layer["op"]> = new Set([
  "attention",
  "class-token",
  "positions",
  "fourier-positions",
  "take-token",
  "replace-token",
]);

/**
 * The form of a model that has an f32 kernel for every layer.
 * @throws WasmogradError ERR_UNSUPPORTED naming the first layer that has none; as `checkWeights`, `prepare`, `lowerMixed`
 */
export function prepareF32(model: Model): Model {
  checkWeights(model.network, model.weights);
  const ready = lowerMixed(prepare(model));
  const layer = ready.network.layers.find(({ op }) => WITHOUT_KERNEL.has(op));
  check(layer === undefined, "ERR_UNSUPPORTED", () => `layer "${layer?.name}": there is no kernel for ${layer?.op}`);
  return ready;
}
