import { check } from "../errors.ts";
import type { FeatureMap, Model } from "../network/description.ts";
import { inputLayer } from "../network/graph.ts";

/** Runs a fused f32 model and returns the values of its tensors by name (`runReference`, or an engine that keeps them). */
export type Executor = (model: Model, input: FeatureMap<Float32Array>) => ReadonlyMap<string, Float32Array>;

/** Called once per picture with the tensor's values, NHWC without the batch axis. */
export type Observer = (values: Float32Array) => void;

/**
 * Runs a prepared model over calibration inputs and shows each observer the values of its tensor, picture by picture.
 * @param observers by tensor name
 * @throws WasmogradError ERR_ARGUMENT on no inputs and on tensors that `run` leaves out
 */
export function observe(
  model: Model,
  inputs: Iterable<FeatureMap<Float32Array>>,
  run: Executor,
  observers: ReadonlyMap<string, Observer>,
): void {
  const input = inputLayer(model.network).name;
  let pictures = 0;
  for (const picture of inputs) {
    const tensors = run(model, picture);
    for (const [name, look] of observers) {
      const values = name === input ? picture.data : tensors.get(name);
      check(values !== undefined, "ERR_ARGUMENT", () => `run: expected the values of tensor ${name}, got none`);
      look(values);
    }
    pictures++;
  }
  check(pictures > 0, "ERR_ARGUMENT", () => "inputs: expected at least one calibration input, got none");
}
