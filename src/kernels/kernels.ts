import { check, checkObject } from "../errors.ts";
import { checkQuantization, type QuantizationParams } from "../quantization/requantize.ts";
import { type Conv2d, createConv2d } from "./conv2d.ts";
import type { Conv2dOptionsF32, Conv2dOptionsInt8 } from "./conv2d-options.ts";
import { instantiateKernels, type KernelInstance } from "./load.ts";
import { type WasmOptions, wasmOf } from "./wasm-options.ts";

/** The kernels over one WebAssembly memory of their own. */
export class Kernels {
  readonly #instance: KernelInstance;

  /** @internal `loadKernels` makes them. */
  constructor(instance: KernelInstance) {
    this.#instance = instance;
  }

  /**
   * Prepares a convolution for one input size: int8 for `Int8Array` weights, f32 for `Float32Array` weights.
   *
   *     acc = bias[o] + sum_{u,v,i} (x[y*s+u-pt, x*s+v-pl, i] - inputZeroPoint) * weights[o,u,v,i]      cross-correlation
   *
   * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT, ERR_QUANTIZATION, ERR_UNSUPPORTED, ERR_OUT_OF_MEMORY
   * @example
   * const conv = kernels.conv2d({ input: [1, 56, 56, 64], kernel: [3, 3], weights, weightScales, inputQuantization, outputQuantization });
   * const y = conv.run(x);
   * conv.dispose();
   */
  conv2d(options: Conv2dOptionsInt8): Conv2d<Int8Array>;
  /** The same in f32. @throws WasmogradError as in int8 */
  conv2d(options: Conv2dOptionsF32): Conv2d<Float32Array>;
  conv2d(options: Conv2dOptionsInt8 | Conv2dOptionsF32): Conv2d {
    return createConv2d(this.#instance, options) as Conv2d;
  }

  /**
   * real -> int8, as `quantizeValue` of each element: halves to even, saturating, NaN to the zero point.
   * @throws WasmogradError ERR_ARGUMENT, ERR_QUANTIZATION, ERR_OUT_OF_MEMORY
   */
  quantize(values: Float32Array, params: QuantizationParams): Int8Array {
    check(values instanceof Float32Array, "ERR_ARGUMENT", () => "values: expected Float32Array");
    checkQuantization("params", params);
    return this.#convert(values.length * 4, values.length, (from, to) => {
      this.#instance.memory.f32.set(values, from >> 2);
      this.#instance.exports.s8_quantize(from, to, values.length, 1 / params.scale, params.zeroPoint);
      return this.#instance.memory.i8.slice(to, to + values.length);
    });
  }

  /**
   * int8 -> real: (q - zeroPoint) * scale in f32.
   * @throws WasmogradError ERR_ARGUMENT, ERR_QUANTIZATION, ERR_OUT_OF_MEMORY
   */
  dequantize(values: Int8Array, params: QuantizationParams): Float32Array {
    check(values instanceof Int8Array, "ERR_ARGUMENT", () => "values: expected Int8Array");
    checkQuantization("params", params);
    return this.#convert(values.length, values.length * 4, (from, to) => {
      this.#instance.memory.i8.set(values, from);
      this.#instance.exports.f32_dequantize(from, to, values.length, params.scale, params.zeroPoint);
      return this.#instance.memory.f32.slice(to >> 2, (to >> 2) + values.length);
    });
  }

  #convert<T>(inputBytes: number, outputBytes: number, run: (from: number, to: number) => T): T {
    const { memory } = this.#instance;
    const from = memory.allocate(inputBytes);
    try {
      const to = memory.allocate(outputBytes);
      try {
        return run(from, to);
      } finally {
        memory.free(to);
      }
    } finally {
      memory.free(from);
    }
  }

  /** Bytes of WebAssembly memory held at present; grows with what was prepared at the same time, never shrinks. */
  get memoryBytes(): number {
    return this.#instance.memory.byteLength;
  }
}

/**
 * Loads the kernels over a memory of their own.
 * @throws WasmogradError ERR_WASM when the engine lacks WebAssembly SIMD, or when the binary cannot be had or compiled; ERR_ARGUMENT
 */
export async function loadKernels(options: WasmOptions = {}): Promise<Kernels> {
  checkObject("options", options);
  return new Kernels(await instantiateKernels(wasmOf(options)));
}
