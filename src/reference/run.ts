import { convAxis } from "../conv-axis.ts";
import { check, WasmogradError } from "../errors.ts";
import { type RealActivation, realActivation } from "../network/activations.ts";
import type {
  Activation,
  Conv2dLayer,
  FeatureMap,
  InputLayer,
  Layer,
  MaxPoolLayer,
  Model,
  Network,
  RealModel,
  RealWeights,
  Shape,
} from "../network/description.ts";
import { fourierPositions } from "../network/fourier-positions.ts";
import { inputLayer } from "../network/graph.ts";
import { inferShapes } from "../network/shapes.ts";
import { validate } from "../network/validate.ts";
import { checkWeights } from "../network/weights.ts";
import { checkKeys } from "../quantization/attention-limits.ts";
import type { QuantisedFilter, QuantisedModel, QuantisedSums, RealFilter } from "../quantization/quantise.ts";
import { averageMultiplier, quantizeValue, splitValue } from "../quantization/requantize.ts";
import { tableS8 } from "./activations.ts";
import { crossCovarianceAttention, softmaxAttention } from "./attention.ts";
import { attentionLayerS8 } from "./attention-kernels.ts";
import { conv2dReal, type RealArray, type RealConvOptions } from "./conv2d-f32.ts";
import { conv2dS8, conv2dS8Real, type FilterS8, scaledResidual } from "./conv2d-s8.ts";
import { conv2dTranspose } from "./conv2d-transpose.ts";
import { depthToSpace } from "./depth-to-space.ts";
import { activationS8, addReal, addS8, clipS8, mapReal } from "./elementwise.ts";
import { layerNorm, layerNormS8 } from "./normalisation.ts";
import { globalAverage, globalAverageS8, maxPool, type PoolWindows, subsample } from "./pooling.ts";
import { addPositions, classToken, pivotProjection, replaceToken, takeToken } from "./tokens.ts";
import type { FilterShape } from "./windows.ts";

/** A layer that computes something. */
type Operator = Exclude<Layer, InputLayer>;
type Evaluate<Data> = (layer: Operator, of: (tensor: string) => FeatureMap<Data>) => FeatureMap<Data>;

/** @throws WasmogradError ERR_SHAPE unless the data fills the shape, and the shape suits the network */
function checkInput(network: Network, { shape, data }: FeatureMap<{ readonly length: number }>): void {
  const { channels } = inputLayer(network);
  check(shape[2] === channels, "ERR_SHAPE", () => `input: expected ${channels} channels, got ${shape[2]}`);
  const length = shape[0] * shape[1] * shape[2];
  check(
    data.length === length,
    "ERR_SHAPE",
    () => `input: expected ${length} values for [${shape}], got ${data.length}`,
  );
  inferShapes(network, [shape[0], shape[1]]);
}

/** Evaluates layers in order and keeps every tensor. */
function interpret<Data>(network: Network, input: FeatureMap<Data>, evaluate: Evaluate<Data>): Map<string, Data> {
  const maps = new Map<string, FeatureMap<Data>>();
  for (const layer of network.layers) {
    maps.set(layer.name, layer.op === "input" ? input : evaluate(layer, (tensor) => maps.get(tensor)!));
  }
  return new Map([...maps].map(([name, { data }]): [string, Data] => [name, data]));
}

function windowsOf({ kernel, stride, padding }: MaxPoolLayer, [height, width]: Shape): PoolWindows {
  const vertical = convAxis(height, kernel[0], stride, padding);
  const horizontal = convAxis(width, kernel[1], stride, padding);
  const [padTop, padLeft] = [vertical.padBefore, horizontal.padBefore];
  return { kernel, stride, padTop, padLeft, output: [vertical.size, horizontal.size] };
}

function positionsMap<Result extends RealArray>(
  [height, width]: Shape,
  channels: number,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const data = make(height * width * channels);
  data.set(fourierPositions([height, width], channels));
  return { shape: [height, width, channels], data };
}

/** How layers are evaluated on real values; `make` gives the arrays that hold tensors. */
function realEvaluator<Result extends RealArray>(
  weights: RealWeights,
  make: (length: number) => Result,
): Evaluate<Result> {
  const values = (name: string) => weights.get(name)!.data;
  const withSlopes = (activation: Activation): RealActivation =>
    activation.kind === "prelu" ? { kind: "prelu", slopes: values(activation.slope) } : activation;
  const affine = (names: { readonly scale: string; readonly offset?: string }) => {
    const [scale, offset] = [values(names.scale), names.offset === undefined ? undefined : values(names.offset)];
    return (x: number, c: number): number => x * scale[c]! + (offset?.[c] ?? 0);
  };
  const convolve = (
    input: FeatureMap<Result>,
    names: { readonly weights: string; readonly bias?: string },
    options: RealConvOptions = { stride: 1, padding: "same" },
  ) => {
    const filter = { shape: weights.get(names.weights)!.shape as FilterShape, weights: values(names.weights) };
    const bias = names.bias === undefined ? {} : { bias: values(names.bias) };
    return conv2dReal(input, filter, { ...options, ...bias }, make);
  };
  return (layer, of) => {
    switch (layer.op) {
      case "conv2d": {
        const { stride, padding, residual, depthwise = false } = layer;
        const activation = layer.activation && { activation: withSlopes(layer.activation) };
        const scale = residual?.scale === undefined ? {} : { scale: values(residual.scale) };
        const sum = residual && { residual: { map: of(residual.tensor), position: residual.position, ...scale } };
        return convolve(of(layer.input), layer, { stride, padding, depthwise, ...activation, ...sum });
      }
      case "linear-block": {
        const x = of(layer.input);
        const y = convolve(convolve(x, layer.expand), layer.project);
        return layer.shortResidual ? addReal(x, y, make) : y;
      }
      case "conv2d-transpose": {
        const bias = layer.bias === undefined ? undefined : values(layer.bias);
        return conv2dTranspose(of(layer.input), layer, weights.get(layer.weights)!, bias, make);
      }
      case "activation": {
        const activation = withSlopes(layer.activation);
        const before = layer.affine ? affine(layer.affine) : (x: number) => x;
        return mapReal(of(layer.input), (x, c) => realActivation(before(x, c), activation, c), make);
      }
      case "channel-affine":
        return mapReal(of(layer.input), affine(layer), make);
      case "batch-norm": {
        const [scale, offset, mean, variance] = [layer.scale, layer.offset, layer.mean, layer.variance].map(values);
        const { epsilon } = layer;
        const normalised = (x: number, c: number) => (x - mean![c]!) / Math.sqrt(variance![c]! + epsilon);
        return mapReal(of(layer.input), (x, c) => normalised(x, c) * scale![c]! + offset![c]!, make);
      }
      case "layer-norm": {
        const { epsilon } = layer;
        return layerNorm(of(layer.input), values(layer.scale), values(layer.offset), epsilon, make);
      }
      case "max-pool":
        return maxPool(of(layer.input), windowsOf(layer, of(layer.input).shape), make);
      case "global-average-pool":
        return globalAverage(of(layer.input), make);
      case "subsample":
        return subsample(of(layer.input), { ...layer, zero: 0 }, make);
      case "add":
        return addReal(of(layer.inputs[0]), of(layer.inputs[1]), make);
      case "offset":
        return mapReal(of(layer.input), (x) => x + layer.value, make);
      case "clip":
        return mapReal(of(layer.input), (x) => Math.min(layer.max, Math.max(layer.min, x)), make);
      case "depth-to-space":
        return depthToSpace(of(layer.input), layer.block);
      case "split":
        throw new WasmogradError("ERR_UNSUPPORTED", `layer ${layer.name}: split has no form but int8`);
      case "attention": {
        const { heads, keyHeads = heads, valueHeads = heads, temperature } = layer;
        const [operands, counts] = [
          { q: of(layer.q), k: of(layer.k), v: of(layer.v) },
          { heads, keyHeads, valueHeads },
        ];
        return temperature === undefined
          ? softmaxAttention(operands, counts, make)
          : crossCovarianceAttention(operands, counts, values(temperature), make);
      }
      case "class-token":
        return classToken(of(layer.input), values(layer.weights), make);
      case "positions":
        return addPositions(of(layer.input), values(layer.weights), make);
      case "fourier-positions":
        return positionsMap(of(layer.input).shape, layer.channels, make);
      case "take-token":
        return takeToken(of(layer.input), make);
      case "replace-token":
        return replaceToken(of(layer.inputs[0]), of(layer.inputs[1]), make);
      case "pivot-projection":
        return pivotProjection(of(layer.input), layer.pivots, values(layer.weights), make);
    }
  };
}

function runReal<Result extends RealArray>(
  { network, weights }: RealModel,
  { shape, data }: FeatureMap<RealArray>,
  make: (length: number) => Result,
): Map<string, Result> {
  const sorted = validate(network);
  checkWeights(sorted, weights);
  checkInput(sorted, { shape, data });
  const stored = make(data.length);
  stored.set(data);
  return interpret(sorted, { shape, data: stored }, realEvaluator(weights, make));
}

/**
 * Runs any valid description (linear blocks too, fused or not) layer by layer, storing every tensor in f32 and summing in float64.
 * @returns the values of every tensor by name; their shapes are those of `inferShapes`
 * @throws WasmogradError ERR_NETWORK, ERR_SHAPE, ERR_WEIGHTS
 */
export function runReference(model: Model, input: FeatureMap<Float32Array>): Map<string, Float32Array> {
  return runReal(model, input, (length) => new Float32Array(length));
}

/** `runReference` with every tensor stored in float64: weights alone may be f32. */
export function runReferenceF64(model: RealModel, input: FeatureMap<RealArray>): Map<string, Float64Array> {
  return runReal(model, input, (length) => new Float64Array(length));
}

/** The weights of a convolution, with their shape. */
function filterS8(
  { channels, kernel, depthwise }: Conv2dLayer,
  { shape: [, , inputs] }: FeatureMap<unknown>,
  { weights }: QuantisedSums,
): FilterS8 {
  return { shape: [channels, ...kernel, depthwise ? 1 : inputs], weights };
}

/** How layers are evaluated on int8: the equations of docs/quantization.md, one operator each. */
function int8Evaluator({
  tensors,
  filters,
  adds,
  activations,
  tables,
  averages,
  clips,
  tokens,
}: QuantisedModel): Evaluate<Int8Array> {
  const zeroPointOf = (tensor: string) => tensors.get(tensor)!.zeroPoint;
  const make = (length: number) => new Int8Array(length);
  return (layer, of) => {
    const { name } = layer;
    const zeroPoint = zeroPointOf(name);
    const operand = (tensor: string, multiplier: number) => ({
      map: of(tensor),
      zeroPoint: zeroPointOf(tensor),
      multiplier,
    });
    switch (layer.op) {
      case "conv2d": {
        const { residualMultipliers, ...vectors } = filters.get(name) as QuantisedFilter;
        const { stride, padding, residual, depthwise = false } = layer;
        const input = of(layer.input);
        const zeroPoints = { inputZeroPoint: zeroPointOf(layer.input), outputZeroPoint: zeroPoint };
        const sum = residual && {
          residual: {
            map: of(residual.tensor),
            zeroPoint: zeroPointOf(residual.tensor),
            multipliers: residualMultipliers!,
          },
        };
        const options = { stride, padding, depthwise, ...zeroPoints, ...vectors, ...sum };
        return conv2dS8(input, filterS8(layer, input, vectors), options);
      }
      case "add": {
        const { multiplierA, multiplierB, qmin, qmax } = adds.get(name)!;
        const [a, b] = layer.inputs;
        return addS8(operand(a, multiplierA), operand(b, multiplierB), { zeroPoint, qmin, qmax });
      }
      case "channel-affine":
        return tableS8(of(layer.input), tables.get(name)!);
      case "max-pool":
        return maxPool(of(layer.input), windowsOf(layer, of(layer.input).shape), make);
      case "subsample":
        return subsample(of(layer.input), { ...layer, zero: zeroPoint }, make);
      case "global-average-pool": {
        const map = of(layer.input);
        const pixels = map.shape[0] * map.shape[1];
        const multiplier = averageMultiplier(tensors.get(layer.input)!, tensors.get(name)!, pixels);
        return globalAverageS8(map, zeroPointOf(layer.input), multiplier, { zeroPoint, ...averages.get(name)! });
      }
      case "activation": {
        const table = tables.get(name);
        if (table) return tableS8(of(layer.input), table);
        const { multiplier, negativeMultipliers, qmin, qmax } = activations.get(name)!;
        return activationS8(operand(layer.input, multiplier), negativeMultipliers, { zeroPoint, qmin, qmax });
      }
      case "clip": {
        const { qmin, qmax } = clips.get(name)!;
        return clipS8(of(layer.input), qmin, qmax);
      }
      case "depth-to-space":
        return depthToSpace(of(layer.input), layer.block);
      case "offset":
        return of(layer.input); // the same bytes: the output's zero point shifts their meaning
      case "layer-norm":
        return layerNormS8(of(layer.input), tokens!.norms.get(name)!, zeroPoint);
      case "attention": {
        const { heads, keyHeads = heads, valueHeads = heads, map } = layer;
        const operands = { q: of(layer.q), k: of(layer.k), v: of(layer.v) };
        const [zeroQ, zeroK, zeroV] = [layer.q, layer.k, layer.v].map(zeroPointOf) as [number, number, number];
        const zeroPoints = { zeroQ, zeroK, zeroV, zeroPoint };
        checkKeys(name, map, operands.k.shape[0] * operands.k.shape[1], zeroQ, zeroK);
        return attentionLayerS8(operands, { heads, keyHeads, valueHeads }, tokens!.attentions.get(name)!, zeroPoints);
      }
      case "class-token":
        return classToken(of(layer.input), tokens!.classTokens.get(name)!, make);
      case "positions": {
        const { values, multiplierA, multiplierB, qmin, qmax } = tokens!.positions.get(name)!;
        const positions = { map: { ...of(layer.input), data: values }, zeroPoint: 0, multiplier: multiplierB };
        return addS8(operand(layer.input, multiplierA), positions, { zeroPoint, qmin, qmax });
      }
      case "fourier-positions": {
        const { shape, data } = positionsMap(
          of(layer.input).shape,
          layer.channels,
          (length) => new Float64Array(length),
        );
        return { shape, data: Int8Array.from(data, (value) => quantizeValue(value, tensors.get(name)!)) };
      }
      case "take-token":
        return takeToken(of(layer.input), make);
      case "replace-token": {
        const [first, second] = layer.inputs;
        const table = tables.get(name)!;
        const [all, token] = [tableS8(of(first), table.subarray(0, 256)), tableS8(of(second), table.subarray(256))];
        return replaceToken(all, token, make);
      }
      case "linear-block":
      case "conv2d-transpose":
      case "batch-norm":
      case "pivot-projection":
      case "split":
        throw new WasmogradError("ERR_UNSUPPORTED", `layer ${name}: ${layer.op} has no int8 form`);
    }
  };
}

/** The same where some tensors are f32. */
function partlyRealEvaluator(model: QuantisedModel, real: ReadonlySet<string>): Evaluate<Int8Array | Float32Array> {
  const int8 = int8Evaluator(model);
  const { tensors, filters } = model;
  return (layer, of) => {
    const ofInt8 = (tensor: string) => of(tensor) as FeatureMap<Int8Array>;
    const ofReal = (tensor: string) => of(tensor) as FeatureMap<Float32Array>;
    if (layer.op === "offset" && real.has(layer.input)) {
      const { shape, data } = ofReal(layer.input);
      return { shape, data: Int8Array.from(data, (x) => quantizeValue(x, tensors.get(layer.input)!)) };
    }
    if (layer.op === "split") {
      const [from, { zeroPoint }] = [tensors.get(layer.input)!, tensors.get(layer.name)!];
      const { shape, data } = ofReal(layer.input);
      const parts = Array.from(data, (x) => splitValue(x, from, zeroPoint));
      return { shape: [shape[0], shape[1], 2 * shape[2]], data: Int8Array.from(parts.flat()) };
    }
    if (!real.has(layer.name)) return int8(layer, ofInt8);
    if (layer.op === "depth-to-space") return depthToSpace(ofReal(layer.input), layer.block);
    if (layer.op !== "conv2d")
      throw new WasmogradError("ERR_UNSUPPORTED", `layer ${layer.name}: ${layer.op} has no real form in int8 networks`);
    const { residualMultipliers: multipliers, ...filter } = filters.get(layer.name) as RealFilter;
    const { stride, padding, residual, depthwise = false } = layer;
    const input = ofInt8(layer.input);
    const inputZeroPoint = tensors.get(layer.input)!.zeroPoint;
    const added = (tensor: string) => {
      if (multipliers === undefined) return ofReal(tensor);
      return scaledResidual({ map: ofInt8(tensor), zeroPoint: tensors.get(tensor)!.zeroPoint, multipliers });
    };
    const sum = residual && { residual: added(residual.tensor) };
    const options = { stride, padding, depthwise, inputZeroPoint, ...filter, ...sum };
    return conv2dS8Real(input, filterS8(layer, input, filter), options);
  };
}

/**
 * Runs a quantised model layer by layer: the integers that every kernel and engine must produce (ours: docs/quantization.md).
 * @param input int8, or f32 where the model's ends stay real
 * @returns the values of every tensor by name: int8, and f32 of those that stay real
 * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT on the other kind of input
 */
export function runReferenceQuantised(model: QuantisedModel, input: FeatureMap<Int8Array>): Map<string, Int8Array>;
export function runReferenceQuantised(
  model: QuantisedModel,
  input: FeatureMap<Float32Array>,
): Map<string, Int8Array | Float32Array>;
export function runReferenceQuantised(
  model: QuantisedModel,
  input: FeatureMap<Int8Array | Float32Array>,
): Map<string, Int8Array | Float32Array> {
  const { network, real } = model;
  checkInput(network, input);
  const expected = real?.has(inputLayer(network).name) ? Float32Array : Int8Array;
  const fits = input.data instanceof expected;
  check(fits, "ERR_ARGUMENT", () => `input: data: expected ${expected.name}, got ${input.data.constructor.name}`);
  if (real) return interpret(network, input, partlyRealEvaluator(model, real));
  return interpret(network, input as FeatureMap<Int8Array>, int8Evaluator(model));
}
