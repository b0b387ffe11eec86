/** The step of a layer that is not a convolution, over a range of rows. */
import { WasmogradError } from "../errors.ts";
import { MAGIC_BITS } from "../kernels/convolution/params.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { AddLayer, Layer, Shape } from "../network/description.ts";
import { isTokenLayer } from "../network/token-layers.ts";
import { FINE } from "../quantization/requantize.ts";
import { type Program, ProgramS8, type RowAddress, type Step } from "./program.ts";

/** Layers that this file does not know: those of classifiers and transformers (layer-steps.ts). */
export function needsLayerSteps(layer: Layer): boolean {
  if (isTokenLayer(layer)) return true;
  switch (layer.op) {
    case "activation": {
      const { kind } = layer.activation;
      return layer.affine !== undefined || (kind !== "relu" && kind !== "relu6" && kind !== "prelu");
    }
    case "layer-norm":
    case "channel-affine":
    case "pivot-projection":
    case "max-pool":
    case "global-average-pool":
    case "subsample":
      return true;
    default:
      return false;
  }
}

/** Whether the layer's output has the bytes of its input, so that both are one buffer and there is nothing to run. */
export function isAlias(layer: Layer, bytesOf: (tensor: string) => number): boolean {
  return layer.op === "offset" && bytesOf(layer.input) === 1;
}

/** undefined when there is nothing to do. */
export function elementwise(
  kernels: KernelInstance,
  program: Program,
  layer: Layer,
  shapes: ReadonlyMap<string, Shape>,
  at: RowAddress,
  scratch: number,
): Step | undefined {
  const { exports } = kernels;
  if (layer.op === "input" || isAlias(layer, program.bytesOf)) return undefined;
  if (needsLayerSteps(layer)) return program.layerSteps!.step(program, layer, shapes, at, scratch);
  const [, width, channels] = shapes.get(layer.name)!;
  const { name } = layer;
  if (layer.op === "add") {
    const { wide, narrow, broadcast } = orderOperands(layer, shapes);
    if (!(program instanceof ProgramS8)) {
      return (y, end) =>
        exports.f32_add(at(wide, y), at(narrow, y), at(name, y), (end - y) * width, channels, broadcast);
    }
    const add = program.model.adds.get(name)!;
    const swapped = wide !== layer.inputs[0];
    const { zero, least } = magic(program, name, add.qmin);
    const za = program.tensorParams(wide).zeroPoint;
    const zb = program.tensorParams(narrow).zeroPoint;
    const ma = swapped ? add.multiplierB : add.multiplierA;
    const mb = swapped ? add.multiplierA : add.multiplierB;
    const { qmax } = add;
    return (y, end) => {
      const pixels = (end - y) * width;
      exports.qs8_add(
        at(wide, y),
        at(narrow, y),
        at(name, y),
        pixels,
        channels,
        broadcast,
        za,
        ma,
        zb,
        mb,
        zero,
        least,
        qmax,
      );
    };
  }
  if (layer.op === "split" && program instanceof ProgramS8) {
    const { scale, zeroPoint } = program.tensorParams(layer.input);
    const { zeroPoint: restZeroPoint } = program.tensorParams(name);
    const perRow = (width * channels) / 2;
    return (y, end) =>
      exports.s8_split(at(layer.input, y), at(name, y), (end - y) * perRow, FINE / scale, zeroPoint, restZeroPoint);
  }
  if (layer.op !== "depth-to-space" && layer.op !== "clip" && layer.op !== "offset" && layer.op !== "activation") {
    throw new WasmogradError("ERR_NETWORK", `layer "${name}": a ${layer.op} must be lowered first`);
  }
  const { input } = layer;
  if (layer.op === "depth-to-space") {
    const [, columns, depth] = shapes.get(input)!;
    const cell = depth / layer.block ** 2;
    const bytes = program.bytesOf(name);
    const kernel = bytes === 4 ? exports.x32_depth_to_space : exports.x8_depth_to_space;
    const { block } = layer;
    return (y, end) => {
      const [first, last] = [y / block, end / block];
      kernel(
        last - first,
        columns,
        block,
        cell,
        at(input, first),
        columns * depth * bytes,
        at(name, y),
        width * channels * bytes,
      );
    };
  }
  const perRow = width * channels;
  if (program instanceof ProgramS8) {
    if (layer.op === "clip") {
      const { qmin, qmax } = program.model.clips.get(name)!;
      return (y, end) => exports.s8_clamp(at(input, y), at(name, y), (end - y) * perRow, qmin, qmax);
    }
    if (layer.op === "offset") {
      const { scale, zeroPoint } = program.tensorParams(input);
      return (y, end) => exports.s8_quantize(at(input, y), at(name, y), (end - y) * perRow, 1 / scale, zeroPoint);
    }
    const activation = program.model.activations.get(name)!;
    const { zero, least } = magic(program, name, activation.qmin);
    const { zeroPoint } = program.tensorParams(input);
    const { multiplier, qmax } = activation;
    const negative = program.vector(name);
    return (y, end) => {
      const pixels = (end - y) * width;
      exports.qs8_prelu(
        at(input, y),
        at(name, y),
        pixels,
        channels,
        zeroPoint,
        multiplier,
        negative,
        zero,
        least,
        qmax,
      );
    };
  }
  const affine =
    (add: number, least: number, most: number): Step =>
    (y, end) =>
      exports.f32_affine(at(input, y), at(name, y), (end - y) * perRow, 1, add, least, most);
  if (layer.op === "clip") return affine(0, layer.min, layer.max);
  if (layer.op === "offset") return affine(layer.value, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  const { activation } = layer;
  if (activation.kind === "prelu") {
    const slopes = program.vector(name);
    return (y, end) => exports.f32_prelu(at(input, y), at(name, y), (end - y) * width, channels, slopes);
  }
  return affine(0, 0, activation.kind === "relu6" ? 6 : Number.POSITIVE_INFINITY);
}

/** The operand with all channels first; `broadcast` is 1 when the other has one channel only. */
function orderOperands(
  layer: AddLayer,
  shapes: ReadonlyMap<string, Shape>,
): { wide: string; narrow: string; broadcast: number } {
  const [a, b] = layer.inputs;
  const ca = shapes.get(a)![2];
  const cb = shapes.get(b)![2];
  return ca >= cb ? { wide: a, narrow: b, broadcast: +(cb < ca) } : { wide: b, narrow: a, broadcast: 1 };
}

function magic(program: ProgramS8, tensor: string, qmin: number): { zero: number; least: number } {
  const zero = MAGIC_BITS - program.tensorParams(tensor).zeroPoint;
  return { zero, least: zero + qmin };
}
