/** RAN-e's restructuring (arXiv 2208.08562): what is left of a block without its activations is one convolution. */
import { check } from "../../errors.ts";
import type { Conv2dLayer, Layer, Model, Weight } from "../description.ts";
import { readers } from "../graph.ts";
import { show } from "../layer-fields.ts";
import { validate } from "../validate.ts";
import { checkWeights } from "../weights.ts";
import type { Filter } from "./collapse-filter.ts";
import { compose, isPointwise, obstacle } from "./compose-filters.ts";
import { foldBatchNorms } from "./fold-batch-norm.ts";
import { withNewWeights } from "./new-weights.ts";

/** A block to collapse: from which convolution to which, both included, by layer name. */
export interface LinearChain {
  /** Name of the first convolution. */
  readonly first: string;
  /** Name of the last layer. */
  readonly last: string;
}

/** The layers from `first` to `last`, each the only reader of the one before. @throws WasmogradError ERR_NETWORK */
function chainOf(layers: readonly Layer[], counts: ReadonlyMap<string, number>, { first, last }: LinearChain): Layer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const chain: Layer[] = [];
  for (let name = last; ; ) {
    const layer = byName.get(name);
    check(layer !== undefined, "ERR_NETWORK", () => `block: expected the name of a layer, got ${show(name)}`);
    chain.unshift(layer);
    if (name === first) return chain;
    const straight = "input" in layer && (layer.op !== "conv2d" || !layer.residual);
    check(
      straight,
      "ERR_NETWORK",
      () => `block: expected a straight chain from ${show(first)} to ${show(last)}, got ${show(name)} in it`,
    );
    name = layer.input;
    check(
      counts.get(name) === 1,
      "ERR_UNSUPPORTED",
      () => `layer ${show(name)}: expected one reader inside a block, got ${counts.get(name)}`,
    );
  }
}

/** The convolutions of a chain, if nothing between them bends. @throws WasmogradError ERR_UNSUPPORTED naming what does */
function linearConvolutions(chain: readonly Layer[]): Conv2dLayer[] {
  return chain.flatMap((layer, i) => {
    const { name } = layer;
    if (layer.op === "activation") {
      const { activation, affine } = layer;
      const amount = activation.kind === "mixed" ? activation.amount : 1;
      check(
        amount === 0,
        "ERR_UNSUPPORTED",
        () =>
          `layer ${show(name)}: expected a restructurable activation with amount 0, got ${activation.kind} with ${amount}`,
      );
      check(
        affine === undefined,
        "ERR_UNSUPPORTED",
        () => `layer ${show(name)}: a factor and an offset have no place in a collapsed block`,
      );
      return [];
    }
    check(layer.op === "conv2d", "ERR_UNSUPPORTED", () => `layer ${show(name)}: ${layer.op} cannot be collapsed`);
    const inside = i < chain.length - 1;
    check(
      !(inside && layer.activation),
      "ERR_UNSUPPORTED",
      () => `layer ${show(name)}: expected no activation inside a block`,
    );
    return [layer];
  });
}

interface Convolution {
  readonly layer: Conv2dLayer;
  readonly filter: Filter;
}

/** @throws WasmogradError ERR_UNSUPPORTED when the two are no single convolution */
function composed(first: Convolution, second: Convolution): Convolution {
  const reason = obstacle(first.layer, second.layer, first.filter.bias);
  check(reason === undefined, "ERR_UNSUPPORTED", () => `layer ${show(second.layer.name)}: ${reason}`);
  const filter = compose(first, second);
  const [channels, height, width] = filter.shape;
  // One of the two is a 1x1 with stride 1: stride and padding are the other's.
  const { stride, padding } = isPointwise(first.layer) ? second.layer : first.layer;
  const { op, name, input, weights } = first.layer;
  return { layer: { op, name, input, kernel: [height, width], stride, padding, channels, weights }, filter };
}

/** What a layer is called once normalisations are folded: a convolution takes the name of the one behind it. */
function namesAfterFolding(before: Model["network"], after: Model["network"]): (name: string) => string {
  const present = new Set(after.layers.map(({ name }) => name));
  const norms = before.layers.flatMap((l) => (l.op === "batch-norm" ? [[l.input, l.name] as const] : []));
  const behind = new Map(norms);
  const now = (name: string): string => {
    const next = present.has(name) ? undefined : behind.get(name);
    return next === undefined ? name : now(next);
  };
  return now;
}

/**
 * Collapses blocks whose restructurable activations are all at amount 0: batch normalisations are folded, the convolutions multiplied out
 * in float64 and rounded to f32 once. Exact at borders: 1x1 behind anything, or anything behind a 1x1 without bias; other chains are
 * refused. The convolution bears the name of the block's last layer; its weights are called `<name>.collapsed.*`.
 * @param blocks names as in `model`
 * @throws WasmogradError ERR_UNSUPPORTED when an amount is not 0 or a chain is no single convolution, ERR_NETWORK on names that are no
 *   chain; as `foldBatchNorms`
 */
export function restructure(model: Model, blocks: readonly LinearChain[]): Model {
  const original = validate(model.network);
  checkWeights(original, model.weights);
  const folded = foldBatchNorms(model);
  const before = validate(folded.network);
  const counts = readers(before);
  const nameNow = namesAfterFolding(original, before);
  const withFilter = (layer: Conv2dLayer): Convolution => {
    const { shape, data } = folded.weights.get(layer.weights)!;
    const bias = layer.bias === undefined ? undefined : folded.weights.get(layer.bias)!.data;
    return { layer, filter: { shape: shape as Filter["shape"], weights: data, ...(bias && { bias }) } };
  };
  const made = new Map<string, Weight>();
  const gone = new Set<string>();
  const collapsed = new Map<string, Conv2dLayer>();
  for (const block of blocks) {
    const chain = chainOf(before.layers, counts, { first: nameNow(block.first), last: nameNow(block.last) });
    const convolutions = linearConvolutions(chain);
    check(convolutions.length > 0, "ERR_NETWORK", () => `block: expected a convolution in ${show(block)}`);
    const { layer, filter } = convolutions.map(withFilter).reduce(composed);
    const { name } = chain.at(-1)!;
    const names = { weights: `${name}.collapsed.weight`, bias: `${name}.collapsed.bias` };
    const bias = filter.bias ?? new Float64Array(layer.channels);
    made.set(names.weights, { shape: filter.shape, data: Float32Array.from(filter.weights) });
    made.set(names.bias, { shape: [layer.channels], data: Float32Array.from(bias) });
    for (const inner of chain) gone.add(inner.name);
    const activation = convolutions.at(-1)!.activation;
    collapsed.set(name, { ...layer, name, ...names, ...(activation && { activation }) });
  }
  const layers = before.layers.flatMap((layer) => {
    const now = collapsed.get(layer.name) ?? (gone.has(layer.name) ? undefined : layer);
    return now ? [now] : [];
  });
  return withNewWeights(validate({ ...before, layers }), folded.weights, made);
}
