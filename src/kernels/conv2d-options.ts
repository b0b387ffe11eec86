/** The options of `Kernels.conv2d`, and what the kernels make of them. Everything that can be got wrong is refused by name. */
import { check, checkObject, WasmogradError } from "../errors.ts";
import {
  checkedMultiplier,
  checkQuantization,
  QMAX,
  QMIN,
  type QuantizationParams,
  quantizeValue,
} from "../quantization/requantize.ts";
import { checkFilterScaling, type FilterScaling } from "../winograd/filter-scaling.ts";
import {
  type AlgorithmOption,
  type Choice,
  checkAlgorithm,
  chooseF32,
  chooseS8,
  requireNamed,
} from "./convolution/choice.ts";
import { epilogueF32 } from "./convolution/epilogue-f32.ts";
import { type ConvGeometry, convGeometry } from "./convolution/geometry.ts";
import type { ConvSpecF32, ConvSpecS8, ResidualSpec } from "./convolution/spec.ts";

/** "prelu" takes one slope per output channel for negative values. */
export type Conv2dActivation =
  | "none"
  | "relu"
  | "relu6"
  | {
      /** [output channels] */
      readonly prelu: ArrayLike<number>;
    };

/** What int8 and f32 convolutions have in common. */
export interface Conv2dShape {
  /** Shape of the IFM: [1, height, width, channels] or [height, width, channels]. */
  readonly input: readonly number[];
  /** [height, width] of the kernel. */
  readonly kernel: readonly [height: number, width: number];
  /** Default 1. */
  readonly stride?: 1 | 2;
  /** Default "same" (TensorFlow's: zero padding, the odd row or column at the bottom or right). */
  readonly padding?: "same" | "valid";
  /**
   * 1 (default): every output channel sums over all input channels. As many as there are input channels: depthwise, each channel has a
   * filter of its own and the output as many channels as the input. Nothing between is supported.
   */
  readonly groups?: number;
  /** Default "none". */
  readonly activation?: Conv2dActivation;
}

/** An int8 convolution. Its output is the same on every engine, bit for bit (docs/quantization.md). */
export interface Conv2dOptionsInt8 extends Conv2dShape {
  /** OHWI [outputChannels, kh, kw, inputChannels], depthwise [channels, kh, kw, 1]; -127..127. */
  readonly weights: Int8Array;
  /** One scale per output channel: real weight = scale * int8 weight. */
  readonly weightScales: ArrayLike<number>;
  /** In units of inputScale * weightScales[o]; default 0. */
  readonly bias?: Int32Array;
  /** Of x: real = scale * (x - zeroPoint). */
  readonly inputQuantization: QuantizationParams;
  /** Of y, likewise. */
  readonly outputQuantization: QuantizationParams;
  /** A tensor of the output's shape, or of one channel, that is added after the activation. */
  readonly residual?: {
    /** Of its values. */
    readonly quantization: QuantizationParams;
    /** 1, or the output channels (default). */
    readonly channels?: number;
  };
  /**
   * "auto" (default): of the algorithms that are exact for these weights the fastest, by a measured table; "winograd": the same without
   * "direct"; or one by name: "direct", and with stride 1 "f4x4-3x3-complex" (46 products for 144, arXiv 1901.01965),
   * "f4x4-3x3-rational" and "f4x4-3x3-half" (36 for 144), "f2x2-3x3" (16 for 36), "f2x2-5x5-complex" (46 for 100) and, along rows,
   * "f1x4-5x5-rational" (40 for 100). All give the same bits.
   */
  readonly algorithm?: AlgorithmOption;
  /**
   * Transformed filters of a Winograd algorithm in 8 to 16 bits with power-of-two scales (arXiv 1901.01965, filter scaling). The one option
   * that is not exact: docs/winograd.md has its error. Without an algorithm by name it takes "winograd".
   */
  readonly filterScaling?: FilterScaling;
}

/**
 * A float32 convolution. Direct, it is summed in the order kernel row, kernel column, channel, with one rounding an operation, wherever the
 * pixel lies; Winograd rounds differently (docs/winograd.md has the bound).
 */
export interface Conv2dOptionsF32 extends Conv2dShape {
  /**
   * "auto" (default) and "direct" are direct; "winograd" takes the Winograd algorithm with the fewest products; or one by name, with stride
   * 1: "f4x4-3x3-half", "f4x4-3x3-rational", "f4x4-3x3-complex" (the most accurate), "f2x2-5x5-rational".
   */
  readonly algorithm?: AlgorithmOption;
  /** OHWI [outputChannels, kh, kw, inputChannels], depthwise [channels, kh, kw, 1]. */
  readonly weights: Float32Array;
  /** One value per output channel; default 0. */
  readonly bias?: ArrayLike<number>;
  /** A tensor of the output's shape, or of one channel, that is added after the activation. */
  readonly residual?: {
    /** 1, or the output channels (default). */
    readonly channels?: number;
  };
}

/** Sizes of a convolution, and whether it is depthwise. */
type Geometry = ConvGeometry & { readonly depthwise: boolean };

/** A convolution in the kernels' terms, and why its algorithm was chosen. */
export interface Chosen<Spec extends ConvSpecS8 | ConvSpecF32> {
  readonly spec: Spec;
  readonly reason: string;
}

function checkSize(name: string, values: readonly number[], counts: readonly number[]): void {
  const fits =
    Array.isArray(values) && counts.includes(values.length) && values.every((v) => Number.isInteger(v) && v > 0);
  check(fits, "ERR_SHAPE", () => `${name}: expected ${counts.join(" or ")} positive integers, got [${String(values)}]`);
}

/** Geometry and output channels, with everything that the user can get wrong about them refused by name. */
function checkedGeometry(options: Conv2dShape & { readonly weights: Int8Array | Float32Array }): Geometry {
  const { input, kernel, stride = 1, padding = "same", groups = 1, weights } = options;
  checkSize("input", input, [3, 4]);
  check(input.length === 3 || input[0] === 1, "ERR_SHAPE", () => `input: expected batch 1, got ${input[0]}`);
  checkSize("kernel", kernel, [2]);
  check(stride === 1 || stride === 2, "ERR_ARGUMENT", () => `stride: expected 1 or 2, got ${String(stride)}`);
  check(
    padding === "same" || padding === "valid",
    "ERR_ARGUMENT",
    () => `padding: expected "same" or "valid", got ${String(padding)}`,
  );
  const shape = input.slice(-3) as unknown as readonly [number, number, number];
  const filter = kernel[0] * kernel[1] * shape[2];
  if (groups !== 1) {
    check(
      groups === shape[2],
      "ERR_UNSUPPORTED",
      () => `groups: expected 1 or the input's ${shape[2]} channels, got ${String(groups)}`,
    );
    check(
      weights.length === filter,
      weights.length > 0 && weights.length % filter === 0 ? "ERR_UNSUPPORTED" : "ERR_SHAPE",
      () =>
        `weights: expected ${kernel[0]}*${kernel[1]} values for each of ${groups} groups = ${filter}, got ${weights.length}`,
    );
    return { ...convGeometry(shape, groups, kernel, stride, padding), depthwise: true };
  }
  const channels = weights.length / filter;
  check(
    Number.isInteger(channels) && channels > 0,
    "ERR_SHAPE",
    () =>
      `weights: expected a multiple of ${kernel[0]}*${kernel[1]}*${shape[2]} = ${filter} values, got ${weights.length}`,
  );
  return { ...convGeometry(shape, channels, kernel, stride, padding), depthwise: false };
}

function checkVector(name: string, values: ArrayLike<number>, channels: number): void {
  check(values.length === channels, "ERR_SHAPE", () => `${name}: expected ${channels} values, got ${values.length}`);
  for (let i = 0; i < channels; i++) {
    check(
      Number.isFinite(values[i]),
      "ERR_ARGUMENT",
      () => `${name}[${i}]: expected a finite number, got ${values[i]}`,
    );
  }
}

function checkActivation(activation: Conv2dActivation, channels: number): void {
  if (typeof activation === "object" && activation !== null && "prelu" in activation) {
    checkObject("activation.prelu", activation.prelu);
    checkVector("activation.prelu", activation.prelu, channels);
    return;
  }
  check(
    activation === "none" || activation === "relu" || activation === "relu6",
    "ERR_ARGUMENT",
    () => `activation: expected "none", "relu", "relu6" or { prelu: slopes }, got ${String(activation)}`,
  );
}

/** Whether the residual has one channel for many, with its channel count checked. */
function broadcastResidual(residual: { readonly channels?: number }, channels: number): boolean {
  const given = residual.channels ?? channels;
  check(
    given === channels || given === 1,
    "ERR_SHAPE",
    () => `residual.channels: expected 1 or ${channels}, got ${given}`,
  );
  return given < channels;
}

function chosenF32({ algorithm = "auto" }: Conv2dOptionsF32, g: Geometry): Choice<ConvSpecF32["algorithm"]> {
  checkAlgorithm(algorithm);
  requireNamed(algorithm, "f32", g);
  return chooseF32(algorithm, g);
}

function specF32(options: Conv2dOptionsF32, g: Geometry): Chosen<ConvSpecF32> {
  const scaling = (options as { readonly filterScaling?: unknown }).filterScaling;
  check(scaling === undefined, "ERR_ARGUMENT", () => "filterScaling: expected with int8 weights only");
  const choice = chosenF32(options, g);
  const { activation = "none", bias, residual } = options;
  checkActivation(activation, g.oc);
  const bad = options.weights.findIndex((w) => !Number.isFinite(w));
  check(bad < 0, "ERR_ARGUMENT", () => `weights[${bad}]: expected a finite number, got ${options.weights[bad]}`);
  if (bias) checkVector("bias", bias, g.oc);
  check(!(residual && activation === "relu6"), "ERR_UNSUPPORTED", () => "residual: cannot follow relu6 in one kernel");
  const spec: ConvSpecF32 = {
    dtype: "f32",
    ...g,
    weights: options.weights,
    bias: bias ? Float32Array.from(bias) : new Float32Array(g.oc),
    ...epilogueF32(activation, residual !== undefined, g.oc),
    ...(residual && { residual: { broadcast: broadcastResidual(residual, g.oc) } }),
    algorithm: choice.algorithm,
  };
  return { spec, reason: choice.reason };
}

function specInt8(options: Conv2dOptionsInt8, g: Geometry): Chosen<ConvSpecS8> {
  const { activation = "none", filterScaling, residual, weightScales, weights } = options;
  const { algorithm: given = "auto" } = options;
  // Only Winograd has filters to be scaled, so asking for that is asking for it.
  const algorithm = given === "auto" && filterScaling !== undefined ? "winograd" : given;
  const { inputQuantization, outputQuantization } = options;
  checkQuantization("inputQuantization", inputQuantization);
  checkQuantization("outputQuantization", outputQuantization);
  checkActivation(activation, g.oc);
  check(
    weightScales?.length === g.oc,
    "ERR_SHAPE",
    () => `weightScales: expected ${g.oc} values, got ${weightScales?.length}`,
  );
  const outOfRange = weights.indexOf(-128);
  check(outOfRange < 0, "ERR_QUANTIZATION", () => `weights[${outOfRange}]: expected -127..127, got -128`);
  const bias = options.bias ?? new Int32Array(g.oc);
  check(bias instanceof Int32Array, "ERR_ARGUMENT", () => "bias: expected Int32Array");
  check(bias.length === g.oc, "ERR_SHAPE", () => `bias: expected ${g.oc} values, got ${bias.length}`);
  check(!(residual && activation === "relu6"), "ERR_UNSUPPORTED", () => "residual: cannot follow relu6 in one kernel");
  checkAlgorithm(algorithm);
  requireNamed(algorithm, "s8", g);
  if (filterScaling !== undefined) checkFilterScaling(filterScaling);
  const multipliers = new Float32Array(g.oc);
  for (let o = 0; o < g.oc; o++) {
    const ratio = (inputQuantization.scale * weightScales[o]!) / outputQuantization.scale;
    multipliers[o] = checkedMultiplier(`weightScales[${o}]`, ratio);
  }
  let negativeMultipliers: Float32Array | undefined;
  if (typeof activation === "object") {
    negativeMultipliers = multipliers.map((m, o) => m * activation.prelu[o]!);
    const large = negativeMultipliers.findIndex((m) => Math.abs(m) > 2 ** 60);
    check(large < 0, "ERR_QUANTIZATION", () => `activation.prelu[${large}]: slope times multiplier is beyond 2^60`);
  } else if (activation === "relu" && residual) {
    negativeMultipliers = new Float32Array(g.oc);
  }
  const clamped = (activation === "relu" && !residual) || activation === "relu6";
  let residualSpec: ResidualSpec | undefined;
  if (residual) {
    checkQuantization("residual.quantization", residual.quantization);
    residualSpec = {
      broadcast: broadcastResidual(residual, g.oc),
      zeroPoint: residual.quantization.zeroPoint,
      multipliers: new Float32Array(g.oc).fill(
        checkedMultiplier("residual.quantization", residual.quantization.scale / outputQuantization.scale),
      ),
    };
  }
  const inputZeroPoint = inputQuantization.zeroPoint;
  const choice = chooseS8(algorithm, g, {
    layer: { weights, bias, inputZeroPoint, ic: g.ic, oc: g.oc },
    output: [g.oh, g.ow],
    filterScaling,
  });
  if (filterScaling !== undefined && choice.algorithm === "direct") {
    const why =
      algorithm === "direct" ? "direct convolution has no such filters" : `${choice.reason}; use exact filters`;
    throw new WasmogradError("ERR_UNSUPPORTED", `filterScaling: ${why}`);
  }
  const spec: ConvSpecS8 = {
    dtype: "s8",
    ...g,
    weights,
    bias,
    multipliers,
    ...(negativeMultipliers && { negativeMultipliers }),
    inputZeroPoint,
    outputZeroPoint: outputQuantization.zeroPoint,
    qmin: clamped ? outputQuantization.zeroPoint : QMIN,
    qmax: activation === "relu6" ? quantizeValue(6, outputQuantization) : QMAX,
    ...(residualSpec && { residual: residualSpec }),
    algorithm: choice.algorithm,
    ...(filterScaling && { filterScaling }),
  };
  return { spec, reason: choice.reason };
}

/** Geometry and specification of a convolution. @throws WasmogradError as `Kernels.conv2d` */
export function specOf(
  options: Conv2dOptionsInt8 | Conv2dOptionsF32,
): Chosen<ConvSpecS8 | ConvSpecF32> & { readonly geometry: ConvGeometry } {
  checkObject("options", options);
  const { weights } = options;
  if (!(weights instanceof Int8Array || weights instanceof Float32Array)) {
    throw new WasmogradError("ERR_ARGUMENT", "weights: expected Int8Array or Float32Array");
  }
  const geometry = checkedGeometry(options);
  const chosen =
    weights instanceof Int8Array
      ? specInt8(options as Conv2dOptionsInt8, geometry)
      : specF32(options as Conv2dOptionsF32, geometry);
  return { ...chosen, geometry };
}
