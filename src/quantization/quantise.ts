import { check } from "../errors.ts";
import { type RealActivation, realActivation } from "../network/activations.ts";
import type {
  Activation,
  ActivationLayer,
  AddLayer,
  ChannelAffineLayer,
  Conv2dLayer,
  FusedResidual,
  Model,
  Network,
  ReplaceTokenLayer,
} from "../network/description.ts";
import { prepare } from "../network/passes/prepare.ts";
import { inferChannels } from "../network/shapes.ts";
import { validate } from "../network/validate.ts";
import { roundHalfEven } from "../rounding.ts";
import { absorbClips, assignParams, FULL, intersect, type Limits, limitsOf, UNLIMITED } from "./assign.ts";
import { type LayerContext, layerMultiplier, limitsOfLayer } from "./layer-context.ts";
import { type QuantisedTokens, quantiseTokens } from "./quantise-tokens.ts";
import type { Calibration } from "./ranges.ts";
import { realEnds } from "./real-ends.ts";
import { dequantizeValue, QMIN, type QuantizationParams, quantizeValue, SMALLEST_MULTIPLIER } from "./requantize.ts";
import { quantiseWeights } from "./weights.ts";

/** What a convolution sums in int8. Vectors have one entry per output channel. */
export interface QuantisedSums {
  /** OHWI, -127..127. */
  readonly weights: Int8Array;
  /** real weight = weightScales[o] * weights[o, ...]. */
  readonly weightScales: Float32Array;
  /** In units of inputScale * weightScales[o]; the input's zero point is NOT folded in. */
  readonly bias: Int32Array;
  /** inputScale * weightScales[o] / outputScale, rounded once to binary32; a real output has scale 1. */
  readonly multipliers: Float32Array;
}

/** A convolution in int8, ready for `requantize`. */
export interface QuantisedFilter extends QuantisedSums {
  /** For accumulators below zero: multiplier * slope (PReLU) or zeros (ReLU with a residual after it). Absent: the same. */
  readonly negativeMultipliers?: Float32Array;
  /** residualScale * its channel's scale / outputScale, rounded once to binary32; present exactly when the layer has a residual. */
  readonly residualMultipliers?: Float32Array;
  /** Least output, int8. */
  readonly qmin: number;
  /** Largest output, int8. */
  readonly qmax: number;
}

/** A convolution of int8 whose output stays real: min(maximum, max(minimum, f32(f32(f32(acc) * multipliers[o]) + residual))), the residual f32. */
export interface RealFilter extends QuantisedSums {
  /** Least output, binary32; -Infinity for none. */
  readonly minimum: number;
  /** Largest output, binary32; Infinity for none. */
  readonly maximum: number;
}

/** q = requantize(a - zeroPointA, multiplierA, zeroPoint, qmin, qmax, b - zeroPointB, multiplierB); one channel broadcasts. */
export interface QuantisedAdd {
  /** scaleA / outputScale, rounded to binary32. */
  readonly multiplierA: number;
  /** scaleB / outputScale, rounded to binary32. */
  readonly multiplierB: number;
  /** Least output, int8. */
  readonly qmin: number;
  /** Largest output, int8. */
  readonly qmax: number;
}

/** t = q - inputZeroPoint; requantize(t, t < 0 ? negativeMultipliers[c] : multiplier, zeroPoint, qmin, qmax). */
export interface QuantisedActivation {
  /** inputScale / outputScale, rounded to binary32. */
  readonly multiplier: number;
  /** One entry per channel for PReLU; absent for ReLU and ReLU6, which clamp at qmin and qmax. */
  readonly negativeMultipliers?: Float32Array;
  /** Least output, int8. */
  readonly qmin: number;
  /** Largest output, int8. */
  readonly qmax: number;
}

/** q = min(qmax, max(qmin, q)): a clip that no producing operator could absorb. */
export interface QuantisedClip {
  /** Least output, int8. */
  readonly qmin: number;
  /** Largest output, int8. */
  readonly qmax: number;
}

/** A network in int8: what the quantise pass returns, and what the engine and the integer oracle run. */
export interface QuantisedModel {
  /** Collapsed and fused, in topological order. Clips that became a clamp of their producer are gone. */
  readonly network: Network;
  /**
   * Of every int8 tensor, by layer name, and of a real input, whose readers but the residual round it so. Depth-to-space, offset and clip
   * keep the scale of their inputs; offset moves the zero point.
   */
  readonly tensors: ReadonlyMap<string, QuantizationParams>;
  /** Tensors that stay f32: the input, the output and what leads to it; absent where there are none. */
  readonly real?: ReadonlySet<string>;
  /** Per conv2d layer; of a tensor that stays real a `RealFilter`. */
  readonly filters: ReadonlyMap<string, QuantisedFilter | RealFilter>;
  /** Per add layer that is not fused. */
  readonly adds: ReadonlyMap<string, QuantisedAdd>;
  /** Per activation layer that is not fused. */
  readonly activations: ReadonlyMap<string, QuantisedActivation>;
  /**
   * By q + 128: per activation that is more than a clamp or two factors, and per channel-affine layer, int8 [256], or [channels][256]; per
   * replace-token layer [2][256], of the tokens and of the one.
   */
  readonly tables: ReadonlyMap<string, Int8Array>;
  /** Per global-average-pool layer; the multiplier, inputScale / (pixels * outputScale), depends on the input's size. */
  readonly averages: ReadonlyMap<string, Limits>;
  /** Per clip layer that is left. */
  readonly clips: ReadonlyMap<string, QuantisedClip>;
  /** Layer normalisation, attention and tokens; absent where a network has none of them. */
  readonly tokens?: QuantisedTokens;
}

/**
 * Largest bias in steps. A weight scale that would make the bias larger is lifted instead: what such weights can still add to the sum
 * is far below the output's step. 16 times a bias and its sum then still fit int32, so that a dead filter with a bias does not keep
 * its layer from being summed at once by the Winograd kernel.
 */
const BIAS_LIMIT = 2 ** 26;

/** Limits that ReLU and ReLU6 are in int8: real 0 is the zero point, exactly. */
function limitsOfActivation(activation: Activation | undefined, params: QuantizationParams): Limits {
  if (activation?.kind === "relu6") return limitsOf(0, 6, params);
  if (activation?.kind === "relu") return { qmin: params.zeroPoint, qmax: FULL.qmax };
  return FULL;
}

/** @param outputScale 1 for an output that stays real */
function quantiseSums(layer: Conv2dLayer, { tensors, weights }: LayerContext, outputScale: number): QuantisedSums {
  const { name, channels } = layer;
  const { scale: inputScale } = tensors.get(layer.input)!;
  const bias = layer.bias === undefined ? undefined : weights.get(layer.bias)!.data;
  const floor = (o: number) =>
    Math.max(Math.abs(bias?.[o] ?? 0) / (inputScale * BIAS_LIMIT), (SMALLEST_MULTIPLIER * outputScale) / inputScale);
  const quantised = quantiseWeights(weights.get(layer.weights)!.data, channels, floor);
  const weightScales = quantised.scales;
  return {
    weights: quantised.weights,
    weightScales,
    bias: Int32Array.from(weightScales, (scale, o) => roundHalfEven((bias?.[o] ?? 0) / (inputScale * scale))),
    multipliers: weightScales.map((scale) => layerMultiplier(name, (inputScale * scale) / outputScale)),
  };
}

function residualMultipliers(
  { name, channels }: Conv2dLayer,
  { tensor, scale }: FusedResidual,
  { tensors, weights }: LayerContext,
): Float32Array {
  const [from, to] = [tensors.get(tensor)!.scale, tensors.get(name)!.scale];
  const factors = scale === undefined ? new Float32Array(channels).fill(1) : weights.get(scale)!.data;
  return factors.map((factor) => layerMultiplier(name, (from * factor) / to));
}

function quantiseConv(layer: Conv2dLayer, context: LayerContext): QuantisedFilter {
  const { tensors, weights } = context;
  const { name, channels, activation, residual } = layer;
  const output = tensors.get(name)!;
  const behind = residual?.position === "after-activation";
  const fits = behind ? activation?.kind !== "relu6" : !(residual && activation?.kind === "prelu");
  const message = () => `layer ${name}: a residual ${residual!.position} with ${activation!.kind} has no int8 form`;
  check(fits, "ERR_UNSUPPORTED", message);

  const sums = quantiseSums(layer, context, output.scale);
  const { multipliers } = sums;
  // ReLU before a residual cannot be a clamp of the sum: it multiplies what lies below zero by nothing instead.
  const zeros = behind && activation?.kind === "relu";
  const slopes = activation?.kind === "prelu" ? weights.get(activation.slope)!.data : undefined;
  const negative = slopes ? multipliers.map((m, o) => m * slopes[o]!) : zeros ? new Float32Array(channels) : undefined;
  const own = behind ? FULL : limitsOfActivation(activation, output);
  return {
    ...sums,
    ...(negative ? { negativeMultipliers: negative } : {}),
    ...(residual ? { residualMultipliers: residualMultipliers(layer, residual, context) } : {}),
    ...intersect(own, limitsOfLayer(context, name)),
  };
}

function quantiseAdd({ name, inputs }: AddLayer, context: LayerContext): QuantisedAdd {
  const { tensors } = context;
  const { scale } = tensors.get(name)!;
  const [multiplierA, multiplierB] = inputs.map((tensor) =>
    layerMultiplier(name, tensors.get(tensor)!.scale / scale),
  ) as [number, number];
  return { multiplierA, multiplierB, ...limitsOfLayer(context, name) };
}

function quantiseActivation({ name, input, activation }: ActivationLayer, context: LayerContext): QuantisedActivation {
  const { tensors, weights } = context;
  const output = tensors.get(name)!;
  const positive = layerMultiplier(name, tensors.get(input)!.scale / output.scale);
  const slopes = activation.kind === "prelu" ? weights.get(activation.slope)!.data : undefined;
  return {
    multiplier: positive,
    ...(slopes ? { negativeMultipliers: slopes.map((slope) => positive * slope) } : {}),
    ...intersect(limitsOfActivation(activation, output), limitsOfLayer(context, name)),
  };
}

/** Whether an activation layer is computed by factors and clamps alone. */
function isPiecewise({ activation: { kind }, affine }: ActivationLayer): boolean {
  return affine === undefined && (kind === "relu" || kind === "relu6" || kind === "prelu");
}

/** The values of one channel as a function of all 256 int8 values. */
function tableOf(
  f: (x: number) => number,
  input: QuantizationParams,
  output: QuantizationParams,
  limits: Limits,
): number[] {
  return Array.from({ length: 256 }, (_, i) => {
    const q = quantizeValue(f(dequantizeValue(i + QMIN, input)), output);
    return Math.min(limits.qmax, Math.max(limits.qmin, q));
  });
}

/** Activations and channel-affine layers by tables, so that they need no arithmetic that is exact on every engine. */
function quantiseTable(layer: ActivationLayer | ChannelAffineLayer, context: LayerContext): Int8Array {
  const { tensors, weights } = context;
  const { name } = layer;
  const [input, output] = [tensors.get(layer.input)!, tensors.get(name)!];
  const values = (weight: string | undefined) => (weight === undefined ? undefined : weights.get(weight)!.data);
  const activation = layer.op === "activation" ? layer.activation : undefined;
  const affine = layer.op === "activation" ? layer.affine : layer;
  const [scale, offset] = [values(affine?.scale), values(affine?.offset)];
  const slopes = activation?.kind === "prelu" ? values(activation.slope) : undefined;
  const real: RealActivation | undefined =
    activation?.kind === "prelu" ? { kind: "prelu", slopes: slopes! } : activation;
  const channels = scale?.length ?? slopes?.length ?? 1;
  const own = limitsOfLayer(context, name);
  const tables = Array.from({ length: channels }, (_, c) =>
    tableOf((x) => realActivation(x * (scale?.[c] ?? 1) + (offset?.[c] ?? 0), real, c), input, output, own),
  );
  return Int8Array.from(tables.flat());
}

/** Two tables that bring tokens, and the one that replaces the first, to the output's parameters. */
function quantiseReplacement({ name, inputs }: ReplaceTokenLayer, context: LayerContext): Int8Array {
  const { tensors } = context;
  const own = limitsOfLayer(context, name);
  return Int8Array.from(inputs.flatMap((input) => tableOf((x) => x, tensors.get(input)!, tensors.get(name)!, own)));
}

/** Of `quantise`. */
export interface QuantiseOptions {
  /**
   * "int8" (default): input and output are int8. "f32": the input, the residual that the last convolution adds to its sums, and the output stay
   * real, and only what lies between is int8 (docs/quantization.md, "The ends may stay real"). For networks whose input is read by offsets
   * and that residual alone, and whose output comes from a convolution without activation, directly or by way of depth-to-space and clips.
   */
  readonly boundary?: "int8" | "f32";
}

/**
 * Post-training quantisation to int8: affine per-tensor activations from the calibrated ranges, symmetric per-channel weights, int32
 * biases. The model may be in any form: it is collapsed and fused first, as calibration does (`prepare`), so tensor names agree.
 * docs/quantization.md has the arithmetic of every operator.
 * @throws WasmogradError ERR_QUANTIZATION when a range is missing or not representable, ERR_UNSUPPORTED on a fused form without int8
 *   arithmetic, on attention or normalisation too wide for it and on ends that cannot stay real, ERR_ARGUMENT on an unknown boundary, and
 *   as `inferShapes`, `checkWeights`, `collapse`
 */
export function quantise(
  model: Model,
  calibration: Calibration,
  { boundary = "int8" }: QuantiseOptions = {},
): QuantisedModel {
  const known = boundary === "int8" || boundary === "f32";
  check(known, "ERR_ARGUMENT", () => `boundary: expected "int8" or "f32", got ${String(boundary)}`);
  const { network: fused, weights } = prepare(model);
  const params = assignParams(fused, calibration);
  const { layers, limits, clamps } = absorbClips(fused, params);
  const network = validate({ ...fused, layers });
  const real = boundary === "f32" ? realEnds(network) : undefined;
  const rounded = network.layers.filter(({ name, op }) => op === "input" || !real?.has(name));
  const tensors = new Map(rounded.map(({ name }): [string, QuantizationParams] => [name, params.get(name)!]));
  const context: LayerContext = { tensors, limits, weights, channels: inferChannels(network) };
  const filters = new Map<string, QuantisedFilter | RealFilter>();
  const adds = new Map<string, QuantisedAdd>();
  const activations = new Map<string, QuantisedActivation>();
  const tables = new Map<string, Int8Array>();
  const averages = new Map<string, Limits>();
  const clips = new Map<string, QuantisedClip>();
  for (const layer of network.layers) {
    const { name } = layer;
    if (layer.op === "conv2d" && real?.has(name))
      filters.set(name, { ...quantiseSums(layer, context, 1), ...(clamps.get(name) ?? UNLIMITED) });
    else if (layer.op === "conv2d") filters.set(name, quantiseConv(layer, context));
    else if (layer.op === "add") adds.set(name, quantiseAdd(layer, context));
    else if (layer.op === "activation" && isPiecewise(layer)) activations.set(name, quantiseActivation(layer, context));
    else if (layer.op === "activation" || layer.op === "channel-affine")
      tables.set(name, quantiseTable(layer, context));
    else if (layer.op === "replace-token") tables.set(name, quantiseReplacement(layer, context));
    else if (layer.op === "global-average-pool") averages.set(name, limitsOfLayer(context, name));
    else if (layer.op === "clip") clips.set(name, limitsOf(layer.min, layer.max, tensors.get(name)!));
  }
  const tokens = quantiseTokens(network, context);
  const ends = real && { real };
  return { network, tensors, ...ends, filters, adds, activations, tables, averages, clips, ...(tokens && { tokens }) };
}
