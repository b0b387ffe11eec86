/** Slow, plain forms of what scales feature maps channel by channel: in float64 and rounded when stored, and int8 bit for bit. */
import type { FeatureMap } from "../network/description.ts";
import type { QuantisedNorm } from "../quantization/quantise-tokens.ts";
import { roundHalfEven } from "../rounding.ts";

type RealArray = Float32Array | Float64Array;

/**
 * x * scale[c] + offset[c], both of `channels` values; without `offset` the product alone. `round` is applied to each operation:
 * `Math.fround` gives what the f32 kernel computes.
 */
export function channelAffine<Result extends RealArray>(
  { shape, data }: FeatureMap<RealArray>,
  scale: RealArray,
  offset: RealArray | undefined,
  make: (length: number) => Result,
  round: (x: number) => number = (x) => x,
): FeatureMap<Result> {
  const result = make(data.length);
  for (let i = 0; i < data.length; i++) {
    const c = i % shape[2];
    const product = round(data[i]! * scale[c]!);
    result[i] = offset ? round(product + offset[c]!) : product;
  }
  return { shape, data: result };
}

/** Mean and biased variance of the values, in two passes. */
export function moments(values: RealArray): { mean: number; variance: number } {
  let sum = 0;
  for (const x of values) sum += x;
  const mean = sum / values.length;
  let squares = 0;
  for (const x of values) squares += (x - mean) ** 2;
  return { mean, variance: squares / values.length };
}

/**
 * (x - mean) / sqrt(variance + epsilon) * scale[c] + offset[c] over the channels of each pixel, variance biased
 * ("Layer Normalization", arXiv 1607.06450, section 3; channels last as in "A ConvNet for the 2020s", arXiv 2201.03545).
 */
export function layerNorm<Result extends RealArray>(
  { shape, data }: FeatureMap<RealArray>,
  scale: RealArray,
  offset: RealArray,
  epsilon: number,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const channels = shape[2];
  const result = make(data.length);
  for (let at = 0; at < data.length; at += channels) {
    const { mean, variance } = moments(data.subarray(at, at + channels));
    const deviation = Math.sqrt(variance + epsilon);
    for (let c = 0; c < channels; c++) result[at + c] = ((data[at + c]! - mean) / deviation) * scale[c]! + offset[c]!;
  }
  return { shape, data: result };
}

/** int8 layer normalisation over the channels of each pixel, up to 65,793 of them: sums of integers are exact in float64. */
export function layerNormS8(
  { shape, data }: FeatureMap<Int8Array>,
  { factors, offsets, epsilon, qmin, qmax }: QuantisedNorm,
  zeroPoint: number,
): FeatureMap<Int8Array> {
  const f32 = Math.fround;
  const channels = shape[2];
  const result = new Int8Array(data.length);
  for (let at = 0; at < data.length; at += channels) {
    let sum = 0;
    let squares = 0;
    for (const q of data.subarray(at, at + channels)) {
      sum += q;
      squares += q * q;
    }
    const inverse = f32(1 / Math.sqrt(channels * squares - sum * sum + epsilon));
    for (let c = 0; c < channels; c++) {
      const n = channels * data[at + c]! - sum;
      const t = f32(f32(f32(n * inverse) * factors[c]!) + offsets[c]!);
      result[at + c] = Math.min(qmax, Math.max(qmin, roundHalfEven(t) + zeroPoint));
    }
  }
  return { shape, data: result };
}
