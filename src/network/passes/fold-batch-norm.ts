/** Batch normalisations go into the convolutions before them, or become one factor and one offset a channel. */
import { check } from "../../errors.ts";
import type {
  BatchNormLayer,
  ChannelAffineLayer,
  Conv2dLayer,
  Layer,
  Model,
  Network,
  Weight,
  Weights,
} from "../description.ts";
import { readers } from "../graph.ts";
import { show } from "../layer-fields.ts";
import { validate } from "../validate.ts";
import { checkWeights } from "../weights.ts";
import { withNewWeights } from "./new-weights.ts";

/** y = x * scale[c] + offset[c], in float64. */
interface Affine {
  readonly scale: Float64Array;
  readonly offset: Float64Array;
}

/** @throws WasmogradError ERR_WEIGHTS on a variance below zero */
function affineOf(layer: BatchNormLayer, weights: Weights): Affine {
  const [gamma, beta, mean, variance] = [layer.scale, layer.offset, layer.mean, layer.variance].map(
    (name) => weights.get(name)!.data,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const negative = variance.findIndex((v) => v < 0);
  check(
    negative < 0,
    "ERR_WEIGHTS",
    () => `${show(layer.variance)}: expected variances of at least 0, got ${variance[negative]} at index ${negative}`,
  );
  const scale = Float64Array.from(gamma, (g, c) => g / Math.sqrt(variance[c]! + layer.epsilon));
  return { scale, offset: Float64Array.from(beta, (b, c) => b - mean[c]! * scale[c]!) };
}

const vector = (data: Float64Array): Weight => ({ shape: [data.length], data: Float32Array.from(data) });

const filterNames = (name: string) => ({ weights: `${name}.folded.weight`, bias: `${name}.folded.bias` });
const factorNames = (name: string) => ({ scale: `${name}.folded.scale`, offset: `${name}.folded.offset` });

/** What is done with a normalisation, besides the change of layers. */
interface Folding {
  readonly intoConvolution: (conv: Conv2dLayer, layer: BatchNormLayer) => void;
  readonly asAffine: (layer: BatchNormLayer) => void;
}

/** The layers after folding, of a validated network. */
function foldedLayers(before: Network, { intoConvolution, asAffine }: Folding): Layer[] {
  const counts = readers(before);
  const kept = new Map<string, Layer>();
  for (const layer of before.layers) {
    const { name } = layer;
    if (layer.op !== "batch-norm") {
      kept.set(name, layer);
      continue;
    }
    const source = kept.get(layer.input);
    const alone = counts.get(layer.input) === 1;
    if (source?.op === "conv2d" && alone && !source.activation && !source.residual) {
      intoConvolution(source, layer);
      kept.delete(layer.input);
      kept.set(name, { ...source, name, ...filterNames(name) });
    } else {
      asAffine(layer);
      const affine: ChannelAffineLayer = { op: "channel-affine", name, input: layer.input, ...factorNames(name) };
      kept.set(name, affine);
    }
  }
  return [...kept.values()];
}

/** `foldBatchNorms` without weights. @throws WasmogradError as `validate` */
export function foldBatchNormsNetwork(network: Network): Network {
  const before = validate(network);
  const nothing = (): void => {};
  return validate({ ...before, layers: foldedLayers(before, { intoConvolution: nothing, asAffine: nothing }) });
}

/**
 * A batch normalisation behind a convolution that nobody else reads is multiplied into its weights and bias; one behind another such
 * normalisation likewise, so that RAN-e's stem takes in the first block's. One behind anything else, above all behind a residual sum,
 * whose skip path needs the values before it, becomes a channel-affine layer. Computed in float64 and rounded to f32 once a
 * normalisation; the result differs from the original by rounding only, at borders too, as padding comes before the convolution.
 *
 * The layer that remains bears the normalisation's name; its weights are called `<name>.folded.*`.
 * @throws WasmogradError ERR_WEIGHTS on negative variances, ERR_NETWORK when a new name is taken; as `validate`, `checkWeights`
 */
export function foldBatchNorms(model: Model): Model {
  const before = validate(model.network);
  if (!before.layers.some(({ op }) => op === "batch-norm")) return model;
  checkWeights(before, model.weights);
  const made = new Map<string, Weight>();
  const dataOf = (name: string): Float32Array => (made.get(name) ?? model.weights.get(name)!).data;
  const layers = foldedLayers(before, {
    intoConvolution: (conv, layer) => {
      const { scale, offset } = affineOf(layer, model.weights);
      const { shape } = made.get(conv.weights) ?? model.weights.get(conv.weights)!;
      const filter = dataOf(conv.weights);
      const bias = conv.bias === undefined ? undefined : dataOf(conv.bias);
      const length = filter.length / scale.length;
      const names = filterNames(layer.name);
      made.set(names.weights, { shape, data: filter.map((w, i) => w * scale[Math.floor(i / length)]!) });
      made.set(names.bias, vector(offset.map((t, c) => t + (bias?.[c] ?? 0) * scale[c]!)));
    },
    asAffine: (layer) => {
      const { scale, offset } = affineOf(layer, model.weights);
      const names = factorNames(layer.name);
      made.set(names.scale, vector(scale));
      made.set(names.offset, vector(offset));
    },
  });
  return withNewWeights(validate({ ...before, layers }), model.weights, made);
}
