/** Restructurable activations in f32: the activation, two factors and a sum, for which there are kernels. */
import type { Activation, ActivationLayer, Layer, Model, Network, Weight } from "../description.ts";
import { inferChannels } from "../shapes.ts";
import { validate } from "../validate.ts";
import { withNewWeights } from "./new-weights.ts";

type MixedLayer = ActivationLayer & { readonly activation: Extract<Activation, { readonly kind: "mixed" }> };

const isMixed = (layer: Layer): layer is MixedLayer => layer.op === "activation" && layer.activation.kind === "mixed";

/** The name of the weight that holds a factor, once a channel. */
const factorsName = (name: string, value: number): string => `${name}.${value}`;

function lowered({ name, input: from, affine, activation }: MixedLayer): Layer[] {
  const [input, curved, straight] = [`${name}.input`, `${name}.curved`, `${name}.straight`];
  const x = affine ? input : from;
  const { of, amount } = activation;
  return [
    ...(affine ? [{ op: "channel-affine", name: input, input: from, ...affine } as const] : []),
    { op: "activation", name: `${curved}.unit`, input: x, activation: { kind: of } },
    { op: "channel-affine", name: curved, input: `${curved}.unit`, scale: factorsName(name, amount) },
    { op: "channel-affine", name: straight, input: x, scale: factorsName(name, 1 - amount) },
    { op: "add", name, inputs: [curved, straight] },
  ];
}

/** `lowerMixed` without weights. @throws WasmogradError as `validate` */
export function lowerMixedNetwork(network: Network): Network {
  const before = validate(network);
  if (!before.layers.some(isMixed)) return before;
  const layers = before.layers.flatMap((layer): Layer[] => (isMixed(layer) ? lowered(layer) : [layer]));
  return validate({ ...before, layers });
}

/**
 * Mixed activations, a * h(x) + (1 - a) * x (RAN-e, official code), as layers of their own. Not for int8, where one table does it all.
 * @throws WasmogradError ERR_NETWORK when a new name is taken
 */
export function lowerMixed(model: Model): Model {
  const before = validate(model.network);
  if (!before.layers.some(isMixed)) return model;
  const channels = inferChannels(before);
  const made = new Map<string, Weight>();
  for (const layer of before.layers) {
    if (!isMixed(layer)) continue;
    const count = channels.get(layer.name)!;
    for (const value of [layer.activation.amount, 1 - layer.activation.amount]) {
      made.set(factorsName(layer.name, value), { shape: [count], data: new Float32Array(count).fill(value) });
    }
  }
  return withNewWeights(lowerMixedNetwork(before), model.weights, made);
}
