import { check } from "../../errors.ts";
import type { Conv2dLayer, Layer, LinearBlockLayer, Model, Network, Weight, Weights } from "../description.ts";
import { show } from "../layer-fields.ts";
import { inferChannels } from "../shapes.ts";
import { validate } from "../validate.ts";
import { checkWeights, weightShapes, weightUses } from "../weights.ts";
import { addIdentity, collapseFilters, type Filter } from "./collapse-filter.ts";

function collapsedLayer(block: LinearBlockLayer): Conv2dLayer {
  const { name, input, kernel, channels, shortResidual } = block;
  const odd = kernel.every((k) => k % 2 === 1);
  const size = kernel.join("x");
  const message = () =>
    `layer ${show(name)}: kernel: expected odd sizes to fold the short residual into the centre tap, got ${size}`;
  check(!shortResidual || odd, "ERR_UNSUPPORTED", message);
  const hasBias = block.expand.bias !== undefined || block.project.bias !== undefined;
  const weights = { weights: `${name}.weight`, ...(hasBias ? { bias: `${name}.bias` } : {}) };
  return { op: "conv2d", name, input, kernel, stride: 1, padding: "same", channels, ...weights };
}

/** Refuses a collapsed weight whose name another layer's weight bears already: one of the two would be lost. */
function checkNamesFree(before: Network, after: readonly Conv2dLayer[]): void {
  const made = new Set(after.map(({ name }) => name));
  const kept = new Set(
    [...weightUses(before)].flatMap(([layer, uses]) => (made.has(layer) ? [] : uses.map(({ name }) => name))),
  );
  for (const { name, weights, bias } of after) {
    const taken = [weights, bias].find((weight) => weight !== undefined && kept.has(weight));
    const message = () =>
      `layer ${show(name)}: expected ${show(taken)} to be free for the collapsed weight, got it in use`;
    check(taken === undefined, "ERR_NETWORK", message);
  }
}

/**
 * Every linear block becomes one convolution of the same name, whose weights are called `<name>.weight` and `<name>.bias` (no bias if
 * the block has none). A network without linear blocks comes back as it is. After SESR, arXiv 2103.09404.
 * @throws WasmogradError ERR_UNSUPPORTED on an even kernel with a short residual (it has no centre tap); ERR_SHAPE when a short
 *   residual has other channels than its input; ERR_NETWORK when a new weight name is taken
 */
export function collapseNetwork(network: Network): Network {
  const sorted = validate(network);
  inferChannels(sorted);
  const made: Conv2dLayer[] = [];
  const layers = sorted.layers.map((layer): Layer => {
    if (layer.op !== "linear-block") return layer;
    const conv = collapsedLayer(layer);
    made.push(conv);
    return conv;
  });
  if (made.length === 0) return sorted;
  checkNamesFree(sorted, made);
  return validate({ ...sorted, layers });
}

function filterOf(names: { weights: string; bias?: string }, weights: Weights): Filter {
  const { shape, data } = weights.get(names.weights)!;
  const bias = names.bias === undefined ? undefined : weights.get(names.bias)!.data;
  return { shape: shape as Filter["shape"], weights: data, ...(bias ? { bias } : {}) };
}

/**
 * `collapseNetwork` with the weights multiplied out: in float64, rounded to f32 once at the end, so that the result differs from the
 * expanded network by rounding only, at every pixel.
 * @throws WasmogradError as `collapseNetwork`, and ERR_WEIGHTS as `checkWeights`
 */
export function collapse(model: Model): Model {
  const before = validate(model.network);
  const network = collapseNetwork(before);
  checkWeights(before, model.weights);
  if (network === before) return { network, weights: model.weights };
  const made = new Map<string, Weight>();
  for (const block of before.layers) {
    if (block.op !== "linear-block") continue;
    const filter = collapseFilters(filterOf(block.expand, model.weights), filterOf(block.project, model.weights));
    if (block.shortResidual) addIdentity(filter);
    made.set(`${block.name}.weight`, { shape: filter.shape, data: Float32Array.from(filter.weights) });
    made.set(`${block.name}.bias`, { shape: [block.channels], data: Float32Array.from(filter.bias) });
  }
  const weights = new Map<string, Weight>();
  for (const name of weightShapes(network).keys()) weights.set(name, made.get(name) ?? model.weights.get(name)!);
  checkWeights(network, weights);
  return { network, weights };
}
