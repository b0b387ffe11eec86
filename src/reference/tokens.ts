/** Slow, plain forms of what turns feature maps into tokens and back, and of projections with pivots. */
import type { FeatureMap } from "../network/description.ts";

type RealArray = Float32Array | Float64Array;
/** Bytes are moved as they are. */
type Values = RealArray | Int8Array;
type Make<Result> = (length: number) => Result;

/** All pixels in one row behind the learnt token: [1, h * w + 1, c]. */
export function classToken<Result extends Values>(
  { shape: [height, width, channels], data }: FeatureMap<Values>,
  token: Values,
  make: Make<Result>,
): FeatureMap<Result> {
  const result = make(data.length + channels);
  result.set(token);
  result.set(data, channels);
  return { shape: [1, height * width + 1, channels], data: result };
}

/** The first pixel, [1, 1, c]. */
export function takeToken<Result extends Values>(
  { shape: [, , channels], data }: FeatureMap<Values>,
  make: Make<Result>,
): FeatureMap<Result> {
  const result = make(channels);
  result.set(data.subarray(0, channels));
  return { shape: [1, 1, channels], data: result };
}

/** The first pixel replaced by the one of `token`. */
export function replaceToken<Result extends Values>(
  { shape, data }: FeatureMap<Values>,
  token: FeatureMap<Values>,
  make: Make<Result>,
): FeatureMap<Result> {
  const result = make(data.length);
  result.set(data);
  result.set(token.data);
  return { shape, data: result };
}

/** x + weights, value by value. */
export function addPositions<Result extends RealArray>(
  { shape, data }: FeatureMap<RealArray>,
  weights: RealArray,
  make: Make<Result>,
): FeatureMap<Result> {
  const result = make(data.length);
  for (let i = 0; i < data.length; i++) result[i] = data[i]! + weights[i]!;
  return { shape, data: result };
}

/** y[g n + i] = x[pivots[g][i]] + sum over the channels that are no pivots of g of weights[g n + i, ...] x[...], in ascending order. */
export function pivotProjection<Result extends RealArray>(
  { shape: [height, width, inputs], data }: FeatureMap<RealArray>,
  pivots: readonly (readonly number[])[],
  weights: RealArray,
  make: Make<Result>,
): FeatureMap<Result> {
  const own = pivots[0]!.length;
  const channels = pivots.length * own;
  const result = make(height * width * channels);
  for (const [group, list] of pivots.entries()) {
    const others = Array.from({ length: inputs }, (_, c) => c).filter((c) => !list.includes(c));
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (const [i, pivot] of list.entries()) {
        const o = group * own + i;
        let sum = data[pixel * inputs + pivot]!;
        for (const [t, c] of others.entries()) sum += weights[o * others.length + t]! * data[pixel * inputs + c]!;
        result[pixel * channels + o] = sum;
      }
    }
  }
  return { shape: [height, width, channels], data: result };
}
