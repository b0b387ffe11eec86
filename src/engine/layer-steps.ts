/** Steps of the layers that classifiers and transformers have beyond convolutions, by kernels that are loaded with the first such network. */
import { convAxis } from "../conv-axis.ts";
import { instantiateAttentionKernels } from "../kernels/attention/load.ts";
import { MAGIC_BITS } from "../kernels/convolution/params.ts";
import type { LayerKernelExports } from "../kernels/layers/exports.ts";
import { instantiateLayerKernels } from "../kernels/layers/load.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type {
  ActivationLayer,
  Layer,
  MaxPoolLayer,
  Model,
  Network,
  PlainActivation,
  Shape,
} from "../network/description.ts";
import type { QuantisedModel } from "../quantization/quantise.ts";
import { averageMultiplier } from "../quantization/requantize.ts";
import { pivotConstants, pivotStep, pivotStepScratchBytes } from "./pivot-steps.ts";
import type { ConstantValues, LayerSteps, Program, RowAddress, Step } from "./program.ts";
import { isInt8, tokenScratchBytes } from "./token-heads.ts";
import { tokenConstants, tokenStep } from "./token-steps.ts";
import { tokenConstantsS8, tokenStepS8 } from "./token-steps-s8.ts";

/** @throws WasmogradError ERR_WASM, ERR_OUT_OF_MEMORY */
export async function loadLayerSteps(kernels: KernelInstance, { layers }: Network): Promise<LayerSteps> {
  const { exports } = await instantiateLayerKernels(kernels);
  const hasAttention = layers.some(({ op }) => op === "attention" || op === "pivot-projection");
  const attention = hasAttention ? (await instantiateAttentionKernels(kernels)).exports : undefined;
  return {
    constants,
    scratchBytes: (program, layer, shapes) =>
      layer.op === "pivot-projection"
        ? pivotStepScratchBytes(layer, shapes)
        : tokenScratchBytes(program, layer, shapes),
    step: (program, layer, shapes, at, scratch) => {
      if (layer.op === "pivot-projection") return pivotStep(attention!, program, layer, shapes, at, scratch);
      const context = { kernels, exports, attention, shapes, at, scratch };
      const own = isInt8(program)
        ? tokenStepS8({ ...context, program }, layer)
        : tokenStep({ ...context, program }, layer);
      return own ?? makeStep({ ...context, program }, layer);
    },
  };
}

interface Context {
  readonly kernels: KernelInstance;
  readonly exports: LayerKernelExports;
  readonly program: Program;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly at: RowAddress;
}

function* constants(model: Model | QuantisedModel): Iterable<readonly [string, ConstantValues]> {
  if ("filters" in model) {
    yield* tokenConstantsS8(model);
    for (const [name, { factors, offsets }] of model.tokens?.norms ?? []) {
      yield [`${name}.scale`, factors];
      yield [`${name}.offset`, offsets];
    }
  } else {
    yield* tokenConstants(model);
    yield* pivotConstants(model);
    yield* affineVectors(model);
  }
}

/** What a layer multiplies by and adds, channel by channel. */
function factorsOf(layer: Layer): ActivationLayer["affine"] {
  if (layer.op === "activation") return layer.affine;
  return layer.op === "channel-affine" || layer.op === "layer-norm" ? layer : undefined;
}

/** Scales and offsets, by `<layer>.scale` and `<layer>.offset`. */
function* affineVectors({ network, weights }: Model): Iterable<readonly [string, Float32Array]> {
  for (const layer of network.layers) {
    const factors = factorsOf(layer);
    if (!factors) continue;
    yield [`${layer.name}.scale`, weights.get(factors.scale)!.data];
    if (factors.offset !== undefined) yield [`${layer.name}.offset`, weights.get(factors.offset)!.data];
  }
}

function makeStep(context: Context, layer: Layer): Step {
  const { exports, program, shapes, at } = context;
  const { name } = layer;
  const [, width, channels] = shapes.get(name)!;
  const int8 = isInt8(program);
  switch (layer.op) {
    case "activation":
    case "channel-affine": {
      if (int8) {
        const perChannel = program.model.tables.get(name)!.length > 256 ? 1 : 0;
        const tables = program.vector(name);
        return (y, end) =>
          exports.s8_table(at(layer.input, y), at(name, y), (end - y) * width, channels, tables, perChannel);
      }
      return layer.op === "activation" ? activation(context, layer) : affine(context, layer.input, layer);
    }
    case "layer-norm": {
      const [scale, offset] = [program.vector(`${name}.scale`), program.vector(`${name}.offset`)];
      if (int8) {
        const { epsilon, qmin, qmax } = program.model.tokens!.norms.get(name)!;
        const zero = MAGIC_BITS - program.tensorParams(name).zeroPoint;
        return (y, end) => {
          const [from, to, pixels] = [at(layer.input, y), at(name, y), (end - y) * width];
          exports.qs8_layer_norm(from, to, pixels, channels, scale, offset, epsilon, zero, zero + qmin, qmax);
        };
      }
      return (y, end) => {
        const pixels = (end - y) * width;
        exports.f32_layer_norm(at(layer.input, y), at(name, y), pixels, channels, scale, offset, layer.epsilon);
      };
    }
    case "max-pool":
      return maxPool(context, layer);
    case "global-average-pool":
      return globalAverage(context, layer.input, name);
    case "subsample": {
      const [, columns, inputs] = shapes.get(layer.input)!;
      const zero = int8 ? program.tensorParams(name).zeroPoint : 0;
      const bytes = int8 ? 1 : 4;
      const kernel = int8 ? exports.x8_subsample : exports.x32_subsample;
      const { stride, before } = layer;
      return (y, end) =>
        kernel(
          at(layer.input, y * stride),
          at(name, y),
          end - y,
          width,
          stride,
          inputs,
          channels,
          before,
          columns * inputs * bytes,
          width * channels * bytes,
          zero,
        );
    }
    default:
      throw new Error(`${layer.op} has no step here`);
  }
}

/** y = x * scale + offset of the layer whose vectors are named by `of`. */
function affine({ exports, program, shapes, at }: Context, input: string, of: { name: string; offset?: string }): Step {
  const [, width, channels] = shapes.get(of.name)!;
  const scale = program.vector(`${of.name}.scale`);
  const offset = of.offset === undefined ? 0 : program.vector(`${of.name}.offset`);
  return (y, end) =>
    exports.f32_channel_affine(at(input, y), at(of.name, y), (end - y) * width, channels, scale, offset);
}

/** f32: what lies before the activation, then the activation in place. */
function activation(context: Context, layer: ActivationLayer): Step {
  const { shapes, at } = context;
  const { name, affine: factors } = layer;
  const [, width, channels] = shapes.get(name)!;
  const before = factors && affine(context, layer.input, { name, ...factors });
  const apply = elementwise(context, layer, channels);
  return (y, end) => {
    before?.(y, end);
    apply(at(before ? name : layer.input, y), at(name, y), (end - y) * width);
  };
}

type Apply = (from: number, to: number, pixels: number) => void;

function elementwise(
  { kernels, exports, program }: Context,
  { name, activation: act }: ActivationLayer,
  channels: number,
): Apply {
  const plain: Record<PlainActivation["kind"], Apply> = {
    relu: (from, to, pixels) =>
      kernels.exports.f32_affine(from, to, pixels * channels, 1, 0, 0, Number.POSITIVE_INFINITY),
    relu6: (from, to, pixels) => kernels.exports.f32_affine(from, to, pixels * channels, 1, 0, 0, 6),
    "hard-swish": (from, to, pixels) => exports.f32_hard_swish(from, to, pixels * channels),
    gelu: (from, to, pixels) => exports.f32_gelu(from, to, pixels * channels),
  };
  if (act.kind === "prelu") {
    const slopes = program.vector(name);
    return (from, to, pixels) => kernels.exports.f32_prelu(from, to, pixels, channels, slopes);
  }
  if (act.kind === "mixed") throw new Error("mixed activations are lowered before");
  return plain[act.kind];
}

function maxPool({ exports, program, shapes, at }: Context, layer: MaxPoolLayer): Step {
  const { name, input, stride, padding } = layer;
  const [kh, kw] = layer.kernel;
  const [ih, iw, channels] = shapes.get(input)!;
  const [, ow] = shapes.get(name)!;
  const { padBefore: padTop } = convAxis(ih, kh, stride, padding);
  const { padBefore: padLeft } = convAxis(iw, kw, stride, padding);
  const int8 = isInt8(program);
  const bytes = int8 ? 1 : 4;
  const kernel = int8 ? exports.s8_max_pool : exports.f32_max_pool;
  const [fromStride, toStride] = [iw * channels * bytes, ow * channels * bytes];
  return (y, end) => {
    kernel(
      at(input, 0),
      at(name, 0),
      ih,
      iw,
      channels,
      kh,
      kw,
      stride,
      padTop,
      padLeft,
      y,
      end,
      ow,
      fromStride,
      toStride,
    );
  };
}

function globalAverage({ exports, program, shapes, at }: Context, input: string, name: string): Step {
  const [height, width, channels] = shapes.get(input)!;
  const pixels = height * width;
  if (!isInt8(program)) {
    return () => exports.f32_global_average(at(input, 0), at(name, 0), pixels, channels);
  }
  const [from, to] = [program.tensorParams(input), program.tensorParams(name)];
  const multiplier = averageMultiplier(from, to, pixels);
  const { qmin, qmax } = program.model.averages.get(name)!;
  const zero = MAGIC_BITS - to.zeroPoint;
  return () => {
    exports.qs8_global_average(
      at(input, 0),
      at(name, 0),
      pixels,
      channels,
      from.zeroPoint,
      multiplier,
      zero,
      zero + qmin,
      qmax,
    );
  };
}
