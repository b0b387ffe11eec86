import { check, WasmogradError } from "../errors.ts";
import type { AlgorithmId } from "../kernels/convolution/choice.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { FeatureMap, Network } from "../network/description.ts";
import { valuesIn } from "../network/shapes.ts";
import type { QuantizationParams } from "../quantization/requantize.ts";
import { Plan } from "./plan.ts";
import type { Program } from "./program.ts";

/** How one convolution is computed. */
export interface LayerAlgorithm {
  readonly algorithm: AlgorithmId;
  readonly reason: string;
  /** Export of the binary. */
  readonly kernel: string;
}

/**
 * A network made ready to run: filters packed in WebAssembly memory once, and a plan (one arena, every offset fixed) for the input
 * size used last, so that memory holds one arena and not one per size. Running allocates nothing but the result.
 */
export class CompiledNetwork {
  readonly network: Network;
  readonly precision: "f32" | "int8";
  readonly #kernels: KernelInstance;
  readonly #program: Program;
  #plan: Plan | undefined;
  #disposed = false;

  constructor(kernels: KernelInstance, program: Program) {
    this.#kernels = kernels;
    this.#program = program;
    this.network = program.network;
    this.precision = program.precision;
  }

  /** Quantisation of the input and output tensors; undefined for f32. */
  get inputQuantization(): QuantizationParams | undefined {
    return this.#program.tensorParams(this.#program.input);
  }
  get outputQuantization(): QuantizationParams | undefined {
    return this.#program.tensorParams(this.network.output);
  }

  /** What was chosen for each convolution and why, by layer name. */
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

  /** The plan for one input size; valid until one for another size is asked for. */
  plan(height: number, width: number): Plan {
    check(!this.#disposed, "ERR_DISPOSED", () => "this network was disposed of");
    const [h, w] = this.#plan?.inputShape ?? [];
    if (this.#plan && h === height && w === width) return this.#plan;
    this.#plan?.dispose();
    this.#plan = undefined;
    this.#plan = new Plan(this.#kernels, this.#program, height, width);
    return this.#plan;
  }

  /**
   * Runs the network on one feature map. Real values in, real values out: an int8 network quantises its input and dequantises
   * its output. `data` holds height * width * channels values.
   * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT, ERR_OUT_OF_MEMORY, ERR_DISPOSED
   */
  run(input: FeatureMap<Float32Array>): FeatureMap<Float32Array> {
    const plan = this.#planFor(input, "Float32Array", input.data instanceof Float32Array);
    const { memory } = this.#kernels;
    const count = valuesIn(plan.outputShape);
    if (this.precision === "f32") {
      memory.f32.set(input.data, plan.input >> 2);
      plan.run();
      return { shape: plan.outputShape, data: memory.f32.slice(plan.output >> 2, (plan.output >> 2) + count) };
    }
    const staging = memory.allocate(4 * Math.max(input.data.length, count));
    try {
      memory.f32.set(input.data, staging >> 2);
      this.writeInput(plan, staging);
      plan.run();
      this.readOutput(plan, staging);
      return { shape: plan.outputShape, data: memory.f32.slice(staging >> 2, (staging >> 2) + count) };
    } finally {
      memory.free(staging);
    }
  }

  /** Real values at `from`, in kernel memory and in units of 1 / unit, -> the plan's input. */
  writeInput(plan: Plan, from: number, unit = 1): void {
    const { exports } = this.#kernels;
    const count = valuesIn(plan.inputShape);
    const params = this.inputQuantization;
    if (params) exports.s8_quantize(from, plan.input, count, 1 / (params.scale * unit), params.zeroPoint);
    else exports.f32_affine(from, plan.input, count, 1 / unit, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /** The plan's output -> real values at `to`, in kernel memory and in units of 1 / unit. */
  readOutput(plan: Plan, to: number, unit = 1): void {
    const { exports } = this.#kernels;
    const count = valuesIn(plan.outputShape);
    const params = this.outputQuantization;
    if (params) exports.f32_dequantize(plan.output, to, count, params.scale * unit, params.zeroPoint);
    else exports.f32_affine(plan.output, to, count, unit, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /** The same for an int8 network with quantised values on both sides. */
  runInt8(input: FeatureMap<Int8Array>): FeatureMap<Int8Array> {
    if (this.precision !== "int8") {
      throw new WasmogradError("ERR_ARGUMENT", "runInt8: expected an int8 network, this one computes in f32");
    }
    const plan = this.#planFor(input, "Int8Array", input.data instanceof Int8Array);
    this.#kernels.memory.i8.set(input.data, plan.input);
    plan.run();
    const count = valuesIn(plan.outputShape);
    return { shape: plan.outputShape, data: this.#kernels.memory.i8.slice(plan.output, plan.output + count) };
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
    return this.plan(shape[0], shape[1]);
  }

  /** Frees the plan and the packed filters. Linear memory never shrinks; drop the kernel instance to give it back. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#plan?.dispose();
    this.#program.dispose();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}
