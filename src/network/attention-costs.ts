/** What attention costs besides its projections. */
import type { AttentionLayer, Network, Shape } from "./description.ts";
import { headChannels, inferShapes } from "./shapes.ts";
import { validate } from "./validate.ts";

/** Of one attention layer, or summed over several; batch 1. */
export interface AttentionCosts {
  /** Multiply-accumulates of queries with keys, all of them: what `countNetwork` counts. */
  readonly scores: number;
  /** The same where each pair of a symmetric map is computed once: n (n + 1) / 2 for n^2 when q and k are one tensor, else as `scores`. */
  readonly distinctScores: number;
  /** Multiply-accumulates of the map with the values; the other part of what `countNetwork` counts. */
  readonly apply: number;
  /** xca: squares for the norms of the channels of q and k, once where they are one tensor; softmax: none. */
  readonly norms: number;
  /** Of the softmax: one for each entry of the map. */
  readonly exponentials: number;
  /** Values of the different tensors among q, k and v, and of the map of one head. Summed over layers: the largest. */
  readonly buffers: number;
}

/**
 * What one attention layer costs, its projections apart; ours.
 * @param shapes of all tensors, as `inferShapes` gives them
 */
export function attentionCosts(layer: AttentionLayer, shapes: ReadonlyMap<string, Shape>): AttentionCosts {
  const { heads, keyHeads, keyChannels, valueChannels } = headChannels(layer, (tensor) => shapes.get(tensor)![2]);
  const tokens = (tensor: string): number => shapes.get(tensor)![0] * shapes.get(tensor)![1];
  const tensors = [...new Set([layer.q, layer.k, layer.v])];
  const stored = tensors.reduce((sum, tensor) => sum + tokens(tensor) * shapes.get(tensor)![2], 0);
  const [queries, keys] = [tokens(layer.q), tokens(layer.k)];
  const symmetric = layer.q === layer.k;
  const distinct = (n: number, all: number): number => (symmetric ? (n * (n + 1)) / 2 : all);
  if (layer.map === "xca") {
    const entries = keyChannels ** 2;
    return {
      scores: heads * keys * entries,
      distinctScores: heads * keys * distinct(keyChannels, entries),
      apply: heads * keys * entries,
      norms: keys * keyChannels * (symmetric ? heads : heads + keyHeads),
      exponentials: heads * entries,
      buffers: stored + entries,
    };
  }
  const entries = queries * keys;
  return {
    scores: heads * entries * keyChannels,
    distinctScores: heads * distinct(keys, entries) * keyChannels,
    apply: heads * entries * valueChannels,
    norms: 0,
    exponentials: heads * entries,
    buffers: stored + entries,
  };
}

/**
 * The sums over all attention layers of a network, of `buffers` the largest; undefined of a network that has none.
 * @throws WasmogradError as `inferShapes`
 */
export function networkAttentionCosts(
  network: Network,
  input: readonly [height: number, width: number],
): AttentionCosts | undefined {
  const sorted = validate(network);
  const shapes = inferShapes(sorted, input);
  const costs = sorted.layers.flatMap((layer) => (layer.op === "attention" ? [attentionCosts(layer, shapes)] : []));
  if (costs.length === 0) return undefined;
  return costs.reduce((a, b) => ({
    scores: a.scores + b.scores,
    distinctScores: a.distinctScores + b.distinctScores,
    apply: a.apply + b.apply,
    norms: a.norms + b.norms,
    exponentials: a.exponentials + b.exponentials,
    buffers: Math.max(a.buffers, b.buffers),
  }));
}
