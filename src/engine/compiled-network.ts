import { check } from "../errors.ts";
import type { AlgorithmId } from "../kernels/convolution/choice.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { FeatureMap, Network } from "../network/description.ts";
import { valuesIn } from "../network/shapes.ts";
import type { QuantizationParams } from "../quantization/requantize.ts";
import { Plan, type PlanOptions } from "./plan.ts";
import type { Program } from "./program.ts";

/** How one convolution is computed. */
export interface LayerAlgorithm {
  /** What runs. */
  readonly algorithm: AlgorithmId;
  /** Why, in one line. */
  readonly reason: string;
  /** Export of the binary. */
  readonly kernel: string;
}

/**
 * A network made ready to run: filters packed in WebAssembly memory once, and a plan (one arena, every offset fixed) for the input
 * size used last, so that memory holds one arena and not one per size.
 */
export class CompiledNetwork {
  /** The network that runs: collapsed and fused. */
  readonly network: Network;
  /** What convolutions are computed in. */
  readonly precision: "f32" | "int8";
  readonly #kernels: KernelInstance;
  readonly #program: Program;
  #kept: Plan | undefined;
  #disposed = false;

  /** @internal `compile` makes them. */
  constructor(kernels: KernelInstance, program: Program) {
    this.#kernels = kernels;
    this.#program = program;
    this.network = program.network;
    this.precision = program.precision;
  }

  /** Quantisation of the input tensor; undefined if it is f32, as in int8 networks whose ends stay real. */
  get inputQuantization(): QuantizationParams | undefined {
    return this.#quantizationOf(this.#program.input);
  }
  /** Quantisation of the output tensor; undefined if it is f32, as in int8 networks whose ends stay real. */
  get outputQuantization(): QuantizationParams | undefined {
    return this.#quantizationOf(this.network.output);
  }
  #quantizationOf(tensor: string): QuantizationParams | undefined {
    return this.#program.bytesOf(tensor) === 1 ? this.#program.tensorParams(tensor) : undefined;
  }

  /** What was chosen for each convolution and why, by layer name. @throws WasmogradError ERR_DISPOSED */
  get algorithms(): ReadonlyMap<string, LayerAlgorithm> {
    check(!this.#disposed, "ERR_DISPOSED", () => "this network was disposed of");
    const { convolutions, choices } = this.#program;
    return new Map([...choices].map(([name, choice]) => [name, { ...choice, kernel: convolutions.get(name)!.kernel }]));
  }

  /** The instance that it runs on. */
  get kernels(): KernelInstance {
    return this.#kernels;
  }

  /** Bytes of WebAssembly memory held at present. */
  get memoryBytes(): number {
    return this.#kernels.memory.byteLength;
  }

  /**
   * A plan for one input size, beside any other: the caller disposes of it, before the network.
   * @throws WasmogradError ERR_SHAPE, ERR_OUT_OF_MEMORY, ERR_DISPOSED
   * @internal
   */
  createPlan(height: number, width: number, options: PlanOptions = {}): Plan {
    check(!this.#disposed, "ERR_DISPOSED", () => "this network was disposed of");
    return new Plan(this.#kernels, this.#program, height, width, options);
  }

  /** The plan of `run` for one input size, kept until another size is asked for. */
  #plan(height: number, width: number): Plan {
    const [h, w] = this.#kept?.inputShape ?? [];
    if (this.#kept && h === height && w === width) return this.#kept;
    this.#kept?.dispose();
    this.#kept = undefined;
    this.#kept = this.createPlan(height, width);
    return this.#kept;
  }

  /**
   * Runs the network on one feature map. Real values in, real values out: an int8 network quantises its input and dequantises
   * its output, unless they stay real. `data` holds height * width * channels values. Beside the result, memory does not grow with the height.
   * @param output where the result goes, a new array if none is given
   * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT, ERR_OUT_OF_MEMORY, ERR_DISPOSED
   */
  run(input: FeatureMap<Float32Array>, output?: Float32Array): FeatureMap<Float32Array> {
    const plan = this.#planFor(input, "Float32Array", input.data instanceof Float32Array);
    const { outputShape } = plan;
    const data = output ?? new Float32Array(valuesIn(outputShape));
    checkOutput(data, Float32Array, valuesIn(outputShape));
    this.runReal(plan, input.data, data);
    return { shape: outputShape, data };
  }

  /** @internal Runs a plan of this network on real values in units of 1 / unit. Both arrays have the plan's sizes. */
  runReal(plan: Plan, input: Float32Array, output: Float32Array, unit = 1): void {
    const { memory } = this.#kernels;
    const { inputShape, outputShape, largestRead, largestWrite } = plan;
    const [inputRow, outputRow] = [inputShape[1] * inputShape[2], outputShape[1] * outputShape[2]];
    const staging = memory.allocate(4 * Math.max(largestRead * inputRow, largestWrite * outputRow));
    try {
      plan.run(
        (begin, end, pointer) => {
          memory.f32.set(input.subarray(begin * inputRow, end * inputRow), staging >> 2);
          this.fromReal(staging, pointer, (end - begin) * inputRow, unit);
        },
        (begin, end, pointer) => {
          const count = (end - begin) * outputRow;
          this.toReal(pointer, staging, count, unit);
          output.set(memory.f32.subarray(staging >> 2, (staging >> 2) + count), begin * outputRow);
        },
      );
    } finally {
      memory.free(staging);
    }
  }

  /** @internal `count` real values at `from`, in kernel memory and in units of 1 / unit, -> values of the input tensor at `to`. */
  fromReal(from: number, to: number, count: number, unit = 1): void {
    const { exports } = this.#kernels;
    const params = this.inputQuantization;
    if (params) exports.s8_quantize(from, to, count, 1 / (params.scale * unit), params.zeroPoint);
    else exports.f32_affine(from, to, count, 1 / unit, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /** @internal `count` values of the output tensor at `from` -> real values at `to`, in kernel memory and in units of 1 / unit. */
  toReal(from: number, to: number, count: number, unit = 1): void {
    const { exports } = this.#kernels;
    const params = this.outputQuantization;
    if (params) exports.f32_dequantize(from, to, count, params.scale * unit, params.zeroPoint);
    else exports.f32_affine(from, to, count, unit, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /**
   * The same for an int8 network with quantised values on both sides: see `inputQuantization` and `outputQuantization`.
   * @throws WasmogradError as `run`; ERR_ARGUMENT when the network computes in f32 or its ends stay real
   */
  runInt8(input: FeatureMap<Int8Array>, output?: Int8Array): FeatureMap<Int8Array> {
    const int8 = this.inputQuantization !== undefined;
    check(int8, "ERR_ARGUMENT", () => "runInt8: expected an int8 network, its ends included, got one with ends in f32");
    const plan = this.#planFor(input, "Int8Array", input.data instanceof Int8Array);
    const { memory } = this.#kernels;
    const { inputShape, outputShape } = plan;
    const [inputRow, outputRow] = [inputShape[1] * inputShape[2], outputShape[1] * outputShape[2]];
    const data = output ?? new Int8Array(valuesIn(outputShape));
    checkOutput(data, Int8Array, valuesIn(outputShape));
    plan.run(
      (begin, end, pointer) => memory.i8.set(input.data.subarray(begin * inputRow, end * inputRow), pointer),
      (begin, end, pointer) => {
        data.set(memory.i8.subarray(pointer, pointer + (end - begin) * outputRow), begin * outputRow);
      },
    );
    return { shape: outputShape, data };
  }

  #planFor(input: FeatureMap<{ length: number }>, type: string, typeFits: boolean): Plan {
    const { shape } = input;
    const channels = this.#program.inputChannels;
    const wellFormed = Array.isArray(shape) && shape.length === 3 && shape.every((n) => Number.isInteger(n) && n > 0);
    check(
      wellFormed && shape[2] === channels,
      "ERR_SHAPE",
      () => `input: expected a shape [h, w, ${channels}], got [${shape}]`,
    );
    check(typeFits, "ERR_ARGUMENT", () => `input: data: expected ${type}, got ${input.data?.constructor?.name}`);
    const count = shape[0] * shape[1] * shape[2];
    check(input.data.length === count, "ERR_SHAPE", () => `input: expected ${count} values, got ${input.data.length}`);
    check(!this.#disposed, "ERR_DISPOSED", () => "this network was disposed of");
    return this.#plan(shape[0], shape[1]);
  }

  /** Frees the plan and the packed filters. Linear memory never shrinks; drop the kernel instance to give it back. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#kept?.dispose();
    this.#program.dispose();
  }
  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function checkOutput(
  output: { readonly length: number },
  type: Float32ArrayConstructor | Int8ArrayConstructor,
  count: number,
): void {
  const fits = output instanceof type;
  check(fits, "ERR_ARGUMENT", () => `output: expected ${type.name}, got ${output?.constructor?.name}`);
  check(output.length === count, "ERR_SHAPE", () => `output: expected ${count} values, got ${output.length}`);
}
