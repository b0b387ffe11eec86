/** Of layers whose first token alone is wanted, only the first token is computed. */
import { check } from "../../errors.ts";
import type { Layer, Model, Network, TakeTokenLayer } from "../description.ts";
import { tensorsRead, withoutUnread } from "../graph.ts";
import { show } from "../layer-fields.ts";
import { validate } from "../validate.ts";
import { withNewWeights } from "./new-weights.ts";

/** The layer on tokens taken before it, or undefined where its first token depends on others. `take` names the first token of a tensor. */
function onFirstToken(layer: Layer, take: (tensor: string) => string): Layer | undefined {
  switch (layer.op) {
    case "conv2d": {
      const pointwise = layer.kernel.every((size) => size === 1) && layer.stride === 1 && !layer.residual;
      const padded = typeof layer.padding === "number" && layer.padding > 0;
      return pointwise && !padded ? { ...layer, input: take(layer.input) } : undefined;
    }
    case "activation":
    case "batch-norm":
    case "channel-affine":
    case "clip":
    case "layer-norm":
    case "offset":
    case "pivot-projection":
      return { ...layer, input: take(layer.input) };
    case "add":
      return { ...layer, inputs: [take(layer.inputs[0]), take(layer.inputs[1])] };
    case "attention":
      // One query meets all keys.
      return layer.map === "softmax" ? { ...layer, q: take(layer.q) } : undefined;
    default:
      return undefined;
  }
}

/** The layer with tensors called by other names. */
function renamed<L extends Layer>(layer: L, names: ReadonlyMap<string, string>): L {
  const now = (tensor: string): string => names.get(tensor) ?? tensor;
  switch (layer.op) {
    case "input":
      return layer;
    case "add":
    case "replace-token":
      return { ...layer, inputs: [now(layer.inputs[0]), now(layer.inputs[1])] };
    case "attention":
      return { ...layer, q: now(layer.q), k: now(layer.k), v: now(layer.v) };
    case "conv2d": {
      const residual = layer.residual && { residual: { ...layer.residual, tensor: now(layer.residual.tensor) } };
      return { ...layer, input: now(layer.input), ...residual };
    }
    default:
      return { ...layer, input: now(layer.input) };
  }
}

/**
 * Moves take-token layers up as far as what they read is read by nothing else: past layers that compute each token by itself, sums, and
 * softmax attention, of which one query is left. A token that was put back and is taken again is taken where it was made. The function
 * stays the same; the last block of a vision transformer computes one token in place of all, and int8 ranges behind are its own.
 *
 * Layers keep their names, as far as they are not the network's output; tokens that are taken anew are called `<tensor>.first`.
 * @throws WasmogradError ERR_NETWORK when such a name is taken; as `validate`
 */
export function takeTokensEarly(model: Model): Model {
  if (!model.network.layers.some(({ op }) => op === "take-token")) return model;
  return withNewWeights(takeTokensEarlyNetwork(model.network), model.weights, new Map());
}

/** `takeTokensEarly` without weights, which it does not change. */
export function takeTokensEarlyNetwork(network: Network): Network {
  const before = validate(network);
  if (!before.layers.some(({ op }) => op === "take-token")) return before;
  const taken = new Set(before.layers.map(({ name }) => name));
  const names = new Map<string, string>();
  const output = before.output;
  const layers = new Map(before.layers.map((layer) => [layer.name, layer]));

  /** The take-token layers behind a tensor, if nothing but these read it. */
  const takersOf = (tensor: string): readonly TakeTokenLayer[] => {
    const readers = [...layers.values()].filter((layer) => tensorsRead(layer).includes(tensor));
    const takers = readers.filter((layer) => layer.op === "take-token");
    return tensor !== output && takers.length === readers.length ? takers : [];
  };
  const take = (tensor: string): string => {
    const known = [...layers.values()].find((layer) => layer.op === "take-token" && layer.input === tensor);
    if (known) return known.name;
    const name = `${tensor}.first`;
    check(!taken.has(name), "ERR_NETWORK", () => `layer ${show(name)}: expected the name to be free, got it in use`);
    taken.add(name);
    layers.set(name, { op: "take-token", name, input: tensor });
    return name;
  };
  /** Puts one layer in place of another and the tokens that were taken of it; all are called by one name. */
  const replace = (old: string, takers: readonly TakeTokenLayer[], make: (name: string) => Layer | string): void => {
    const last = takers.find(({ name }) => name === output);
    const made = make(last?.name ?? old);
    const name = typeof made === "string" ? made : made.name;
    for (const gone of [old, ...takers.map((taker) => taker.name)]) {
      layers.delete(gone);
      if (gone !== name) names.set(gone, name);
    }
    if (typeof made !== "string") layers.set(name, made);
    for (const [key, layer] of layers) layers.set(key, renamed(layer, names));
    names.clear();
  };

  for (const layer of [...before.layers].reverse()) {
    const now = layers.get(layer.name);
    if (now === undefined) continue;
    const takers = takersOf(now.name);
    if (takers.length === 0) continue;
    if (now.op === "replace-token") {
      // A token that is the output keeps the name that it has there.
      if (!takers.some(({ name }) => name === output)) replace(now.name, takers, () => now.inputs[1]);
      continue;
    }
    const early = onFirstToken(now, take);
    if (early) replace(now.name, takers, (name) => ({ ...early, name }));
  }
  return validate(withoutUnread({ ...before, layers: [...layers.values()] }));
}
