/** Models whose time is measured: their weights are random, as time does not depend on what they are. */
import type { Model, Network, Weight } from "../network/description.ts";
import { prepare } from "../network/passes/prepare.ts";
import { valuesIn } from "../network/shapes.ts";
import { weightUses } from "../network/weights.ts";
import { type QuantisedModel, quantise } from "../quantization/quantise.ts";
import type { RandomSource } from "../random.ts";

/** Filters of variance 2 / fan-in, so that values keep their size; slopes below 1, as trained ones are; the rest near 1. */
export function randomModel(network: Network, random: RandomSource): Model {
  const weights = new Map<string, Weight>();
  for (const { name, role, shape } of [...weightUses(network).values()].flat()) {
    const length = valuesIn(shape);
    const deviation = Math.sqrt((2 * shape[0]!) / length);
    const draw = (): number => {
      if (role === "filter") return deviation * random.normal();
      return role === "slope" ? 0.5 * random.uniform() : 0.5 + random.uniform();
    };
    weights.set(name, { shape, data: Float32Array.from({ length }, draw) });
  }
  return { network, weights };
}

/** The int8 form, with one range for every tensor. */
export function quantised(model: Model): QuantisedModel {
  const { layers } = prepare(model).network;
  return quantise(model, Object.fromEntries(layers.map(({ name }) => [name, { min: -4, max: 4 }])));
}
