import { compile } from "../../src/engine/compile.ts";
import type { FeatureMap, Model } from "../../src/network/description.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { type QuantisedModel, quantise } from "../../src/quantization/quantise.ts";
import { dequantizeValue, quantizeValue } from "../../src/quantization/requantize.ts";
import { runReference, runReferenceQuantised } from "../../src/reference/run.ts";

/** Calibrated on these pictures. */
export function quantisedOn(model: Model, pictures: readonly FeatureMap<Float32Array>[]): QuantisedModel {
  return quantise(model, calibrate(model, pictures, runReference));
}

export function quantiseInput(model: QuantisedModel, { shape, data }: FeatureMap<Float32Array>): FeatureMap<Int8Array> {
  const params = model.tensors.get(model.network.layers[0]!.name)!;
  return { shape, data: Int8Array.from(data, (v) => quantizeValue(v, params)) };
}

/** Result of the engine and of the integer oracle, int8. */
export async function bothInt8(
  model: QuantisedModel,
  picture: FeatureMap<Float32Array>,
): Promise<{ readonly engine: Int8Array; readonly oracle: Int8Array }> {
  const input = quantiseInput(model, picture);
  const compiled = await compile(model);
  const first = compiled.runInt8(input).data;
  // A second run finds the same constants, and memory that the first has left.
  const engine = compiled.runInt8(input).data;
  compiled.dispose();
  if (first.some((q, i) => q !== engine[i])) throw new Error("a second run gave other bits");
  return { engine, oracle: runReferenceQuantised(model, input).get(model.network.output)! };
}

/** Real values of the output tensor. */
export function realOutput(model: QuantisedModel, values: Int8Array): Float32Array {
  const params = model.tensors.get(model.network.output)!;
  return Float32Array.from(values, (q) => dequantizeValue(q, params));
}

/** Cosine of the angle between two vectors. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < b.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Signal to quantisation noise in dB: what `expected` is to its difference from `actual`. */
export function sqnr(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [signal, noise] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i]! ** 2;
    noise += (actual[i]! - expected[i]!) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}
