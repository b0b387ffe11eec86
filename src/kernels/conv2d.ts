import { check, checkObject, WasmogradError } from "../errors.ts";
import {
  checkedMultiplier,
  checkQuantization,
  QMAX,
  QMIN,
  type QuantizationParams,
  quantizeValue,
} from "../quantization/requantize.ts";
import {
  type ConvAlgorithm,
  ConvolutionCall,
  type ConvSpecF32,
  type ConvSpecS8,
  checkAlgorithm,
  chooseAlgorithm,
  PackedConvolution,
  type ResidualSpec,
} from "./convolution/convolution.ts";
import { epilogueF32 } from "./convolution/epilogue-f32.ts";
import { type ConvGeometry, convGeometry } from "./convolution/geometry.ts";
import type { KernelInstance } from "./load.ts";

/** "prelu" takes one slope per output channel for negative values. */
export type Conv2dActivation = "none" | "relu" | "relu6" | { readonly prelu: ArrayLike<number> };

interface Conv2dShape {
  /** Shape of the IFM: [1, height, width, channels] or [height, width, channels]. */
  readonly input: readonly number[];
  /** [height, width] of the kernel. */
  readonly kernel: readonly [height: number, width: number];
  /** Default 1. */
  readonly stride?: 1 | 2;
  /** Default "same" (TensorFlow's: zero padding, the odd row or column at the bottom or right). */
  readonly padding?: "same" | "valid";
  /** Default "none". */
  readonly activation?: Conv2dActivation;
}

/** An int8 convolution. Its output is the same on every engine, bit for bit (docs/quantization.md). */
export interface Conv2dOptionsInt8 extends Conv2dShape {
  /** OHWI [outputChannels, kh, kw, inputChannels], -127..127. */
  readonly weights: Int8Array;
  /** One scale per output channel: real weight = scale * int8 weight. */
  readonly weightScales: ArrayLike<number>;
  /** In units of inputScale * weightScales[o]; default 0. */
  readonly bias?: Int32Array;
  readonly inputQuantization: QuantizationParams;
  readonly outputQuantization: QuantizationParams;
  /** A tensor of the output's shape, or of one channel, that is added after the activation. */
  readonly residual?: { readonly quantization: QuantizationParams; readonly channels?: number };
  /**
   * "winograd": complex F(4x4,3x3), exact, 3x3 with stride 1 only; "direct"; or "auto" (default), which takes the faster of the two.
   */
  readonly algorithm?: "auto" | ConvAlgorithm;
}

/** A float32 convolution, summed in the order kernel row, kernel column, channel, with one rounding an operation. */
export interface Conv2dOptionsF32 extends Conv2dShape {
  /** There is one f32 algorithm. */
  readonly algorithm?: "auto" | "direct";
  /** OHWI [outputChannels, kh, kw, inputChannels]. */
  readonly weights: Float32Array;
  readonly bias?: ArrayLike<number>;
  /** A tensor of the output's shape, or of one channel, that is added after the activation. */
  readonly residual?: { readonly channels?: number };
}

type DataOf<Options> = Options extends Conv2dOptionsInt8 ? Int8Array : Float32Array;

/** A convolution with its filter packed and its buffers reserved: run it as often as you like, then dispose of it. */
export class Conv2d<Data extends Int8Array | Float32Array = Int8Array | Float32Array> {
  readonly outputShape: readonly [height: number, width: number, channels: number];
  /** What runs: the algorithm and the name of the kernel. */
  readonly algorithm: ConvAlgorithm;
  readonly kernel: string;
  readonly #kernels: KernelInstance;
  readonly #packed: PackedConvolution;
  readonly #call: ConvolutionCall | undefined;
  readonly #buffers: number[] = [];
  readonly #lengths: { readonly input: number; readonly output: number; readonly residual: number };
  readonly #float: boolean;
  #disposed = false;

  constructor(kernels: KernelInstance, spec: ConvSpecS8 | ConvSpecF32, geometry: ConvGeometry) {
    const g = geometry;
    this.#kernels = kernels;
    this.#float = spec.dtype === "f32";
    this.outputShape = [g.oh, g.ow, g.oc];
    const residual = spec.residual ? g.oh * g.ow * (spec.residual.broadcast ? 1 : g.oc) : 0;
    this.#lengths = { input: g.ih * g.iw * g.ic, output: g.oh * g.ow * g.oc, residual };
    this.#packed = new PackedConvolution(kernels, spec);
    this.algorithm = spec.dtype === "s8" ? spec.algorithm : "direct";
    this.kernel = this.#packed.kernel;
    try {
      this.#call = new ConvolutionCall(kernels, this.#packed, g);
      const bytes = this.#float ? 4 : 1;
      for (const length of [this.#lengths.input, this.#lengths.output, residual]) {
        this.#buffers.push(kernels.memory.allocate(length * bytes));
      }
      this.#buffers.push(kernels.memory.allocate(this.#call.scratchBytes));
    } catch (error) {
      this.dispose();
      throw error;
    }
    const [input, output, residualBuffer, scratch] = this.#buffers as [number, number, number, number];
    this.#call!.bind(input, output, residual === 0 ? 0 : residualBuffer, scratch);
  }

  /**
   * Computes y from x (NHWC values); returns y, a new array if none is given. Reads and writes copies, so x may be y.
   * @throws WasmogradError ERR_SHAPE on a wrong length, ERR_ARGUMENT on a wrong array type, ERR_DISPOSED
   */
  run(x: Data, y?: Data, residual?: Data): Data {
    check(!this.#disposed, "ERR_DISPOSED", () => "conv2d: this convolution was disposed of");
    this.#expect("x", x, this.#lengths.input);
    if (this.#lengths.residual > 0) this.#expect("residual", residual, this.#lengths.residual);
    else check(residual === undefined, "ERR_ARGUMENT", () => "residual: this convolution was made without one");
    const length = this.#lengths.output;
    const result = y ?? ((this.#float ? new Float32Array(length) : new Int8Array(length)) as Data);
    this.#expect("y", result, length);
    const [input, output, residualBuffer] = this.#buffers as [number, number, number, number];
    this.#write(x, input);
    if (residual) this.#write(residual, residualBuffer);
    this.#call!.run();
    const { f32, i8 } = this.#kernels.memory;
    if (result instanceof Float32Array) result.set(f32.subarray(output >> 2, (output >> 2) + length));
    else result.set(i8.subarray(output, output + length));
    return result;
  }

  #write(values: Data, pointer: number): void {
    if (values instanceof Float32Array) this.#kernels.memory.f32.set(values, pointer >> 2);
    else this.#kernels.memory.i8.set(values, pointer);
  }

  #expect(name: string, array: Data | undefined, length: number): asserts array is Data {
    const type = this.#float ? Float32Array : Int8Array;
    const fits = array instanceof type;
    check(
      fits,
      "ERR_ARGUMENT",
      () => `${name}: expected ${type.name}, got ${array?.constructor.name ?? String(array)}`,
    );
    check(array.length === length, "ERR_SHAPE", () => `${name}: expected ${length} values, got ${array.length}`);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const pointer of this.#buffers) this.#kernels.memory.free(pointer);
    this.#call?.dispose();
    this.#packed.dispose();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function checkSize(name: string, values: readonly number[], counts: readonly number[]): void {
  const fits =
    Array.isArray(values) && counts.includes(values.length) && values.every((v) => Number.isInteger(v) && v > 0);
  check(fits, "ERR_SHAPE", () => `${name}: expected ${counts.join(" or ")} positive integers, got [${String(values)}]`);
}

/** Geometry and output channels, with everything that the user can get wrong about them refused by name. */
function checkedGeometry(options: Conv2dShape & { readonly weights: Int8Array | Float32Array }): ConvGeometry {
  const { input, kernel, stride = 1, padding = "same", weights } = options;
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
  const channels = weights.length / filter;
  check(
    Number.isInteger(channels) && channels > 0,
    "ERR_SHAPE",
    () =>
      `weights: expected a multiple of ${kernel[0]}*${kernel[1]}*${shape[2]} = ${filter} values, got ${weights.length}`,
  );
  return convGeometry(shape, channels, kernel, stride, padding);
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

function specF32(options: Conv2dOptionsF32, g: ConvGeometry): ConvSpecF32 {
  const { activation = "none", algorithm = "auto", bias, residual } = options;
  check(
    algorithm === "auto" || algorithm === "direct",
    "ERR_UNSUPPORTED",
    () => `algorithm: f32 convolutions are "direct", got ${String(algorithm)}`,
  );
  checkActivation(activation, g.oc);
  const bad = options.weights.findIndex((w) => !Number.isFinite(w));
  check(bad < 0, "ERR_ARGUMENT", () => `weights[${bad}]: expected a finite number, got ${options.weights[bad]}`);
  if (bias) checkVector("bias", bias, g.oc);
  check(!(residual && activation === "relu6"), "ERR_UNSUPPORTED", () => "residual: cannot follow relu6 in one kernel");
  return {
    dtype: "f32",
    ...g,
    weights: options.weights,
    bias: bias ? Float32Array.from(bias) : new Float32Array(g.oc),
    ...epilogueF32(activation, residual !== undefined, g.oc),
    ...(residual && { residual: { broadcast: broadcastResidual(residual, g.oc) } }),
  };
}

function specInt8(options: Conv2dOptionsInt8, g: ConvGeometry): ConvSpecS8 {
  const { activation = "none", algorithm = "auto", bias, residual, weightScales, weights } = options;
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
  if (bias) {
    check(bias instanceof Int32Array, "ERR_ARGUMENT", () => "bias: expected Int32Array");
    check(bias.length === g.oc, "ERR_SHAPE", () => `bias: expected ${g.oc} values, got ${bias.length}`);
  }
  check(!(residual && activation === "relu6"), "ERR_UNSUPPORTED", () => "residual: cannot follow relu6 in one kernel");
  checkAlgorithm(algorithm);
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
      multiplier: checkedMultiplier("residual.quantization", residual.quantization.scale / outputQuantization.scale),
    };
  }
  return {
    dtype: "s8",
    ...g,
    weights,
    bias: bias ?? new Int32Array(g.oc),
    multipliers,
    ...(negativeMultipliers && { negativeMultipliers }),
    inputZeroPoint: inputQuantization.zeroPoint,
    outputZeroPoint: outputQuantization.zeroPoint,
    qmin: clamped ? outputQuantization.zeroPoint : QMIN,
    qmax: activation === "relu6" ? quantizeValue(6, outputQuantization) : QMAX,
    ...(residualSpec && { residual: residualSpec }),
    // What was asked for by name is refused where it does not apply, not replaced.
    algorithm: algorithm === "auto" ? chooseAlgorithm("auto", g) : algorithm,
  };
}

/** Makes a convolution ready: see `Kernels.conv2d`. */
export function createConv2d<Options extends Conv2dOptionsInt8 | Conv2dOptionsF32>(
  kernels: KernelInstance,
  options: Options,
): Conv2d<DataOf<Options>> {
  const geometry = checkedGeometryOf(options);
  const spec =
    options.weights instanceof Int8Array
      ? specInt8(options as Conv2dOptionsInt8, geometry)
      : specF32(options as Conv2dOptionsF32, geometry);
  return new Conv2d<DataOf<Options>>(kernels, spec, geometry);
}

function checkedGeometryOf(options: Conv2dOptionsInt8 | Conv2dOptionsF32): ConvGeometry {
  checkObject("options", options);
  const { weights } = options;
  if (!(weights instanceof Int8Array || weights instanceof Float32Array)) {
    throw new WasmogradError("ERR_ARGUMENT", "weights: expected Int8Array or Float32Array");
  }
  return checkedGeometry(options);
}
