import { ConvolutionCall } from "../../src/kernels/convolution/call.ts";
import { convGeometry } from "../../src/kernels/convolution/geometry.ts";
import { PackedConvolution } from "../../src/kernels/convolution/packed.ts";
import type { ConvSpecF32, ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import type { KernelInstance } from "../../src/kernels/load.ts";
import { withGuards } from "./guard.ts";
import { random } from "./random.ts";

/** int8 values, uniform over [low, high]. */
export function int8Values(seed: number, length: number, low = -128, high = 127): Int8Array {
  const next = random(seed);
  return Int8Array.from({ length }, () => low + Math.floor(next() * (high - low + 1)));
}

/** f32 values, uniform over [-1, 1). */
export function floatValues(seed: number, length: number): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length }, () => next() * 2 - 1);
}

/**
 * Runs one convolution kernel with guard bands around every buffer, a scratch filled with garbage, and everything freed again. Output and
 * residual are of the input's type, or f32 where the output stays real.
 */
export function runConvolution<Data extends Int8Array | Float32Array, Result extends Int8Array | Float32Array = Data>(
  kernels: KernelInstance,
  spec: ConvSpecS8 | ConvSpecF32,
  shape: readonly [number, number, number],
  padding: "same" | "valid",
  input: Data,
  residual?: Int8Array | Float32Array,
): Result {
  const { memory } = kernels;
  const packed = new PackedConvolution(kernels, spec);
  const geometry = convGeometry(shape, spec.oc, [spec.kh, spec.kw], spec.stride, padding);
  const call = new ConvolutionCall(kernels, packed, geometry);
  const bytes = "minimum" in spec ? 4 : 1;
  const outputs = geometry.oh * geometry.ow * geometry.oc;
  const put = (values: Int8Array | Float32Array, at: number): void => {
    if (values instanceof Float32Array) memory.f32.set(values, at >> 2);
    else memory.i8.set(values, at);
  };
  let result: Result | undefined;
  const sizes = [input.byteLength, outputs * bytes, residual?.byteLength ?? 0, call.scratchBytes];
  withGuards(memory, sizes, ([x, y, r, scratch]) => {
    put(input, x!);
    if (residual) put(residual, r!);
    call.bind(x!, y!, residual ? r! : 0, scratch!);
    call.run();
    result = (
      bytes === 4 ? memory.f32.slice(y! >> 2, (y! >> 2) + outputs) : memory.i8.slice(y!, y! + outputs)
    ) as Result;
  });
  call.dispose();
  packed.dispose();
  return result!;
}
