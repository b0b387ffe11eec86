import { convAxis } from "../conv-axis.ts";
import { check, WasmogradError } from "../errors.ts";
import type { AttentionLayer, Layer, Network, Shape } from "./description.ts";
import { show } from "./layer-fields.ts";
import { validate } from "./validate.ts";

/** Number of values of a tensor or weight. */
export function valuesIn(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Channels of a sum; an operand of one channel is broadcast. */
function sumChannels(name: string, a: number, b: number): number {
  const fits = a === b || a === 1 || b === 1;
  check(fits, "ERR_SHAPE", () => `layer ${show(name)}: expected equal channels or one of 1 to add, got ${a} and ${b}`);
  return Math.max(a, b);
}

/** Heads of an attention layer and the channels of each. */
export interface HeadChannels {
  readonly heads: number;
  readonly keyHeads: number;
  readonly valueHeads: number;
  /** Of a head of the queries and of the keys. */
  readonly keyChannels: number;
  /** Of a head of the values and of the output. */
  readonly valueChannels: number;
}

/** @throws WasmogradError ERR_SHAPE when heads do not divide channels, or when queries, keys and values do not fit */
export function headChannels(layer: AttentionLayer, of: (tensor: string) => number): HeadChannels {
  const { name, heads, keyHeads = heads, valueHeads = heads } = layer;
  const per = (role: "q" | "k" | "v", count: number): number => {
    const given = of(layer[role]);
    const parts = count === 1 ? "1 head" : `${count} heads`;
    const message = () => `layer ${show(name)}: ${role}: expected channels divisible by ${parts}, got ${given}`;
    check(given % count === 0, "ERR_SHAPE", message);
    return given / count;
  };
  const [queryChannels, keyChannels, valueChannels] = [per("q", heads), per("k", keyHeads), per("v", valueHeads)];
  const keys = () =>
    `layer ${show(name)}: expected as many channels a head of q and k, got ${queryChannels} and ${keyChannels}`;
  check(queryChannels === keyChannels, "ERR_SHAPE", keys);
  const values = () =>
    `layer ${show(name)}: expected as many channels a head of k and v with xca, got ${keyChannels} and ${valueChannels}`;
  check(layer.map === "softmax" || keyChannels === valueChannels, "ERR_SHAPE", values);
  return { heads, keyHeads, valueHeads, keyChannels, valueChannels };
}

function channelsOf(layer: Layer, of: (tensor: string) => number): number {
  const { name } = layer;
  switch (layer.op) {
    case "input":
      return layer.channels;
    case "conv2d": {
      if (layer.residual) {
        const { tensor, scale } = layer.residual;
        const given = of(tensor);
        const expected =
          scale === undefined ? `1 or ${layer.channels} channels` : `${layer.channels} channels to scale`;
        const message = () => `layer ${show(name)}: residual ${show(tensor)}: expected ${expected}, got ${given}`;
        check((given === 1 && scale === undefined) || given === layer.channels, "ERR_SHAPE", message);
      }
      const given = of(layer.input);
      const message = () => `layer ${show(name)}: channels: expected ${given} as of its input, got ${layer.channels}`;
      check(!layer.depthwise || layer.channels === given, "ERR_SHAPE", message);
      return layer.channels;
    }
    case "conv2d-transpose":
      return layer.channels;
    case "subsample": {
      const most = layer.channels - layer.before;
      const given = of(layer.input);
      const message = () =>
        `layer ${show(name)}: expected at most ${most} input channels behind ${layer.before}, got ${given}`;
      check(given <= most, "ERR_SHAPE", message);
      return layer.channels;
    }
    case "linear-block": {
      const given = of(layer.input);
      const message = () =>
        `layer ${show(name)}: shortResidual: expected ${given} output channels as of its input, got ${layer.channels}`;
      check(!layer.shortResidual || given === layer.channels, "ERR_SHAPE", message);
      return layer.channels;
    }
    case "add":
      return sumChannels(name, of(layer.inputs[0]), of(layer.inputs[1]));
    case "depth-to-space": {
      const given = of(layer.input);
      const cell = layer.block ** 2;
      const message = () => `layer ${show(name)}: expected channels divisible by block^2 = ${cell}, got ${given}`;
      check(given % cell === 0, "ERR_SHAPE", message);
      return given / cell;
    }
    case "split":
      return 2 * of(layer.input);
    case "attention": {
      const { heads, valueChannels } = headChannels(layer, of);
      return heads * valueChannels;
    }
    case "replace-token": {
      const [tokens, token] = [of(layer.inputs[0]), of(layer.inputs[1])];
      const message = () => `layer ${show(name)}: expected a token of ${tokens} channels, got ${token}`;
      check(tokens === token, "ERR_SHAPE", message);
      return tokens;
    }
    case "fourier-positions":
      return layer.channels;
    case "pivot-projection": {
      const given = of(layer.input);
      const largest = Math.max(...layer.pivots.flat());
      const message = () => `layer ${show(name)}: pivots: expected channels below ${given}, got ${largest}`;
      check(largest < given, "ERR_SHAPE", message);
      const own = layer.pivots[0]!.length;
      const few = () =>
        `layer ${show(name)}: pivots: expected fewer a group than the ${given} input channels, got ${own}`;
      check(own < given, "ERR_SHAPE", few);
      return layer.pivots.length * own;
    }
    default:
      return of(layer.input);
  }
}

/**
 * Channels of every tensor; they do not depend on the input's size.
 * @throws WasmogradError ERR_NETWORK as `validate`, ERR_SHAPE on sums, residuals and depth-to-space that do not fit
 */
export function inferChannels(network: Network): Map<string, number> {
  const channels = new Map<string, number>();
  for (const layer of validate(network).layers) {
    channels.set(
      layer.name,
      channelsOf(layer, (tensor) => channels.get(tensor)!),
    );
  }
  return channels;
}

type Size = readonly [height: number, width: number];

function checkSameSize(name: string, a: Size, b: Size): void {
  const same = a[0] === b[0] && a[1] === b[1];
  check(
    same,
    "ERR_SHAPE",
    () => `layer ${show(name)}: expected maps of one size to add, got ${a[0]}x${a[1]} and ${b[0]}x${b[1]}`,
  );
}

function sizeOf(layer: Layer, input: Size, of: (tensor: string) => Size): Size {
  const { name } = layer;
  switch (layer.op) {
    case "input":
      return input;
    case "conv2d":
    case "max-pool": {
      const [h, w] = of(layer.input);
      const [kh, kw] = layer.kernel;
      const height = convAxis(h, kh, layer.stride, layer.padding).size;
      const width = convAxis(w, kw, layer.stride, layer.padding).size;
      if (height === 0 || width === 0) {
        throw new WasmogradError(
          "ERR_SHAPE",
          `layer ${show(name)}: expected an input of at least ${kh}x${kw}, got ${h}x${w}`,
        );
      }
      if (layer.op === "conv2d" && layer.residual) checkSameSize(name, [height, width], of(layer.residual.tensor));
      return [height, width];
    }
    case "conv2d-transpose": {
      const [h, w] = of(layer.input);
      return [h * layer.stride, w * layer.stride];
    }
    case "global-average-pool":
      return [1, 1];
    case "subsample": {
      const [h, w] = of(layer.input);
      return [Math.ceil(h / layer.stride), Math.ceil(w / layer.stride)];
    }
    case "add":
      checkSameSize(name, of(layer.inputs[0]), of(layer.inputs[1]));
      return of(layer.inputs[0]);
    case "depth-to-space": {
      const [h, w] = of(layer.input);
      return [h * layer.block, w * layer.block];
    }
    case "attention": {
      const [q, k, v] = [of(layer.q), of(layer.k), of(layer.v)];
      const sizes = [q, k, v].map((size) => size.join("x")).join(", ");
      const [first, second, third] = [q, k, v].map(([h, w]) => h * w);
      const fits = second === third && (layer.map === "softmax" || first === second);
      const equal = layer.map === "xca" ? "q, k and v" : "k and v";
      check(fits, "ERR_SHAPE", () => `layer ${show(name)}: expected as many tokens of ${equal}, got ${sizes}`);
      return q;
    }
    case "class-token": {
      const [h, w] = of(layer.input);
      return [1, h * w + 1];
    }
    case "positions": {
      const [h, w] = of(layer.input);
      const message = () =>
        `layer ${show(name)}: expected ${layer.tokens} tokens, for which positions are learnt, got ${h * w} (${h}x${w})`;
      check(h * w === layer.tokens, "ERR_SHAPE", message);
      return [h, w];
    }
    case "take-token":
      return [1, 1];
    case "replace-token": {
      const [h, w] = of(layer.inputs[1]);
      check(
        h * w === 1,
        "ERR_SHAPE",
        () => `layer ${show(name)}: expected one token to put in, got a map of ${h}x${w}`,
      );
      return of(layer.inputs[0]);
    }
    default:
      return of(layer.input);
  }
}

/**
 * Shape [height, width, channels] of every tensor, by name, for an input of [height, width] pixels.
 * @throws WasmogradError ERR_SHAPE on a size that is not positive, a valid convolution larger than its input, sums of different
 *   shapes, channels that depth-to-space or heads cannot divide, another number of tokens than positions are learnt for; ERR_NETWORK as
 *   `validate`
 */
export function inferShapes(network: Network, input: readonly [height: number, width: number]): Map<string, Shape> {
  const positive = input.length === 2 && input.every((n) => Number.isInteger(n) && n > 0);
  check(positive, "ERR_SHAPE", () => `input: expected [height, width], positive integers, got ${show(input)}`);
  const sorted = validate(network);
  const channels = inferChannels(sorted);
  const sizes = new Map<string, Size>();
  for (const layer of sorted.layers) {
    sizes.set(
      layer.name,
      sizeOf(layer, input, (tensor) => sizes.get(tensor)!),
    );
  }
  return new Map([...sizes].map(([name, [h, w]]): [string, Shape] => [name, [h, w, channels.get(name)!]]));
}
