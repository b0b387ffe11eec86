/**
 * The network description: plain, immutable data that every other part reads (counts, passes, engine, simulator).
 *
 * A network is a DAG of layers. A layer's name is also the name of the tensor that it produces; `inputs` and the
 * other tensor fields refer to those names. Tensors are NHWC with batch 1: a shape is [height, width, channels].
 * Weights live outside, by name: filters OHWI, vectors per output channel.
 */

/** [height, width, channels] of one feature map. */
export type Shape = readonly [height: number, width: number, channels: number];

/** "same" is TensorFlow's: output = ceil(input / stride), the odd padding row or column goes to the bottom or right. */
export type Padding = "same" | "valid";

export type Activation =
  | { readonly kind: "relu" }
  | { readonly kind: "relu6" }
  /** y = x for x >= 0, slope[c] * x below; `slope` names a weight of shape [channels]. */
  | { readonly kind: "prelu"; readonly slope: string };

interface Named {
  readonly name: string;
}

export interface InputLayer extends Named {
  readonly op: "input";
  readonly channels: number;
}

/** A residual that a pass fused into a convolution: the tensor is added before or after the activation. */
export interface FusedResidual {
  readonly tensor: string;
  readonly position: "before-activation" | "after-activation";
}

/** y[o] = act( sum_{u,v,i} x[u,v,i] * weights[o,u,v,i] + bias[o] ): cross-correlation, zero padding. */
export interface Conv2dLayer extends Named {
  readonly op: "conv2d";
  readonly input: string;
  readonly kernel: readonly [height: number, width: number];
  readonly stride: number;
  readonly padding: Padding;
  readonly channels: number; // output channels
  readonly weights: string; // OHWI [channels, kh, kw, in]
  readonly bias?: string; // [channels]
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
  readonly input: string;
  readonly kernel: readonly [height: number, width: number];
  readonly expansion: number;
  readonly channels: number;
  readonly shortResidual: boolean;
  readonly expand: { readonly weights: string; readonly bias?: string }; // OHWI [expansion, kh, kw, in]
  readonly project: { readonly weights: string; readonly bias?: string }; // OHWI [channels, 1, 1, expansion]
}

export interface ActivationLayer extends Named {
  readonly op: "activation";
  readonly input: string;
  readonly activation: Activation;
}

/** Elementwise sum. An operand of one channel is broadcast over the channels of the other. */
export interface AddLayer extends Named {
  readonly op: "add";
  readonly inputs: readonly [string, string];
}

/** y = x + value for one constant (SESR subtracts 0.5 from the luma on the convolution path). */
export interface OffsetLayer extends Named {
  readonly op: "offset";
  readonly input: string;
  readonly value: number;
}

/** out[y*b+dy, x*b+dx, c] = in[y, x, (dy*b+dx)*C' + c], C' = C / b^2 (TensorFlow's order). */
export interface DepthToSpaceLayer extends Named {
  readonly op: "depth-to-space";
  readonly input: string;
  readonly block: number;
}

export interface ClipLayer extends Named {
  readonly op: "clip";
  readonly input: string;
  readonly min: number;
  readonly max: number;
}

export type Layer =
  | InputLayer
  | Conv2dLayer
  | LinearBlockLayer
  | ActivationLayer
  | AddLayer
  | OffsetLayer
  | DepthToSpaceLayer
  | ClipLayer;

export interface Network {
  readonly name: string;
  /** Any order; `validate` returns them sorted so that inputs come first. Exactly one is an InputLayer. */
  readonly layers: readonly Layer[];
  /** Name of the layer whose tensor is the result. */
  readonly output: string;
}

/** One named weight: f32 data with its shape (filters OHWI). */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
export type Weights = ReadonlyMap<string, Weight>;

/** A network together with its weights: what passes take and return. */
export interface Model {
  readonly network: Network;
  readonly weights: Weights;
}

/** The values of one feature map, NHWC without the batch axis: data[(y * width + x) * channels + c]. */
export interface FeatureMap<Data> {
  readonly shape: Shape;
  readonly data: Data;
}
