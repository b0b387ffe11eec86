/** The int8 forms of layer normalisation, attention and what joins tokens: docs/quantization.md has the arithmetic. */
import { check } from "../errors.ts";
import type {
  AttentionLayer,
  ClassTokenLayer,
  LayerNormLayer,
  Network,
  PositionsLayer,
} from "../network/description.ts";
import { headChannels } from "../network/shapes.ts";
import type { Limits } from "./assign.ts";
import { MOST_HEAD_CHANNELS_S8 } from "./attention-limits.ts";
import { type LayerContext, layerMultiplier, limitsOfLayer } from "./layer-context.ts";
import { quantizeValue, SMALLEST_MULTIPLIER } from "./requantize.ts";
import { quantiseWeights } from "./weights.ts";

/** Layer normalisation on int8 pixels; vectors have one binary32 entry a channel. */
export interface QuantisedNorm extends Limits {
  /** scale[c] / outputScale. */
  readonly factors: Float32Array;
  /** offset[c] / outputScale. */
  readonly offsets: Float32Array;
  /** channels^2 * epsilon / inputScale^2, binary64, at least 2^-100. */
  readonly epsilon: number;
}

/** Attention on int8 tokens, either map. */
export interface QuantisedAttention extends Limits {
  /** softmax: scaleQ * scaleK / sqrt(channels of a head), rounded to binary32. xca, where the scales cancel: 1. */
  readonly scale: number;
  /** scaleV / outputScale, rounded to binary32. */
  readonly ratio: number;
  /** xca: a factor of the scores for each head. */
  readonly temperatures?: Float32Array;
}

/**
 * q = requantize(x - inputZeroPoint, multiplierA, zeroPoint, qmin, qmax, value, multiplierB), as of a sum with a tensor
 * of zero point 0.
 */
export interface QuantisedPositions extends Limits {
  /** [tokens][channels], -127..127, in steps of a scale of their own. */
  readonly values: Int8Array;
  /** inputScale / outputScale, rounded to binary32. */
  readonly multiplierA: number;
  /** Scale of `values` / outputScale, rounded to binary32. */
  readonly multiplierB: number;
}

/** Of a network that has such layers, each by the layer's name. */
export interface QuantisedTokens {
  /** Per layer-norm layer. */
  readonly norms: ReadonlyMap<string, QuantisedNorm>;
  /** Per attention layer. */
  readonly attentions: ReadonlyMap<string, QuantisedAttention>;
  /** [channels], in the output's parameters. */
  readonly classTokens: ReadonlyMap<string, Int8Array>;
  /** Per positions layer. */
  readonly positions: ReadonlyMap<string, QuantisedPositions>;
}

/** Where all values of a pixel are equal, epsilon alone is under the root; beside any other variance so little is nothing. */
const LEAST_EPSILON = 2 ** -100;
/** Factors and terms stay far from what binary32 could not hold. */
const LARGEST = 2 ** 60;

/** values / scale, rounded to binary32. @throws WasmogradError ERR_QUANTIZATION on values that are not finite, or far too large */
function inSteps(layer: string, values: Float32Array, scale: number): Float32Array {
  const steps = values.map((value) => value / scale);
  const bad = steps.findIndex((step) => !(Math.abs(step) <= LARGEST));
  const message = () => `layer ${layer}: expected weights up to 2^60 steps of the output, got ${values[bad]}`;
  check(bad < 0, "ERR_QUANTIZATION", message);
  return steps;
}

function quantiseNorm(layer: LayerNormLayer, context: LayerContext): QuantisedNorm {
  const { name } = layer;
  const { tensors, weights } = context;
  const [input, output] = [tensors.get(layer.input)!, tensors.get(name)!];
  const [scale, offset] = [layer.scale, layer.offset].map((weight) => weights.get(weight)!.data) as [
    Float32Array,
    Float32Array,
  ];
  // At most 65,536, as of any tensor: the kernel takes 65,793.
  const channels = scale.length;
  const epsilon = (channels * channels * layer.epsilon) / (input.scale * input.scale);
  return {
    factors: inSteps(name, scale, output.scale),
    offsets: inSteps(name, offset, output.scale),
    epsilon: Math.min(Number.MAX_VALUE, Math.max(LEAST_EPSILON, epsilon)),
    ...limitsOfLayer(context, name),
  };
}

function quantiseAttention(layer: AttentionLayer, context: LayerContext): QuantisedAttention {
  const { name, map, temperature } = layer;
  const { tensors, weights, channels } = context;
  const { keyChannels, valueChannels } = headChannels(layer, (tensor) => channels.get(tensor)!);
  const widths = () => `layer ${name}: expected values of ${keyChannels} channels a head in int8, got ${valueChannels}`;
  check(valueChannels === keyChannels, "ERR_UNSUPPORTED", widths);
  const most = () =>
    `layer ${name}: expected at most ${MOST_HEAD_CHANNELS_S8} channels a head in int8, got ${keyChannels}`;
  check(map === "xca" || keyChannels <= MOST_HEAD_CHANNELS_S8, "ERR_UNSUPPORTED", most);
  const scaleOf = (tensor: string): number => tensors.get(tensor)!.scale;
  const softmax = (): number => layerMultiplier(name, (scaleOf(layer.q) * scaleOf(layer.k)) / Math.sqrt(keyChannels));
  return {
    scale: map === "softmax" ? softmax() : 1,
    ratio: layerMultiplier(name, scaleOf(layer.v) / scaleOf(name)),
    ...(temperature !== undefined && { temperatures: inSteps(name, weights.get(temperature)!.data, 1) }),
    ...limitsOfLayer(context, name),
  };
}

function quantiseClassToken({ name, weights }: ClassTokenLayer, context: LayerContext): Int8Array {
  const output = context.tensors.get(name)!;
  return Int8Array.from(context.weights.get(weights)!.data, (value) => quantizeValue(value, output));
}

function quantisePositions({ name, input, weights }: PositionsLayer, context: LayerContext): QuantisedPositions {
  const [from, to] = [context.tensors.get(input)!.scale, context.tensors.get(name)!.scale];
  // All positions together have one scale, none too fine for the multiplier.
  const { data } = context.weights.get(weights)!;
  const { weights: values, scales } = quantiseWeights(data, 1, () => SMALLEST_MULTIPLIER * to);
  return {
    values,
    multiplierA: layerMultiplier(name, from / to),
    multiplierB: layerMultiplier(name, scales[0]! / to),
    ...limitsOfLayer(context, name),
  };
}

/**
 * The int8 forms of a network's layers of these kinds; undefined if it has none.
 * @throws WasmogradError ERR_QUANTIZATION, ERR_UNSUPPORTED naming the layer
 */
export function quantiseTokens({ layers }: Network, context: LayerContext): QuantisedTokens | undefined {
  const norms = new Map<string, QuantisedNorm>();
  const attentions = new Map<string, QuantisedAttention>();
  const classTokens = new Map<string, Int8Array>();
  const positions = new Map<string, QuantisedPositions>();
  for (const layer of layers) {
    const { name } = layer;
    if (layer.op === "layer-norm") norms.set(name, quantiseNorm(layer, context));
    else if (layer.op === "attention") attentions.set(name, quantiseAttention(layer, context));
    else if (layer.op === "class-token") classTokens.set(name, quantiseClassToken(layer, context));
    else if (layer.op === "positions") positions.set(name, quantisePositions(layer, context));
  }
  const some = [norms, attentions, classTokens, positions].some(({ size }) => size > 0);
  return some ? { norms, attentions, classTokens, positions } : undefined;
}
