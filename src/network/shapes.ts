import { convAxis } from "../conv-axis.ts";
import { check, WasmogradError } from "../errors.ts";
import type { Layer, Network, Shape } from "./description.ts";
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

function channelsOf(layer: Layer, of: (tensor: string) => number): number {
  const { name } = layer;
  switch (layer.op) {
    case "input":
      return layer.channels;
    case "conv2d": {
      if (layer.residual) {
        const { tensor } = layer.residual;
        const given = of(tensor);
        const message = () =>
          `layer ${show(name)}: residual ${show(tensor)}: expected 1 or ${layer.channels} channels, got ${given}`;
        check(given === 1 || given === layer.channels, "ERR_SHAPE", message);
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
    default:
      return of(layer.input);
  }
}

/**
 * Shape of every tensor for an input of [height, width] pixels.
 * @throws WasmogradError ERR_SHAPE on a size that is not positive, a valid convolution larger than its input, sums of different
 *   shapes, channels that depth-to-space cannot divide; ERR_NETWORK as `validate`
 */
export function inferShapes(network: Network, input: Size): Map<string, Shape> {
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
