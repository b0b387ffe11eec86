/** What an NPU is asked to do: a network's layers after folding and fusing, one operation for each pass over a feature map. */
import type { Shape } from "../network/description.ts";

/** Feature maps are all of this width in one network: int8, or int16 with int8 weights. */
export type ActivationBits = 8 | 16;

/** One feature map. */
export interface Tensor {
  readonly name: string;
  readonly shape: Shape;
  /**
   * "bricks": rows of 16-channel groups (NHCWB16), within the NPU's memory; "linear": NHWC, where the host or the caller reads or writes.
   */
  readonly layout: "bricks" | "linear";
}

/**
 * What the output stage does to a value: nothing, a clamp (ReLU, ReLU6, clip), a look into a table (hard-swish, GELU, sigmoid), or a factor
 * on negative values that each channel has for itself (PReLU).
 */
export type OutputActivation = "none" | "clamp" | "table" | "slope";

interface OperationBase {
  /** Of the tensor that it makes. */
  readonly name: string;
  /** The description's layers that it stands for, in order. */
  readonly layers: readonly string[];
  readonly input: Tensor;
  readonly output: Tensor;
  readonly activation: OutputActivation;
  readonly bits: ActivationBits;
}

/** Filters as the NPU holds them. */
export interface FilterSize {
  /** Values, zeros of padding not counted. */
  readonly values: number;
  /** Output channels, each of which has a bias and a scale. */
  readonly channels: number;
}

export interface WindowOperation extends OperationBase {
  readonly kind: "convolution" | "depthwise" | "fully-connected" | "max-pool" | "average-pool";
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [vertical: number, horizontal: number];
  /** The input is spread by this factor with zeros between its values before the window slides (transposed convolution); 1 or 2 on Ethos-U. */
  readonly spread: number;
  /** Absent of pooling. */
  readonly filter?: FilterSize;
}

export interface ElementwiseOperation extends OperationBase {
  readonly kind: "elementwise";
  /** "identity" is an addition of the constant zero: what carries an activation that no other operation could take in. */
  readonly function: "add" | "mul" | "minimum" | "identity";
  /** The second feature map; absent where it is one constant. */
  readonly second?: Tensor;
}

/** Moves values to other places without computing: supported by few NPUs. */
export interface RearrangeOperation extends OperationBase {
  readonly kind: "depth-to-space";
  readonly block: number;
}

/** What NPUs lack: left to the host processor. */
export interface HostOperation extends OperationBase {
  readonly kind: "host";
  /** Why, in words. */
  readonly reason: string;
  /** Multiply-accumulates. */
  readonly macs: number;
  /** Bytes that are read and written. */
  readonly bytes: number;
  /** What it reads besides `input`. */
  readonly others?: readonly Tensor[];
}

export type Operation = WindowOperation | ElementwiseOperation | RearrangeOperation | HostOperation;

/** Operations in an order in which each comes after those that it reads. */
export interface Program {
  readonly name: string;
  readonly input: Tensor;
  readonly operations: readonly Operation[];
  readonly output: Tensor;
}

/** Multiply-accumulates as the NPU's compiler counts them: every tap of every output, zeros of padding and spreading included; taps of pooling too. */
export function macsOf(operation: Operation): number {
  if (operation.kind === "host") return operation.macs;
  if (operation.kind === "elementwise" || operation.kind === "depth-to-space") return 0;
  const [h, w, channels] = operation.output.shape;
  const [kh, kw] = operation.kernel;
  const inputs =
    operation.kind === "convolution" || operation.kind === "fully-connected" ? operation.input.shape[2] : 1;
  return h * w * channels * kh * kw * inputs;
}

/** The feature maps that an operation reads. */
export function tensorsOf(operation: Operation): readonly Tensor[] {
  if (operation.kind === "host") return [operation.input, ...(operation.others ?? [])];
  return operation.kind === "elementwise" && operation.second ? [operation.input, operation.second] : [operation.input];
}
