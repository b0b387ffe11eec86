/** Batch normalisations and layer scales go into the convolutions before them; else they are one factor and one offset a channel. */
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

/** Weights as they are while layers are folded, the new ones among them. */
class Folding {
  readonly made = new Map<string, Weight>();
  readonly #weights: Weights;

  constructor(weights: Weights) {
    this.#weights = weights;
  }

  weight(name: string): Weight {
    return this.made.get(name) ?? this.#weights.get(name)!;
  }

  /** The convolution with factors and offsets multiplied into its weights and bias, called `name`. */
  intoConvolution(conv: Conv2dLayer, name: string, { scale, offset }: Affine): Conv2dLayer {
    const { shape, data: filter } = this.weight(conv.weights);
    const bias = conv.bias === undefined ? undefined : this.weight(conv.bias).data;
    const length = filter.length / scale.length;
    const names = { weights: `${name}.folded.weight`, bias: `${name}.folded.bias` };
    this.made.set(names.weights, { shape, data: filter.map((w, i) => w * scale[Math.floor(i / length)]!) });
    this.made.set(names.bias, vector(offset.map((t, c) => t + (bias?.[c] ?? 0) * scale[c]!)));
    return { ...conv, name, ...names };
  }

  asAffine({ name, input }: BatchNormLayer, { scale, offset }: Affine): ChannelAffineLayer {
    const names = { scale: `${name}.folded.scale`, offset: `${name}.folded.offset` };
    this.made.set(names.scale, vector(scale));
    this.made.set(names.offset, vector(offset));
    return { op: "channel-affine", name, input, ...names };
  }
}

/** Layers by name as folding has left them; a convolution that took in the layer behind it bears that one's name. */
function foldLayers(
  { layers }: Network,
  counts: ReadonlyMap<string, number>,
  folding: Folding,
  affineFrom: (layer: Layer) => Affine | undefined,
  otherwise: (layer: Layer, affine: Affine) => Layer,
): Layer[] {
  const kept = new Map<string, Layer>();
  for (const layer of layers) {
    const affine = affineFrom(layer);
    const source = affine && "input" in layer ? kept.get(layer.input) : undefined;
    if (!affine) {
      kept.set(layer.name, layer);
    } else if (source?.op === "conv2d" && counts.get(source.name) === 1 && !source.activation && !source.residual) {
      kept.delete(source.name);
      kept.set(layer.name, folding.intoConvolution(source, layer.name, affine));
    } else {
      kept.set(layer.name, otherwise(layer, affine));
    }
  }
  return [...kept.values()];
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
  const folding = new Folding(model.weights);
  const layers = foldLayers(
    before,
    readers(before),
    folding,
    (layer) => (layer.op === "batch-norm" ? affineOf(layer, model.weights) : undefined),
    (layer, affine) => folding.asAffine(layer as BatchNormLayer, affine),
  );
  return withNewWeights(validate({ ...before, layers }), model.weights, folding.made);
}

/**
 * The same of channel-affine layers, layer scale for one: into the convolution before them, so that the residual sum behind them can
 * follow. One behind anything else stays as it is.
 * @throws WasmogradError ERR_NETWORK when a new name is taken; as `validate`, `checkWeights`
 */
export function foldLayerScales(model: Model): Model {
  const before = validate(model.network);
  if (!before.layers.some(({ op }) => op === "channel-affine")) return model;
  checkWeights(before, model.weights);
  const folding = new Folding(model.weights);
  const affine = ({ scale, offset }: ChannelAffineLayer): Affine => {
    const factors = Float64Array.from(folding.weight(scale).data);
    return {
      scale: factors,
      offset: offset === undefined ? new Float64Array(factors.length) : Float64Array.from(folding.weight(offset).data),
    };
  };
  const layers = foldLayers(
    before,
    readers(before),
    folding,
    (layer) => (layer.op === "channel-affine" ? affine(layer) : undefined),
    (layer) => layer,
  );
  return withNewWeights(validate({ ...before, layers }), model.weights, folding.made);
}
