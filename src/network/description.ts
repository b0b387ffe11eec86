import type { Padding } from "../conv-axis.ts";

/**
 * The network description: plain, immutable data that every other part reads (counts, passes, engine, simulator).
 *
 * A network is a DAG of layers. A layer's name is also the name of the tensor that it produces; `inputs` and the
 * other tensor fields refer to those names. Tensors are NHWC with batch 1: a shape is [height, width, channels].
 * Weights live outside, by name: filters OHWI, vectors per output channel.
 */

/** [height, width, channels] of one feature map. */
export type Shape = readonly [height: number, width: number, channels: number];

export type { Padding };

/** Activations without weights. hard-swish: x * min(max(x + 3, 0), 6) / 6; gelu: the exact form, x * (1 + erf(x / sqrt 2)) / 2. */
export type PlainActivation = { readonly kind: "relu" | "relu6" | "hard-swish" | "gelu" };

/** What a layer applies to each value. */
export type Activation =
  | PlainActivation
  /** y = x for x >= 0, slope[c] * x below; `slope` names a weight of shape [channels]. */
  | { readonly kind: "prelu"; readonly slope: string }
  /**
   * RAN-e's restructurable activation, y = a * h(x) + (1 - a) * x with `amount` a in 0..1 and h the activation `of`: at 0 it is the
   * identity, so that the convolutions around it collapse.
   */
  | { readonly kind: "mixed"; readonly of: PlainActivation["kind"]; readonly amount: number };

/** What all layers have. */
export interface Named {
  /** Unique in the network; also the name of the tensor that the layer makes. */
  readonly name: string;
}

/** The network's input; exactly one. */
export interface InputLayer extends Named {
  readonly op: "input";
  /** Of the input map. */
  readonly channels: number;
}

/** A residual that a pass fused into a convolution: the tensor is added before or after the activation. */
export interface FusedResidual {
  /** Name of what is added. */
  readonly tensor: string;
  /** Where it is added. */
  readonly position: "before-activation" | "after-activation";
  /** Name of a weight [channels] that it is multiplied by first, written by `equalise`; none: 1. Not with a residual that is broadcast. */
  readonly scale?: string;
}

/**
 * y[o] = act( sum_{u,v,i} x[u,v,i] * weights[o,u,v,i] + bias[o] ): cross-correlation, zero padding. Depthwise: i is o alone. A fully
 * connected layer is a 1x1 convolution of a 1x1 map.
 */
export interface Conv2dLayer extends Named {
  readonly op: "conv2d";
  /** Tensor that it reads. */
  readonly input: string;
  /** [height, width]. */
  readonly kernel: readonly [height: number, width: number];
  /** Of both axes. */
  readonly stride: number;
  /** See `Padding`. */
  readonly padding: Padding;
  /** Output channels. */
  readonly channels: number;
  /** As many output channels as input channels, each with a filter of its own. */
  readonly depthwise?: true;
  /** Name of a weight, OHWI [channels, kh, kw, in], depthwise [channels, kh, kw, 1]. */
  readonly weights: string;
  /** Name of a weight [channels]; none: 0. */
  readonly bias?: string;
  /** None: the identity. */
  readonly activation?: Activation;
  /** Written by the fuse pass. A one-channel residual is broadcast over the output channels. */
  readonly residual?: FusedResidual;
}

/**
 * SESR's collapsible linear block in its training form (arXiv 2103.09404): a kxk convolution to `expansion` channels, then a 1x1
 * projection, no activation between; with `shortResidual` the block's input is added to its output.
 */
export interface LinearBlockLayer extends Named {
  readonly op: "linear-block";
  /** Tensor that it reads. */
  readonly input: string;
  /** [height, width] of the first convolution, which pads as "same". */
  readonly kernel: readonly [height: number, width: number];
  /** Channels between the two convolutions. */
  readonly expansion: number;
  /** Output channels. */
  readonly channels: number;
  /** Whether the input is added to the output. */
  readonly shortResidual: boolean;
  /** Names of the weights of the first convolution: OHWI [expansion, kh, kw, in] and [expansion]. */
  readonly expand: { readonly weights: string; readonly bias?: string };
  /** Names of the weights of the second: OHWI [channels, 1, 1, expansion] and [channels]. */
  readonly project: { readonly weights: string; readonly bias?: string };
}

/**
 * Transposed convolution with output = input * stride: each input value adds `weights` times itself to a kernel's extent of the output,
 * (k - stride) / 2 rounded down before it, as the gradient of TensorFlow's "same" convolution does. FSRCNN's last layer.
 */
export interface Conv2dTransposeLayer extends Named {
  readonly op: "conv2d-transpose";
  /** Tensor that it reads. */
  readonly input: string;
  /** [height, width]. */
  readonly kernel: readonly [height: number, width: number];
  /** Output pixels per input pixel, along both axes. */
  readonly stride: number;
  /** Output channels. */
  readonly channels: number;
  /** Name of a weight, OHWI [channels, kh, kw, in]. */
  readonly weights: string;
  /** Name of a weight [channels]; none: 0. */
  readonly bias?: string;
}

/** y = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + offset[c]: batch normalisation with running statistics. */
export interface BatchNormLayer extends Named {
  readonly op: "batch-norm";
  /** Tensor that it reads. */
  readonly input: string;
  /** Name of a weight [channels]. */
  readonly scale: string;
  /** Name of a weight [channels]. */
  readonly offset: string;
  /** Name of a weight [channels]. */
  readonly mean: string;
  /** Name of a weight [channels], at least 0. */
  readonly variance: string;
  /** Added to the variance; positive. */
  readonly epsilon: number;
}

/** The same with the mean and (biased) variance over the channels of each pixel. */
export interface LayerNormLayer extends Named {
  readonly op: "layer-norm";
  /** Tensor that it reads. */
  readonly input: string;
  /** Name of a weight [channels]. */
  readonly scale: string;
  /** Name of a weight [channels]. */
  readonly offset: string;
  /** Added to the variance; positive. */
  readonly epsilon: number;
}

/** y = x * scale[c] + offset[c]: layer scale, or a batch normalisation that no convolution could take in. */
export interface ChannelAffineLayer extends Named {
  readonly op: "channel-affine";
  /** Tensor that it reads. */
  readonly input: string;
  /** Name of a weight [channels]. */
  readonly scale: string;
  /** Name of a weight [channels]; none: 0. */
  readonly offset?: string;
}

/** An activation by itself. */
export interface ActivationLayer extends Named {
  readonly op: "activation";
  /** Tensor that it reads. */
  readonly input: string;
  /** What is applied. */
  readonly activation: Activation;
  /** Written by the fuse pass: what happens per channel before the activation. */
  readonly affine?: { readonly scale: string; readonly offset?: string };
}

/** The largest value of each window; padding never wins. */
export interface MaxPoolLayer extends Named {
  readonly op: "max-pool";
  /** Tensor that it reads. */
  readonly input: string;
  /** [height, width] of a window. */
  readonly kernel: readonly [height: number, width: number];
  /** Of both axes. */
  readonly stride: number;
  /** See `Padding`. */
  readonly padding: Padding;
}

/** The mean over all pixels, [1, 1, channels]. */
export interface GlobalAveragePoolLayer extends Named {
  readonly op: "global-average-pool";
  /** Tensor that it reads. */
  readonly input: string;
}

/**
 * out[y, x, before + c] = in[y * stride, x * stride, c], zero in all other channels: the shortcut of CIFAR ResNets that has no weights
 * (arXiv 1512.03385, option A).
 */
export interface SubsampleLayer extends Named {
  readonly op: "subsample";
  /** Tensor that it reads. */
  readonly input: string;
  /** Of both axes. */
  readonly stride: number;
  /** Output channels. */
  readonly channels: number;
  /** Channels of zeros in front. */
  readonly before: number;
}

/** Elementwise sum. An operand of one channel is broadcast over the channels of the other. */
export interface AddLayer extends Named {
  readonly op: "add";
  /** Tensors that it reads. */
  readonly inputs: readonly [string, string];
}

/** y = x + value for one constant (SESR subtracts 0.5 from the luma on the convolution path). */
export interface OffsetLayer extends Named {
  readonly op: "offset";
  /** Tensor that it reads. */
  readonly input: string;
  /** What is added. */
  readonly value: number;
}

/**
 * What `quantise` puts between a tensor that stays real and the convolutions of int8 that read it: [h, w, c] -> [h, w, 2c], of each channel
 * its level and, beside it, what is left in eighths of one (docs/quantization.md). Only int8 networks have it.
 */
export interface SplitLayer extends Named {
  readonly op: "split";
  /** Tensor that it reads. */
  readonly input: string;
}

/** out[y*b+dy, x*b+dx, c] = in[y, x, (dy*b+dx)*C' + c], C' = C / b^2 (TensorFlow's order). */
export interface DepthToSpaceLayer extends Named {
  readonly op: "depth-to-space";
  /** Tensor that it reads. */
  readonly input: string;
  /** b: output pixels per input pixel, along both axes. */
  readonly block: number;
}

/** y = min(max(x, min), max). */
export interface ClipLayer extends Named {
  readonly op: "clip";
  /** Tensor that it reads. */
  readonly input: string;
  /** Lowest value. */
  readonly min: number;
  /** Highest value. */
  readonly max: number;
}

/**
 * Attention without its projections, which are 1x1 convolutions before and behind it; two roles that share a projection name one tensor.
 * All pixels of a map are tokens. Head j of the queries has c = q.channels / heads channels and meets head floor(j * keyHeads / heads) of
 * the keys, and of the values likewise.
 *
 * softmax: out[m] = sum_n softmax_n(q[m] . k[n] / sqrt(c)) v[n], one row a query, so the output has the size of q; k and v have equal sizes
 * (arXiv 1706.03762, section 3.2.1).
 *
 * xca: out[m, a] = sum_b softmax_b(temperature[j] * q^[a] . k^[b]) v[m, b], with q^[a] and k^[b] the channels over all tokens, divided by
 * their norms or 1e-12; q, k and v have equal sizes and equal channels a head (cross-covariance attention, arXiv 2106.09681, section 3.2).
 */
export interface AttentionLayer extends Named {
  readonly op: "attention";
  /** Tensor of the queries. */
  readonly q: string;
  /** Tensor of the keys. */
  readonly k: string;
  /** Tensor of the values. */
  readonly v: string;
  /** Of the queries; divides their channels. */
  readonly heads: number;
  /** Heads of the keys, which several heads of the queries may share; `heads` unless given. */
  readonly keyHeads?: number;
  /** Heads of the values, likewise. */
  readonly valueHeads?: number;
  /** Which of the two. */
  readonly map: "softmax" | "xca";
  /** xca: one factor a head, [heads]. */
  readonly temperature?: string;
}

/** All pixels in one row, a learnt token in front of them: [h, w, c] -> [1, h * w + 1, c]. */
export interface ClassTokenLayer extends Named {
  readonly op: "class-token";
  /** Tensor that it reads. */
  readonly input: string;
  /** Name of a weight [channels]. */
  readonly weights: string;
}

/** y = x + weights, pixel by pixel and channel by channel: learnt positions, so of a map of exactly `tokens` pixels. */
export interface PositionsLayer extends Named {
  readonly op: "positions";
  /** Tensor that it reads. */
  readonly input: string;
  /** Pixels of the input, height * width. */
  readonly tokens: number;
  /** Name of a weight [tokens, channels]. */
  readonly weights: string;
}

/**
 * Sines and cosines of the coordinates of the input's pixels, [h, w, channels], half of them of y, then those of x: channel i of a half is
 * the sine (i even) or cosine (i odd) of p / 10000^(2 floor(i / 2) / (channels / 2)), p = 2 pi (y + 1) / (h + 1e-6) (XCiT, official code).
 */
export interface FourierPositionsLayer extends Named {
  readonly op: "fourier-positions";
  /** Tensor whose size it takes. */
  readonly input: string;
  /** Output channels, a multiple of 4. */
  readonly channels: number;
}

/** The first pixel, [1, 1, channels]. */
export interface TakeTokenLayer extends Named {
  readonly op: "take-token";
  /** Tensor that it reads. */
  readonly input: string;
}

/** The first input with its first pixel replaced by the second, a map of one pixel. */
export interface ReplaceTokenLayer extends Named {
  readonly op: "replace-token";
  /** Tensors that it reads. */
  readonly inputs: readonly [tokens: string, token: string];
}

/**
 * A 1x1 convolution some of whose taps are fixed: y[g n + i] = x[pivots[g][i]] + sum over the other channels c of weights[g n + i, c] x[c],
 * n = pivots[g].length, the other channels in ascending order. What is left of a projection that was brought into a basis of its own inputs.
 */
export interface PivotProjectionLayer extends Named {
  readonly op: "pivot-projection";
  /** Tensor that it reads. */
  readonly input: string;
  /** One list a group of outputs, all of one length, each of different input channels. */
  readonly pivots: readonly (readonly number[])[];
  /** Name of a weight [groups * n, 1, 1, in - n]. */
  readonly weights: string;
}

/** One operator of a network. */
export type Layer =
  | InputLayer
  | Conv2dLayer
  | Conv2dTransposeLayer
  | LinearBlockLayer
  | BatchNormLayer
  | LayerNormLayer
  | ChannelAffineLayer
  | ActivationLayer
  | MaxPoolLayer
  | GlobalAveragePoolLayer
  | SubsampleLayer
  | AddLayer
  | OffsetLayer
  | SplitLayer
  | DepthToSpaceLayer
  | ClipLayer
  | AttentionLayer
  | ClassTokenLayer
  | PositionsLayer
  | FourierPositionsLayer
  | TakeTokenLayer
  | ReplaceTokenLayer
  | PivotProjectionLayer;

/** A DAG of layers, as plain data: see `validate`. */
export interface Network {
  /** As reports say it. */
  readonly name: string;
  /** Any order; `validate` returns them sorted so that inputs come first. Exactly one is an InputLayer. */
  readonly layers: readonly Layer[];
  /** Name of the layer whose tensor is the result. */
  readonly output: string;
}

/** One named weight: f32 data with its shape (filters OHWI). */
export interface Weight {
  /** OHWI of filters, [channels] of vectors. */
  readonly shape: readonly number[];
  /** Row-major, as many as the shape's product. */
  readonly data: Float32Array;
}
/** By name. */
export type Weights = ReadonlyMap<string, Weight>;

/** A network together with its weights: what passes take and return. */
export interface Model {
  /** The description. */
  readonly network: Network;
  /** Exactly those that the description names. */
  readonly weights: Weights;
}

/** The same before a pass rounds what it has computed in float64. */
export interface RealWeight {
  /** As of `Weight`. */
  readonly shape: readonly number[];
  /** As of `Weight`. */
  readonly data: Float32Array | Float64Array;
}
/** By name. */
export type RealWeights = ReadonlyMap<string, RealWeight>;
/** A model before its rounding. */
export interface RealModel {
  /** The description. */
  readonly network: Network;
  /** Those that it names. */
  readonly weights: RealWeights;
}

/** The values of one feature map, NHWC without the batch axis: data[(y * width + x) * channels + c]. */
export interface FeatureMap<Data> {
  /** [height, width, channels]. */
  readonly shape: Shape;
  /** height * width * channels values. */
  readonly data: Data;
}
