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

const filterNames = (name: string) => ({ weights: `${name}.folded.weight`, bias: `${name}.folded.bias` });
const factorNames = (name: string) => ({ scale: `${name}.folded.scale`, offset: `${name}.folded.offset` });

/** What is done with a layer that is folded, besides the change of layers. */
interface Folding<L extends BatchNormLayer | ChannelAffineLayer> {
  readonly op: L["op"];
  readonly intoConvolution: (conv: Conv2dLayer, layer: L) => void;
  /** What stands in its place where no convolution takes it in. */
  readonly otherwise: (layer: L) => Layer;
}

/** The layers after folding, of a validated network; a convolution that took in the layer behind it bears that one's name. */
function foldedLayers<L extends BatchNormLayer | ChannelAffineLayer>(before: Network, folding: Folding<L>): Layer[] {
  const counts = readers(before);
  const kept = new Map<string, Layer>();
  for (const layer of before.layers) {
    const { name } = layer;
    if (layer.op !== folding.op) {
      kept.set(name, layer);
      continue;
    }
    const folded = layer as L;
    const source = kept.get(folded.input);
    const alone = counts.get(folded.input) === 1;
    if (source?.op === "conv2d" && alone && !source.activation && !source.residual) {
      folding.intoConvolution(source, folded);
      kept.delete(folded.input);
      kept.set(name, { ...source, name, ...filterNames(name) });
    } else {
      kept.set(name, folding.otherwise(folded));
    }
  }
  return [...kept.values()];
}

/** Weights as they are while layers are folded, the new ones among them. */
class Made {
  readonly weights = new Map<string, Weight>();
  readonly #given: Weights;

  constructor(given: Weights) {
    this.#given = given;
  }

  get(name: string): Weight {
    return this.weights.get(name) ?? this.#given.get(name)!;
  }

  /** Factors and offsets, multiplied into a convolution's weights and bias, for the layer called `name`. */
  multiply(conv: Conv2dLayer, name: string, { scale, offset }: Affine): void {
    const { shape, data: filter } = this.get(conv.weights);
    const bias = conv.bias === undefined ? undefined : this.get(conv.bias).data;
    const length = filter.length / scale.length;
    const names = filterNames(name);
    this.weights.set(names.weights, { shape, data: filter.map((w, i) => w * scale[Math.floor(i / length)]!) });
    this.weights.set(names.bias, vector(offset.map((t, c) => t + (bias?.[c] ?? 0) * scale[c]!)));
  }

  keep(name: string, { scale, offset }: Affine): void {
    const names = factorNames(name);
    this.weights.set(names.scale, vector(scale));
    this.weights.set(names.offset, vector(offset));
  }
}

const affineLayer = ({ name, input }: BatchNormLayer): ChannelAffineLayer => ({
  op: "channel-affine",
  name,
  input,
  ...factorNames(name),
});

const NOTHING = (): void => {};

/** `foldBatchNorms` without weights. @throws WasmogradError as `validate` */
export function foldBatchNormsNetwork(network: Network): Network {
  const before = validate(network);
  const folding = { op: "batch-norm", intoConvolution: NOTHING, otherwise: affineLayer } as const;
  return validate({ ...before, layers: foldedLayers<BatchNormLayer>(before, folding) });
}

/** `foldLayerScales` without weights. @throws WasmogradError as `validate` */
export function foldLayerScalesNetwork(network: Network): Network {
  const before = validate(network);
  const otherwise = (layer: ChannelAffineLayer): Layer => layer;
  const folding = { op: "channel-affine", intoConvolution: NOTHING, otherwise } as const;
  return validate({ ...before, layers: foldedLayers<ChannelAffineLayer>(before, folding) });
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
  const made = new Made(model.weights);
  const layers = foldedLayers<BatchNormLayer>(before, {
    op: "batch-norm",
    intoConvolution: (conv, layer) => made.multiply(conv, layer.name, affineOf(layer, model.weights)),
    otherwise: (layer) => {
      made.keep(layer.name, affineOf(layer, model.weights));
      return affineLayer(layer);
    },
  });
  return withNewWeights(validate({ ...before, layers }), model.weights, made.weights);
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
  const made = new Made(model.weights);
  const affine = ({ scale, offset }: ChannelAffineLayer): Affine => {
    const factors = Float64Array.from(made.get(scale).data);
    const none = new Float64Array(factors.length);
    return { scale: factors, offset: offset === undefined ? none : Float64Array.from(made.get(offset).data) };
  };
  const layers = foldedLayers<ChannelAffineLayer>(before, {
    op: "channel-affine",
    intoConvolution: (conv, layer) => made.multiply(conv, layer.name, affine(layer)),
    otherwise: (layer) => layer,
  });
  return withNewWeights(validate({ ...before, layers }), model.weights, made.weights);
}
