import { check } from "../errors.ts";
import type { Conv2dLayer, FusedResidual, Layer, Model, Weight } from "../network/description.ts";
import { show } from "../network/layer-fields.ts";
import { prepare } from "../network/passes/prepare.ts";
import { validate } from "../network/validate.ts";
import { scalingGroups } from "./scaling-groups.ts";

/**
 * Scales by tensor: channel c of the tensor is to be stored divided by scale c. One entry serves all tensors that `add` and activation
 * layers tie to the named one; a residual that is fused into a convolution ties nothing, so either tensor has an entry of its own. Tensors
 * without an entry stay as they are. Plain data, so it can be stored as JSON.
 */
export type Equalisation = Readonly<Record<string, readonly number[]>>;

/** @throws WasmogradError ERR_SHAPE, ERR_QUANTIZATION */
function checkScales(name: string, scales: readonly number[], channels: number): void {
  const count = Array.isArray(scales) ? scales.length : typeof scales;
  const message = () => `equalisation of ${name}: expected ${channels} scales, got ${count}`;
  check(count === channels, "ERR_SHAPE", message);
  const bad = scales.findIndex((scale) => !(scale > 0 && Number.isFinite(scale)));
  const unsound = () => `equalisation of ${name}: expected positive finite scales, got ${scales[bad]} at index ${bad}`;
  check(bad < 0, "ERR_QUANTIZATION", unsound);
}

/** Scales of every tensor that has them, members of a group included. */
function scalesByTensor({ network }: Model, equalisation: Equalisation): Map<string, readonly number[]> {
  const groups = scalingGroups(network);
  const scales = new Map<string, readonly number[]>();
  for (const [name, own] of Object.entries(equalisation)) {
    const group = groups.find(({ tensors }) => tensors.includes(name));
    const unknown = () => `equalisation: expected tensors whose channels can be scaled, got ${name}`;
    check(group !== undefined, "ERR_ARGUMENT", unknown);
    const twice = () => `equalisation of ${name}: expected one entry for tied tensors, got two`;
    check(!scales.has(name), "ERR_ARGUMENT", twice);
    checkScales(name, own, group.channels);
    for (const tensor of group.tensors) scales.set(tensor, own);
  }
  return scales;
}

/** w[o, ..., i] * inputs[i] / outputs[o], in float64 and rounded once. @param weight OHWI, or a bias [out] without `inputs` */
function rescale({ shape, data }: Weight, outputs?: readonly number[], inputs?: readonly number[]): Weight {
  const perOutput = data.length / shape[0]!;
  const channels = shape.at(-1)!;
  const factor = (j: number) => (inputs?.[j % channels] ?? 1) / (outputs?.[Math.floor(j / perOutput)] ?? 1);
  return { shape, data: data.map((value, j) => value * factor(j)) };
}

/** a / b, channel by channel; what is absent is 1. */
function ratio(a: readonly number[] | undefined, b: readonly number[] | undefined): readonly number[] | undefined {
  return b ? b.map((value, c) => (a?.[c] ?? 1) / value) : a;
}

/** A layer's residual multiplied by `ratios`, and the weight that says so; undefined where nothing changes. */
function rescaledResidual(
  { name, channels }: Conv2dLayer,
  residual: FusedResidual,
  weights: ReadonlyMap<string, Weight>,
  ratios: readonly number[],
): { readonly residual: FusedResidual & { readonly scale: string }; readonly weight: Weight } | undefined {
  if (ratios.every((factor) => factor === 1)) return undefined;
  const { scale = `${name}.residual` } = residual;
  const free = residual.scale !== undefined || !weights.has(scale);
  check(free, "ERR_NETWORK", () => `layer ${show(name)}: expected ${show(scale)} to be free for its residual's scales`);
  const before = residual.scale === undefined ? undefined : weights.get(scale)!.data;
  const data = Float32Array.from(ratios, (factor, c) => (before?.[c] ?? 1) * factor);
  return { residual: { ...residual, scale }, weight: { shape: [channels], data } };
}

/**
 * Cross-layer equalisation (Nagel et al. 2019, arXiv 1906.04721, section 4.1): an int8 tensor has one step for all its channels, which
 * is too coarse for the small ones. So small channels are enlarged where they are computed and made small again where they are read:
 *
 *     producer   w[o, ...] / s[o],  b[o] / s[o]        consumer   w[..., i] * s[i]
 *
 * A convolution's residual is multiplied by s_residual[c] / s_output[c]. Where these differ a weight `<layer>.residual` is made for that,
 * which `residual.scale` names; in int8 it enters the multipliers that a residual has anyway.
 *
 * The function stays the same in real arithmetic, as every activation between is positively homogeneous; f32 results move by
 * rounding only, and not at all where scales are powers of two. `findEqualisation` lists the tensors that qualify.
 * @param model in any form; it is collapsed and fused first, as calibration and quantisation do
 * @returns the collapsed and fused model with new filters and biases; calibrate this one, as its ranges are others
 * @throws WasmogradError ERR_ARGUMENT on names of tensors that cannot be scaled, ERR_SHAPE on other than one scale a channel,
 *   ERR_QUANTIZATION on scales that are not positive and finite, ERR_NETWORK when the name of a new weight is taken, and as `collapse`
 */
export function equalise(model: Model, equalisation: Equalisation): Model {
  const prepared = prepare(model);
  const scales = scalesByTensor(prepared, equalisation);
  const weights = new Map(prepared.weights);
  const layers = prepared.network.layers.map((layer): Layer => {
    if (layer.op !== "conv2d") return layer;
    const { weights: filter, bias, residual } = layer;
    const [outputs, inputs] = [scales.get(layer.name), scales.get(layer.input)];
    // Channel o of a depthwise convolution reads channel o.
    const [divisors, factors] = layer.depthwise ? [ratio(outputs, inputs), undefined] : [outputs, inputs];
    weights.set(filter, rescale(weights.get(filter)!, divisors, factors));
    if (bias !== undefined) weights.set(bias, rescale(weights.get(bias)!, outputs));
    const ratios = residual && ratio(scales.get(residual.tensor), outputs);
    const made = ratios && rescaledResidual(layer, residual, weights, ratios);
    if (!made) return layer;
    weights.set(made.residual.scale, made.weight);
    return { ...layer, residual: made.residual };
  });
  return { network: validate({ ...prepared.network, layers }), weights };
}
