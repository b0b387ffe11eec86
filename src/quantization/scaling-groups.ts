import type { Activation, Layer, Network } from "../network/description.ts";
import { tensorsRead } from "../network/graph.ts";
import { inferChannels } from "../network/shapes.ts";
import { validate } from "../network/validate.ts";
import { weightUses } from "../network/weights.ts";

/** Tensors whose channels can be scaled, but only alike, as sums of layers of their own and activations join them channel by channel. */
export interface ScalingGroup {
  /** In topological order; the first one names the group. */
  readonly tensors: readonly string[];
  /** Channels of each of them. */
  readonly channels: number;
}

/** act(s * x) = s * act(x) for s > 0: all but ReLU6, which clamps at a constant. */
function homogeneous(activation: Activation | undefined): boolean {
  return activation?.kind !== "relu6";
}

/** What a layer demands of the scales of tensors: to be equal, or to stay 1. */
interface Demand {
  readonly tensors: readonly string[];
  readonly kind: "tied" | "fixed";
}

/** Whether one channel is broadcast over many: then each tensor stays as it is. */
function broadcasts(tensors: readonly string[], channels: ReadonlyMap<string, number>): boolean {
  return new Set(tensors.map((tensor) => channels.get(tensor))).size > 1;
}

function demandsOf(layer: Layer, channels: ReadonlyMap<string, number>, shared: ReadonlySet<string>): Demand[] {
  const { name } = layer;
  switch (layer.op) {
    case "input":
      return [{ tensors: [name], kind: "fixed" }];
    case "conv2d": {
      const demands: Demand[] = [];
      if (!homogeneous(layer.activation)) demands.push({ tensors: [name], kind: "fixed" });
      // A weight that serves several layers cannot follow the scales of one of them.
      const shares = (...weights: readonly (string | undefined)[]) =>
        weights.some((weight) => weight !== undefined && shared.has(weight));
      if (shares(layer.weights, layer.bias)) demands.push({ tensors: [name, layer.input], kind: "fixed" });
      // A fused residual has a scale a channel of its own, and so ties nothing.
      if (layer.residual) {
        const tensors = [name, layer.residual.tensor];
        if (broadcasts(tensors, channels) || shares(layer.residual.scale)) demands.push({ tensors, kind: "fixed" });
      }
      return demands;
    }
    case "activation":
      return [{ tensors: [name, layer.input], kind: homogeneous(layer.activation) ? "tied" : "fixed" }];
    case "add": {
      const tensors = [name, ...layer.inputs];
      return [{ tensors, kind: broadcasts(tensors, channels) ? "fixed" : "tied" }];
    }
    default:
      return [{ tensors: [name, ...tensorsRead(layer)], kind: "fixed" }];
  }
}

/** Names of the weights that occur more than once. */
function sharedWeights(network: Network): Set<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { name } of [...weightUses(network).values()].flat()) {
    if (seen.has(name)) shared.add(name);
    seen.add(name);
  }
  return shared;
}

/**
 * The groups of tensors between convolutions whose channels may be scaled without changing what the network computes: the convolutions
 * before divide by the scales, those behind multiply. A residual that is fused into a convolution is multiplied by the ratio of the
 * scales of both and ties nothing. Left out is every group that touches the network's input or output, an
 * offset, a clip, depth-to-space, ReLU6, a linear block, a sum that broadcasts one channel, or a convolution with shared weights.
 * @throws WasmogradError as `validate` and `inferChannels`
 */
export function scalingGroups(network: Network): ScalingGroup[] {
  const { layers, output } = validate(network);
  const channels = inferChannels(network);
  const shared = sharedWeights(network);
  const demands = layers.flatMap((layer) => demandsOf(layer, channels, shared));
  const groupOf = new Map(layers.map(({ name }): [string, Set<string>] => [name, new Set([name])]));
  for (const { tensors, kind } of demands) {
    if (kind === "fixed") continue;
    const joined = new Set(tensors.flatMap((tensor) => [...groupOf.get(tensor)!]));
    for (const tensor of joined) groupOf.set(tensor, joined);
  }
  const fixed = new Set([output, ...demands.flatMap(({ tensors, kind }) => (kind === "fixed" ? tensors : []))]);
  const order = layers.map(({ name }) => name);
  return [...new Set(groupOf.values())]
    .filter((group) => ![...group].some((tensor) => fixed.has(tensor)))
    .map((group) => order.filter((name) => group.has(name)))
    .map((tensors) => ({ tensors, channels: channels.get(tensors[0]!)! }));
}
