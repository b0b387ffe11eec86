/** Restructurable activations in f32: the activation, two factors and a sum, for which there are kernels. */
import type { ActivationLayer, Layer, Model, Weight } from "../description.ts";
import { inferChannels } from "../shapes.ts";
import { validate } from "../validate.ts";
import { withNewWeights } from "./new-weights.ts";

/**
 * a * h(x) + (1 - a) * x as layers of their own. Not for int8, where one table does it all.
 * @throws WasmogradError ERR_NETWORK when a new name is taken
 */
export function lowerMixed(model: Model): Model {
  const before = validate(model.network);
  const isMixed = (layer: Layer): layer is ActivationLayer =>
    layer.op === "activation" && layer.activation.kind === "mixed";
  if (!before.layers.some(isMixed)) return model;
  const channels = inferChannels(before);
  const made = new Map<string, Weight>();
  const factors = (name: string, value: number): string => {
    const count = channels.get(name)!;
    const weight = `${name}.${value}`;
    made.set(weight, { shape: [count], data: new Float32Array(count).fill(value) });
    return weight;
  };
  const layers = before.layers.flatMap((layer): Layer[] => {
    if (!isMixed(layer) || layer.activation.kind !== "mixed") return [layer];
    const { name, affine, activation } = layer;
    const [input, curved, straight] = [`${name}.input`, `${name}.curved`, `${name}.straight`];
    const x = affine ? input : layer.input;
    return [
      ...(affine ? [{ op: "channel-affine", name: input, input: layer.input, ...affine } as const] : []),
      { op: "activation", name: `${curved}.unit`, input: x, activation: { kind: activation.of } },
      { op: "channel-affine", name: curved, input: `${curved}.unit`, scale: factors(name, activation.amount) },
      { op: "channel-affine", name: straight, input: x, scale: factors(name, 1 - activation.amount) },
      { op: "add", name, inputs: [curved, straight] },
    ];
  });
  return withNewWeights(validate({ ...before, layers }), model.weights, made);
}
