import type {
  Activation,
  ActivationLayer,
  AddLayer,
  ChannelAffineLayer,
  Conv2dLayer,
  Layer,
  Model,
  Network,
} from "../description.ts";
import { readers } from "../graph.ts";
import { inferChannels } from "../shapes.ts";
import { validate } from "../validate.ts";

/** Activations that a convolution's epilogue has. */
const FUSABLE: ReadonlySet<Activation["kind"]> = new Set(["relu", "relu6", "prelu"]);

/** The convolution with the activation behind it, or undefined when the two must stay apart. */
function withActivation(conv: Conv2dLayer, { name, activation, affine }: ActivationLayer): Conv2dLayer | undefined {
  if (conv.activation || affine || !FUSABLE.has(activation.kind)) return undefined;
  // Behind a residual only a clamp can follow: PReLU chooses its factor by the accumulator's sign, before the residual is added.
  if (conv.residual && activation.kind === "prelu") return undefined;
  const residual = conv.residual && { residual: { ...conv.residual, position: "before-activation" as const } };
  return { ...conv, name, activation, ...residual };
}

/** The convolution with `tensor` added to its output, or undefined. ReLU6 clamps on both sides, so nothing may follow it. */
function withResidual(conv: Conv2dLayer, name: string, tensor: string, channels: number): Conv2dLayer | undefined {
  if (conv.residual || conv.activation?.kind === "relu6") return undefined;
  if (channels !== 1 && channels !== conv.channels) return undefined;
  return { ...conv, name, residual: { tensor, position: conv.activation ? "after-activation" : "before-activation" } };
}

/** The activation with a channel-affine layer before it taken in. */
function withAffine({ input, scale, offset }: ChannelAffineLayer, layer: ActivationLayer): ActivationLayer {
  return { ...layer, input, affine: { scale, ...(offset === undefined ? {} : { offset }) } };
}

/**
 * Takes activations and residual sums into the convolutions before them, so that one pass over the output does all:
 *
 *     conv -> act                conv { activation }
 *     conv -> add                conv { residual before-activation }
 *     conv -> add -> relu(6)     conv { residual before-activation, activation }
 *     conv -> relu|prelu -> add  conv { activation, residual after-activation }
 *     channel-affine -> act      act { affine }
 *
 * Only if nobody else reads the tensor between. Not fused, as the int8 kernels have no such form: conv -> add -> prelu,
 * conv -> relu6 -> add, and activations other than relu, relu6 and prelu. The residual must have the convolution's channels, or one that
 * is broadcast.
 *
 * The fused layer bears the name of the last layer it stands for, as that is the tensor it produces: names that calibration knows and
 * the network's output stay valid. Linear blocks stay as they are: collapse first.
 * @throws WasmogradError ERR_NETWORK as `validate`; ERR_SHAPE on channels that do not fit
 */
export function fuseNetwork(network: Network): Network {
  const sorted = validate(network);
  const channels = inferChannels(sorted);
  const counts = readers(sorted);
  const kept = new Map<string, Layer>();
  const position = new Map(sorted.layers.map(({ name }, i) => [name, i]));

  const soleReader = (tensor: string): Conv2dLayer | undefined => {
    const layer = kept.get(tensor);
    return layer?.op === "conv2d" && counts.get(tensor) === 1 ? layer : undefined;
  };
  const fuseAdd = ({ name, inputs: [a, b] }: AddLayer): { layer: Conv2dLayer; from: string } | undefined => {
    // Of two convolutions the later one absorbs the sum: the earlier one's output exists by then.
    const candidates =
      position.get(a)! > position.get(b)! ? [[a, b] as const, [b, a] as const] : [[b, a] as const, [a, b] as const];
    for (const [from, other] of candidates) {
      const before = soleReader(from);
      const conv = before && withResidual(before, name, other, channels.get(other)!);
      if (conv) return { layer: conv, from };
    }
    return undefined;
  };

  for (const layer of sorted.layers) {
    let fused: { layer: Layer; from: string } | undefined;
    if (layer.op === "activation") {
      const before = soleReader(layer.input);
      const conv = before && withActivation(before, layer);
      const source = kept.get(layer.input);
      if (conv) fused = { layer: conv, from: layer.input };
      else if (source?.op === "channel-affine" && counts.get(layer.input) === 1 && !layer.affine) {
        fused = { layer: withAffine(source, layer), from: layer.input };
      }
    } else if (layer.op === "add") {
      fused = fuseAdd(layer);
    }
    // The fused layer takes the place of the last layer, behind everything that its residual depends on.
    if (fused) kept.delete(fused.from);
    kept.set(layer.name, fused?.layer ?? layer);
  }
  if (kept.size === sorted.layers.length) return sorted;
  return validate({ ...sorted, layers: [...kept.values()] });
}

/** `fuseNetwork` on a model; weights stay as they are. @throws WasmogradError as `fuseNetwork` */
export function fuse(model: Model): Model {
  return { network: fuseNetwork(model.network), weights: model.weights };
}
