/** A description in the making: each method appends one layer and returns the name of the tensor that it makes. */
import type { Activation, Layer, Network, Padding, PlainActivation } from "../network/description.ts";

export interface ConvolutionOptions {
  /** Square; 1 unless given. */
  readonly kernel?: number;
  readonly stride?: number;
  /** "valid" unless given. */
  readonly padding?: Padding;
  readonly bias?: boolean;
  readonly depthwise?: boolean;
}

/**
 * Layers bear the stems of their weights' names, as modules do in PyTorch: `<name>.weight` and `<name>.bias`, and of normalisations
 * `<name>.running_mean` and `<name>.running_var` too.
 */
export class LayerList {
  readonly #layers: Layer[];

  /** Begins with the input, called "x". */
  constructor(channels: number) {
    this.#layers = [{ op: "input", name: "x", channels }];
  }

  #append(layer: Layer): string {
    this.#layers.push(layer);
    return layer.name;
  }

  convolution(name: string, input: string, channels: number, options: ConvolutionOptions = {}): string {
    const { kernel = 1, stride = 1, padding = "valid", bias = false, depthwise = false } = options;
    return this.#append({
      op: "conv2d",
      name,
      input,
      kernel: [kernel, kernel],
      stride,
      padding,
      channels,
      ...(depthwise && { depthwise }),
      weights: `${name}.weight`,
      ...(bias && { bias: `${name}.bias` }),
    });
  }

  /** A fully connected layer with bias, pixel by pixel; PyTorch's [out, in] are our [out, 1, 1, in]. */
  dense(name: string, input: string, channels: number): string {
    return this.convolution(name, input, channels, { bias: true });
  }

  transposed(name: string, input: string, channels: number, kernel: number, stride: number): string {
    const weights = { weights: `${name}.weight`, bias: `${name}.bias` };
    return this.#append({
      op: "conv2d-transpose",
      name,
      input,
      kernel: [kernel, kernel],
      stride,
      channels,
      ...weights,
    });
  }

  /** PyTorch's epsilon is 1e-5, the default; TensorFlow's 1e-3. */
  batchNorm(name: string, input: string, epsilon = 1e-5): string {
    const statistics = { mean: `${name}.running_mean`, variance: `${name}.running_var` };
    return this.#append({
      op: "batch-norm",
      name,
      input,
      scale: `${name}.weight`,
      offset: `${name}.bias`,
      ...statistics,
      epsilon,
    });
  }

  layerNorm(name: string, input: string, epsilon: number): string {
    return this.#append({ op: "layer-norm", name, input, scale: `${name}.weight`, offset: `${name}.bias`, epsilon });
  }

  /** One factor a channel; `scale` is the name of the weight. */
  channelScale(name: string, input: string, scale: string): string {
    return this.#append({ op: "channel-affine", name, input, scale });
  }

  /** Called `<input>.<kind>`. */
  activation(input: string, kind: PlainActivation["kind"]): string {
    return this.#activation(input, { kind });
  }

  /** RAN-e's restructurable activation, called `<input>.mixed`: `amount` of `of` and the rest of the identity. */
  mixed(input: string, of: PlainActivation["kind"], amount: number): string {
    return this.#activation(input, { kind: "mixed", of, amount });
  }

  /** Slopes per channel, `<input>.slope`. */
  prelu(input: string): string {
    return this.#activation(input, { kind: "prelu", slope: `${input}.slope` });
  }

  #activation(input: string, activation: Activation): string {
    return this.#append({ op: "activation", name: `${input}.${activation.kind}`, input, activation });
  }

  maxPool(name: string, input: string, options: { kernel: number; stride: number; padding: Padding }): string {
    const { kernel, stride, padding } = options;
    return this.#append({ op: "max-pool", name, input, kernel: [kernel, kernel], stride, padding });
  }

  /** Called "pool". */
  globalAverage(input: string): string {
    return this.#append({ op: "global-average-pool", name: "pool", input });
  }

  subsample(name: string, input: string, options: { stride: number; channels: number; before: number }): string {
    return this.#append({ op: "subsample", name, input, ...options });
  }

  /** Softmax attention, or with the name of its temperatures cross-covariance attention. */
  attention(
    name: string,
    tensors: { readonly q: string; readonly k: string; readonly v: string },
    heads: number,
    temperature?: string,
  ): string {
    const map = temperature === undefined ? { map: "softmax" as const } : { map: "xca" as const, temperature };
    return this.#append({ op: "attention", name, ...tensors, heads, ...map });
  }

  classToken(name: string, input: string, weights: string): string {
    return this.#append({ op: "class-token", name, input, weights });
  }

  positions(name: string, input: string, tokens: number, weights: string): string {
    return this.#append({ op: "positions", name, input, tokens, weights });
  }

  fourierPositions(name: string, input: string, channels: number): string {
    return this.#append({ op: "fourier-positions", name, input, channels });
  }

  takeToken(name: string, input: string): string {
    return this.#append({ op: "take-token", name, input });
  }

  replaceToken(name: string, tokens: string, token: string): string {
    return this.#append({ op: "replace-token", name, inputs: [tokens, token] });
  }

  sum(name: string, a: string, b: string): string {
    return this.#append({ op: "add", name, inputs: [a, b] });
  }

  network(name: string, output: string): Network {
    return { name, layers: this.#layers, output };
  }
}
