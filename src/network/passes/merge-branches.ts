/** Convolutions beside each other that are summed become one: the re-parameterisation of RepVGG (arXiv 2101.03697, section 3.3). */
import type { AddLayer, ChannelAffineLayer, Conv2dLayer, Layer, Model, Weight } from "../description.ts";
import { readers } from "../graph.ts";
import { inferChannels, valuesIn } from "../shapes.ts";
import { validate } from "../validate.ts";
import { checkWeights } from "../weights.ts";
import { withNewWeights } from "./new-weights.ts";

/** In float64, until all branches are summed. */
interface Filter {
  readonly weights: Float64Array; // OHWI
  readonly bias: Float64Array | undefined;
}

type Branch = Conv2dLayer | ChannelAffineLayer;

/** Rows and columns of padding before the input, where they do not depend on its size. */
function padBefore({ kernel, stride, padding }: Conv2dLayer): readonly [number, number] | undefined {
  if (padding === "valid") return [0, 0];
  if (padding !== "same") return [padding, padding];
  const fixed = stride === 1 && kernel.every((k) => k % 2 === 1);
  return fixed ? [(kernel[0] - 1) / 2, (kernel[1] - 1) / 2] : undefined;
}

/** A factor a channel is a depthwise 1x1 convolution. */
function shapeOf(branch: Branch) {
  return branch.op === "conv2d"
    ? { kernel: branch.kernel, stride: branch.stride, before: padBefore(branch) }
    : { kernel: [1, 1] as const, stride: 1, before: [0, 0] as const };
}

/** Row and column of the wide kernel's taps at which those of the narrow one begin, or undefined where the two do not line up. */
function place(wide: Conv2dLayer, narrow: Branch): readonly [number, number] | undefined {
  const [outer, inner] = [shapeOf(wide), shapeOf(narrow)];
  if (outer.stride !== inner.stride || !outer.before || !inner.before) return undefined;
  const rows = outer.before[0] - inner.before[0];
  const columns = outer.before[1] - inner.before[1];
  // As much on the other side: then the outputs are as many, whatever the input's size.
  const centred = outer.kernel[0] - inner.kernel[0] === 2 * rows && outer.kernel[1] - inner.kernel[1] === 2 * columns;
  return centred && rows >= 0 && columns >= 0 ? [rows, columns] : undefined;
}

/**
 * Each sum of two convolutions of the same tensor, or of a convolution and a channel-affine layer, becomes one convolution; so does the sum of
 * that with a third. Their outputs must be read by the sum alone and must have as many channels, their strides must be equal, and the smaller
 * kernel must lie in the middle of the larger: 3x3 with padding 1 and 1x1 with padding 0. Other sums stay as they are.
 *
 * The convolution bears the sum's name, its weights `<name>.weight` and `<name>.bias`. Summed in float64 and rounded to f32 once; the result
 * differs from the original by rounding only, at borders too. After RepVGG, arXiv 2101.03697. Fold batch normalisations first: of them
 * this pass knows nothing.
 * @throws WasmogradError ERR_NETWORK when a new name is taken; as `validate`, `checkWeights`
 */
export function mergeBranches(model: Model): Model {
  const before = validate(model.network);
  checkWeights(before, model.weights);
  const counts = readers(before);
  const channels = inferChannels(before);
  const kept = new Map<string, Layer>();
  const merged = new Map<string, Filter>();

  const branchOf = (tensor: string): Branch | undefined => {
    const layer = kept.get(tensor);
    if (counts.get(tensor) !== 1) return undefined;
    if (layer?.op === "channel-affine") return layer;
    return layer?.op === "conv2d" && !layer.activation && !layer.residual ? layer : undefined;
  };
  const valuesOf = (weight: string | undefined): Float64Array | undefined =>
    weight === undefined ? undefined : Float64Array.from(model.weights.get(weight)!.data);
  const filterOf = (branch: Branch): Filter =>
    merged.get(branch.name) ??
    (branch.op === "conv2d"
      ? { weights: valuesOf(branch.weights)!, bias: valuesOf(branch.bias) }
      : { weights: valuesOf(branch.scale)!, bias: valuesOf(branch.offset) });

  const mergePair = ({ name, inputs }: AddLayer): boolean => {
    const [a, b] = inputs.map(branchOf);
    if (!a || !b || a.input !== b.input || channels.get(a.name) !== channels.get(b.name)) return false;
    for (const [wide, narrow] of [
      [a, b],
      [b, a],
    ] as const) {
      if (wide.op !== "conv2d") continue;
      if (narrow.op === "conv2d" && narrow.depthwise !== wide.depthwise) continue;
      const at = place(wide, narrow);
      if (!at) continue;
      const inputs = wide.depthwise ? 1 : channels.get(wide.input)!;
      const filter = sum(wide, filterOf(wide), narrow, filterOf(narrow), at, inputs);
      merged.set(name, filter);
      kept.delete(wide.name);
      kept.delete(narrow.name);
      const { bias: _, ...conv } = wide;
      const names = { weights: `${name}.weight`, ...(filter.bias && { bias: `${name}.bias` }) };
      kept.set(name, { ...conv, name, ...names });
      return true;
    }
    return false;
  };

  for (const layer of before.layers) {
    if (layer.op !== "add" || !mergePair(layer)) kept.set(layer.name, layer);
  }
  const made = new Map<string, Weight>();
  for (const [name, filter] of merged) {
    const layer = kept.get(name);
    if (layer?.op !== "conv2d") continue; // went into another sum
    const inputs = layer.depthwise ? 1 : channels.get(layer.input)!;
    made.set(layer.weights, {
      shape: [layer.channels, ...layer.kernel, inputs],
      data: Float32Array.from(filter.weights),
    });
    if (layer.bias && filter.bias)
      made.set(layer.bias, { shape: [layer.channels], data: Float32Array.from(filter.bias) });
  }
  if (made.size === 0) return model;
  return withNewWeights(validate({ ...before, layers: [...kept.values()] }), model.weights, made);
}

/** The wide filter with the narrow one added to its taps from row and column `at` on. @param inputs channels of each tap */
function sum(
  wide: Conv2dLayer,
  { weights, bias }: Filter,
  narrow: Branch,
  other: Filter,
  [row, column]: readonly [number, number],
  inputs: number,
): Filter {
  const result = weights.slice();
  const [rows, columns] = shapeOf(narrow).kernel;
  const at = (o: number, u: number, v: number) =>
    ((o * wide.kernel[0] + row + u) * wide.kernel[1] + column + v) * inputs;
  for (let o = 0; o < wide.channels; o++) {
    if (narrow.op === "channel-affine") {
      result[at(o, 0, 0) + (wide.depthwise ? 0 : o)]! += other.weights[o]!;
      continue;
    }
    const length = valuesIn([rows, columns, inputs]);
    for (let i = 0; i < length; i++) {
      const tap = Math.floor(i / inputs);
      result[at(o, Math.floor(tap / columns), tap % columns) + (i % inputs)]! += other.weights[o * length + i]!;
    }
  }
  const sums = bias && other.bias ? bias.map((b, o) => b + other.bias![o]!) : (bias ?? other.bias);
  return { weights: result, bias: sums };
}
