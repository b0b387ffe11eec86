/** Slow, plain forms of the activations beyond ReLU; `mapReal` of elementwise.ts applies them to feature maps. */
import type { FeatureMap } from "../network/description.ts";

/** x * (min(max(x + 3, 0), 6) / 6) ("Searching for MobileNetV3", arXiv 1905.02244, section 5.2): x itself from 3 on. */
export function hardSwish(x: number): number {
  return x * (Math.min(6, Math.max(0, x + 3)) / 6);
}

/** The same with each operation rounded to binary32, as the f32 kernel computes it; x is a binary32 number. */
export function hardSwishF32(x: number): number {
  const t = Math.min(6, Math.max(0, Math.fround(x + 3)));
  return Math.fround(x * Math.fround(t / 6));
}

/** From here on erf is 1 to within 2.2e-17, half the distance of float64 numbers below 1. */
const ERF_IS_ONE = 6;

/**
 * The error function to a few units of 2^-53, by a series whose terms are all of one sign:
 * erf(z) = 2 / sqrt(pi) * exp(-z^2) * sum over n of 2^n z^(2n + 1) / (1 * 3 * … * (2n + 1)).
 */
export function erf(z: number): number {
  if (Number.isNaN(z)) return z;
  if (Math.abs(z) >= ERF_IS_ONE) return Math.sign(z);
  let term = z;
  let sum = z;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 2 ** -54; n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum;
}

/** 0.5 * x * (1 + erf(x / sqrt 2)), the exact form of "Gaussian Error Linear Units", arXiv 1606.08415; the limits at the infinities. */
export function gelu(x: number): number {
  if (x === Number.NEGATIVE_INFINITY) return 0;
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

/** table[x + 128] of an int8 map; `tables` has 256 values, or 256 for each channel one after the other. */
export function tableS8({ shape, data }: FeatureMap<Int8Array>, tables: Int8Array): FeatureMap<Int8Array> {
  const perChannel = tables.length > 256;
  return { shape, data: data.map((x, i) => tables[(perChannel ? (i % shape[2]) * 256 : 0) + x + 128]!) };
}
