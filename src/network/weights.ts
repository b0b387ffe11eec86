import { check } from "../errors.ts";
import type { Layer, Network, RealWeights } from "./description.ts";
import { show } from "./layer-fields.ts";
import { inferChannels, valuesIn } from "./shapes.ts";
import { validate } from "./validate.ts";

/**
 * What a weight is for; only "filter" values count as `weights` in the published tables. "norm": scales and offsets of normalisations,
 * layer scales, scales of fused residuals and temperatures of attention; "embedding": learnt tokens and positions; "statistic": running means and variances, which
 * are not trained and so no parameters.
 */
export type WeightRole = "filter" | "bias" | "slope" | "norm" | "embedding" | "statistic";

export interface WeightUse {
  readonly name: string;
  readonly role: WeightRole;
  /** Filters OHWI [out, height, width, in]; positions [tokens, channels]; all others [channels], temperatures [heads]. */
  readonly shape: readonly number[];
}

/** The weights that one layer reads; `inChannels` are those of its input tensor. */
export function weightsOfLayer(layer: Layer, inChannels: number): WeightUse[] {
  const uses: WeightUse[] = [];
  const filter = (names: { weights: string; bias?: string }, shape: readonly number[]) => {
    uses.push({ name: names.weights, role: "filter", shape });
    if (names.bias !== undefined) uses.push({ name: names.bias, role: "bias", shape: [shape[0]!] });
  };
  const vectors = (role: WeightRole, names: readonly (string | undefined)[]) => {
    for (const name of names) if (name !== undefined) uses.push({ name, role, shape: [inChannels] });
  };
  if (layer.op === "conv2d" || layer.op === "conv2d-transpose") {
    const depthwise = layer.op === "conv2d" && layer.depthwise;
    filter(layer, [layer.channels, ...layer.kernel, depthwise ? 1 : inChannels]);
    const scale = layer.op === "conv2d" ? layer.residual?.scale : undefined;
    if (scale !== undefined) uses.push({ name: scale, role: "norm", shape: [layer.channels] });
  } else if (layer.op === "linear-block") {
    filter(layer.expand, [layer.expansion, ...layer.kernel, inChannels]);
    filter(layer.project, [layer.channels, 1, 1, layer.expansion]);
  } else if (layer.op === "batch-norm") {
    vectors("norm", [layer.scale, layer.offset]);
    vectors("statistic", [layer.mean, layer.variance]);
  } else if (layer.op === "layer-norm" || layer.op === "channel-affine") {
    vectors("norm", [layer.scale, layer.offset]);
  } else if (layer.op === "attention" && layer.temperature !== undefined) {
    uses.push({ name: layer.temperature, role: "norm", shape: [layer.heads] });
  } else if (layer.op === "class-token") {
    uses.push({ name: layer.weights, role: "embedding", shape: [inChannels] });
  } else if (layer.op === "positions") {
    uses.push({ name: layer.weights, role: "embedding", shape: [layer.tokens, inChannels] });
  } else if (layer.op === "pivot-projection") {
    const own = layer.pivots[0]!.length;
    uses.push({ name: layer.weights, role: "filter", shape: [layer.pivots.length * own, 1, 1, inChannels - own] });
  } else if (layer.op === "activation" && layer.affine) {
    vectors("norm", [layer.affine.scale, layer.affine.offset]);
  }
  if ((layer.op === "conv2d" || layer.op === "activation") && layer.activation?.kind === "prelu") {
    const channels = layer.op === "conv2d" ? layer.channels : inChannels;
    uses.push({ name: layer.activation.slope, role: "slope", shape: [channels] });
  }
  return uses;
}

/** The weights of every layer, in the order of the sorted network; a shared weight appears at each of its uses. */
export function weightUses(network: Network): Map<string, WeightUse[]> {
  const channels = inferChannels(network);
  return new Map(
    validate(network).layers.map((layer): [string, WeightUse[]] => [
      layer.name,
      weightsOfLayer(layer, "input" in layer ? channels.get(layer.input)! : 0),
    ]),
  );
}

/**
 * Name -> shape of every weight that a network expects: filters OHWI [out, height, width, in], vectors [channels].
 * @throws WasmogradError ERR_NETWORK when two layers share a name but need different shapes; as `validate`
 */
export function weightShapes(network: Network): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const use of [...weightUses(network).values()].flat()) {
    const other = shapes.get(use.name);
    const message = () => `weight ${show(use.name)}: expected one shape, got ${show(other)} and ${show(use.shape)}`;
    check(other === undefined || String(other) === String(use.shape), "ERR_NETWORK", message);
    shapes.set(use.name, use.shape);
  }
  return shapes;
}

/** Its index, or -1. A loop, as every pass asks this of millions of values and `findIndex` takes eight times as long. */
function firstNotFinite(data: Float32Array | Float64Array): number {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) return i;
  return -1;
}

/**
 * Checks that `weights` are exactly those of the network: nothing missing, nothing extra, shapes and lengths right, values finite.
 * @throws WasmogradError ERR_WEIGHTS, one line that lists every fault
 */
export function checkWeights(network: Network, weights: RealWeights): void {
  checkWeightsAgainst(weightShapes(network), weights, network.name);
}

/**
 * The same for weights whose names and shapes are known otherwise.
 * @param owner what they are the weights of
 * @throws WasmogradError ERR_WEIGHTS, one line that lists every fault
 */
export function checkWeightsAgainst(
  expected: ReadonlyMap<string, readonly number[]>,
  weights: RealWeights,
  owner: string,
): void {
  const faults: string[] = [];
  for (const [name, shape] of expected) {
    const weight = weights.get(name);
    if (!weight) {
      faults.push(`${show(name)} is missing, expected ${show(shape)}`);
      continue;
    }
    const { data } = weight;
    const length = valuesIn(shape);
    if (String(weight.shape) !== String(shape)) {
      faults.push(`${show(name)} has shape ${show(weight.shape)}, expected ${show(shape)}`);
    } else if (data.length !== length) {
      faults.push(`${show(name)} has ${data.length} values, expected ${length}`);
    }
    const bad = firstNotFinite(data);
    if (bad >= 0) faults.push(`${show(name)} is ${data[bad]} at index ${bad}, expected finite values`);
  }
  for (const name of weights.keys())
    if (!expected.has(name)) faults.push(`${show(name)} is not a weight of the network`);
  check(faults.length === 0, "ERR_WEIGHTS", () => `weights of ${show(owner)}: ${faults.join("; ")}`);
}
