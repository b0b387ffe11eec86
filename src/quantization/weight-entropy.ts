/** How far a network's own weights would compress: what the timing model asks of weights, measured instead of assumed. */
import type { Layer, Model } from "../network/description.ts";
import { collapse } from "../network/passes/collapse.ts";
import { quantiseWeights } from "./weights.ts";

/** What `simulate` asks the size of: the description's layers that an operation stands for, and its filters. */
export interface SizedOperation {
  /** By name. */
  readonly layers: readonly string[];
  /** Of its filters, zeros of padding not counted. */
  readonly filter: { readonly values: number };
}

/** Bits a value that no coder of single values can do without: sum of -p log2 p over the values that occur. */
export function entropyOf(values: Int8Array): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / values.length) * Math.log2(count / values.length);
  return bits;
}

/** The filter of a layer, or undefined. */
function filterOf(layer: Layer, weights: Model["weights"]): { data: Float32Array; channels: number } | undefined {
  switch (layer.op) {
    case "conv2d":
    case "conv2d-transpose":
    case "pivot-projection": {
      const filter = weights.get(layer.weights)!;
      return { data: filter.data, channels: filter.shape[0]! };
    }
    default:
      return undefined;
  }
}

/**
 * Sizes for `simulate`'s `encodedSize`: the entropy of each operation's int8 weights (symmetric, per output channel), which normalisations
 * folded in later do not change, for they scale whole channels. A lower bound: real streams have tables, slices and padding, and small
 * layers need more. Operations without a filter of the model take a byte a value.
 * @returns bytes of an operation's weights
 * @throws WasmogradError as `collapse`
 */
export function measuredSize(model: Model): (operation: SizedOperation) => number {
  const { network, weights } = collapse(model);
  const sizes = new Map<string, number>();
  for (const layer of network.layers) {
    const filter = filterOf(layer, weights);
    if (!filter) continue;
    const { weights: values } = quantiseWeights(filter.data, filter.channels);
    sizes.set(layer.name, Math.ceil((entropyOf(values) * values.length) / 8));
  }
  return ({ layers, filter }) => {
    const measured = layers.map((name) => sizes.get(name)).find((size) => size !== undefined);
    return measured ?? filter.values;
  };
}
