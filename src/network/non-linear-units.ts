import type { Activation, Network } from "./description.ts";
import { inferShapes, valuesIn } from "./shapes.ts";
import { validate } from "./validate.ts";

/** A restructured activation that is the identity leaves the network linear there. */
const isActive = (activation: Activation | undefined): boolean =>
  activation !== undefined && !(activation.kind === "mixed" && activation.amount === 0);

/**
 * Values of one picture of [height, width] pixels that go through an activation, fused or not: what RAN (arXiv 2208.08562) ties a network's
 * expressivity to. Maxima of pooling and clips are not counted.
 * @throws WasmogradError as `inferShapes`
 */
export function nonLinearUnits(network: Network, input: readonly [height: number, width: number]): number {
  const sorted = validate(network);
  const shapes = inferShapes(sorted, input);
  return sorted.layers
    .filter((layer) => "activation" in layer && isActive(layer.activation))
    .reduce((sum, { name }) => sum + valuesIn(shapes.get(name)!), 0);
}
