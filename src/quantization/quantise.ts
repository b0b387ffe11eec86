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
  SplitLayer,
} from "../network/description.ts";
import { prepare } from "../network/passes/prepare.ts";
import { inferChannels } from "../network/shapes.ts";
import { validate } from "../network/validate.ts";
import { roundHalfEven } from "../rounding.ts";
import { absorbClips, assignParams, type Clamp, FULL, intersect, type Limits, limitsOf, UNLIMITED } from "./assign.ts";
import { checkFine, splitReal, splitWeights } from "./fine.ts";
import { type LayerContext, layerMultiplier, limitsOfLayer } from "./layer-context.ts";
import { type QuantisedTokens, quantiseTokens } from "./quantise-tokens.ts";
import type { Calibration } from "./ranges.ts";
import { realEnds } from "./real-ends.ts";
import { dequantizeValue, QMIN, type QuantizationParams, quantizeValue, SMALLEST_MULTIPLIER } from "./requantize.ts";
import { quantiseWeights } from "./weights.ts";

/** What a convolution sums in int8, and what the sums are multiplied by. Vectors have one entry per output channel. */
export interface QuantisedSums {
  /** OHWI, -127..127. What reads a split has two weights a channel: of levels and of eighths. */
  readonly weights: Int8Array;
  /** real weight = weightScales[o] * weights[o, ...]. */
  readonly weightScales: Float32Array;
  /** In units of inputScale * weightScales[o]; the input's zero point is NOT folded in. */
  readonly bias: Int32Array;
  /** inputScale * weightScales[o] / outputScale, rounded once to binary32; a real output has scale 1. */
  readonly multipliers: Float32Array;
  /** For accumulators below zero: multiplier * slope (PReLU) or zeros (ReLU with a residual after it). Absent: the same. */
  readonly negativeMultipliers?: Float32Array;
  /** residualScale * its channel's scale / outputScale, rounded once to binary32; present exactly when the layer has a residual of int8. */
  readonly residualMultipliers?: Float32Array;
}

/** A convolution in int8, ready for `requantize`. */
export interface QuantisedFilter extends QuantisedSums {
  /** Least output, int8. */
  readonly qmin: number;
  /** Largest output, int8. */
  readonly qmax: number;
}

/**
 * A convolution of int8 whose output stays real: min(maximum, max(minimum, t)) with the t that `requantize` rounds; a residual that is real
 * itself is added as it is.
 */
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
   * Of every int8 tensor, by layer name, and of a real one that is read by a split or an offset, which round it so. Depth-to-space, offset,
   * split and clip keep the scale of their inputs; an offset, and the split in its place, moves the zero point.
   */
  readonly tensors: ReadonlyMap<string, QuantizationParams>;
  /** Tensors that stay f32: input, output and what leads to it with ends in f32, and fine ones; absent where there are none. */
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
function quantiseSums(
  layer: Conv2dLayer,
  { tensors, weights, split }: LayerContext,
  outputScale: number,
): QuantisedSums {
  const { name, channels } = layer;
  const { scale: inputScale } = tensors.get(layer.input)!;
  const bias = layer.bias === undefined ? undefined : weights.get(layer.bias)!.data;
  const floor = (o: number) =>
    Math.max(Math.abs(bias?.[o] ?? 0) / (inputScale * BIAS_LIMIT), (SMALLEST_MULTIPLIER * outputScale) / inputScale);
  const quantised = quantiseWeights(weights.get(layer.weights)!.data, channels, floor);
  const weightScales = quantised.scales;
  return {
    weights: split.has(layer.input) ? splitWeights(quantised.weights) : quantised.weights,
    weightScales,
    bias: Int32Array.from(weightScales, (scale, o) => roundHalfEven((bias?.[o] ?? 0) / (inputScale * scale))),
    multipliers: weightScales.map((scale) => layerMultiplier(name, (inputScale * scale) / outputScale)),
  };
}

function residualMultipliers(
  { name, channels }: Conv2dLayer,
  { tensor, scale }: FusedResidual,
  { tensors, weights }: LayerContext,
  to: number,
): Float32Array {
  const from = tensors.get(tensor)!.scale;
  const factors = scale === undefined ? new Float32Array(channels).fill(1) : weights.get(scale)!.data;
  return factors.map((factor) => layerMultiplier(name, (from * factor) / to));
}

/** @param real the tensors that stay so */
function quantiseConv(
  layer: Conv2dLayer,
  context: LayerContext,
  real: ReadonlySet<string>,
): QuantisedFilter | RealFilter {
  const { weights } = context;
  const { name, channels, activation, residual } = layer;
  const stays = real.has(name);
  const output = stays ? undefined : context.tensors.get(name)!;
  const behind = residual?.position === "after-activation";
  const fits = behind ? activation?.kind !== "relu6" : !(residual && activation?.kind === "prelu");
  const message = () => `layer ${name}: a residual ${residual!.position} with ${activation!.kind} has no int8 form`;
  check(fits, "ERR_UNSUPPORTED", message);

  const outputScale = output?.scale ?? 1;
  const sums = quantiseSums(layer, context, outputScale);
  const { multipliers } = sums;
  // ReLU before a residual cannot be a clamp of the sum: it multiplies what lies below zero by nothing instead.
  const zeros = behind && activation?.kind === "relu";
  const slopes = activation?.kind === "prelu" ? weights.get(activation.slope)!.data : undefined;
  const negative = slopes ? multipliers.map((m, o) => m * slopes[o]!) : zeros ? new Float32Array(channels) : undefined;
  const vectors = {
    ...sums,
    ...(negative ? { negativeMultipliers: negative } : {}),
    ...(residual && !real.has(residual.tensor)
      ? { residualMultipliers: residualMultipliers(layer, residual, context, outputScale) }
      : {}),
  };
  const clipping = behind ? undefined : activation;
  if (output) return { ...vectors, ...intersect(limitsOfActivation(clipping, output), limitsOfLayer(context, name)) };
  return { ...vectors, ...clampOfActivation(clipping, context.clamps.get(name) ?? UNLIMITED) };
}

/** ReLU and ReLU6 of a real output, then a clip. */
function clampOfActivation(activation: Activation | undefined, { minimum, maximum }: Clamp): Clamp {
  const least = activation?.kind === "relu" || activation?.kind === "relu6" ? 0 : Number.NEGATIVE_INFINITY;
  const most = activation?.kind === "relu6" ? 6 : Number.POSITIVE_INFINITY;
  const within = (limit: number) => Math.min(maximum, Math.max(minimum, limit));
  return { minimum: within(least), maximum: within(most) };
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
  /**
   * Outputs of convolutions, by the names that calibration has, that stay real and are rounded where they are read, to levels and eighths of
   * levels: nearly all of their rounding error is gone, at twice the products of the convolutions that read them. None by default. For tensors
   * that nothing but convolutions over all channels read, as their input.
   */
  readonly fine?: readonly string[];
}

/**
 * Post-training quantisation to int8: affine per-tensor activations from the calibrated ranges, symmetric per-channel weights, int32
 * biases. The model may be in any form: it is collapsed and fused first, as calibration does (`prepare`), so tensor names agree.
 * docs/quantization.md has the arithmetic of every operator.
 * @throws WasmogradError ERR_QUANTIZATION when a range is missing or not representable, ERR_UNSUPPORTED on a fused form without int8
 *   arithmetic, on attention or normalisation too wide for it and on ends that cannot stay real, ERR_ARGUMENT on an unknown boundary and
 *   on tensors that cannot be fine, and as `inferShapes`, `checkWeights`, `collapse`
 */
export function quantise(
  model: Model,
  calibration: Calibration,
  { boundary = "int8", fine = [] }: QuantiseOptions = {},
): QuantisedModel {
  const known = boundary === "int8" || boundary === "f32";
  check(known, "ERR_ARGUMENT", () => `boundary: expected "int8" or "f32", got ${String(boundary)}`);
  const { network: fused, weights } = prepare(model);
  const params = assignParams(fused, calibration);
  const { layers, limits, clamps } = absorbClips(fused, params);
  const plain = validate({ ...fused, layers });
  checkFine(plain, fine);
  const real = new Set([...(boundary === "f32" ? realEnds(plain) : []), ...fine]);
  const network = validate(splitReal(plain, real, fine));
  const tensors = new Map<string, QuantizationParams>();
  for (const layer of network.layers) {
    const own = params.get(layer.name) ?? tensors.get((layer as SplitLayer).input)!;
    if (layer.op === "input" || fine.includes(layer.name) || !real.has(layer.name)) tensors.set(layer.name, own);
  }
  const split = new Set(network.layers.flatMap(({ op, name }) => (op === "split" ? [name] : [])));
  const context: LayerContext = { tensors, limits, clamps, weights, channels: inferChannels(network), split };
  const filters = new Map<string, QuantisedFilter | RealFilter>();
  const adds = new Map<string, QuantisedAdd>();
  const activations = new Map<string, QuantisedActivation>();
  const tables = new Map<string, Int8Array>();
  const averages = new Map<string, Limits>();
  const clips = new Map<string, QuantisedClip>();
  for (const layer of network.layers) {
    const { name } = layer;
    if (layer.op === "conv2d") filters.set(name, quantiseConv(layer, context, real));
    else if (layer.op === "add") adds.set(name, quantiseAdd(layer, context));
    else if (layer.op === "activation" && isPiecewise(layer)) activations.set(name, quantiseActivation(layer, context));
    else if (layer.op === "activation" || layer.op === "channel-affine")
      tables.set(name, quantiseTable(layer, context));
    else if (layer.op === "replace-token") tables.set(name, quantiseReplacement(layer, context));
    else if (layer.op === "global-average-pool") averages.set(name, limitsOfLayer(context, name));
    else if (layer.op === "clip") clips.set(name, limitsOf(layer.min, layer.max, tensors.get(name)!));
  }
  const tokens = quantiseTokens(network, context);
  const stay = real.size > 0 && { real };
  return { network, tensors, ...stay, filters, adds, activations, tables, averages, clips, ...(tokens && { tokens }) };
}
