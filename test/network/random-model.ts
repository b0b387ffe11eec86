import type { FeatureMap, Model, Network, Shape, Weight } from "../../src/network/description.ts";
import { weightUses } from "../../src/network/weights.ts";
import { random } from "../_helpers/random.ts";

export type Random = () => number;

/** The suite's seeded generator under the name that reads well beside `uniform`. */
export const seeded: (seed: number) => Random = random;

/** Uniform in [low, high). */
export function uniform(next: Random, length: number, low: number, high: number): Float32Array {
  return Float32Array.from({ length }, () => low + next() * (high - low));
}

export function randomMap(next: Random, shape: Shape, low = 0, high = 1): FeatureMap<Float32Array> {
  return { shape, data: uniform(next, shape[0] * shape[1] * shape[2], low, high) };
}

/** Filters that keep the signal's size (variance 1 / fan-in), non-zero biases, slopes of either sign, positive statistics. */
export function randomModel(network: Network, seed = 1): Model {
  const next = seeded(seed);
  const weights = new Map<string, Weight>();
  for (const { name, role, shape } of [...weightUses(network).values()].flat()) {
    const length = shape.reduce((a, b) => a * b, 1);
    if (role === "norm" || role === "statistic") {
      weights.set(name, { shape, data: uniform(next, length, 0.5, 1.5) });
      continue;
    }
    const spread = role === "filter" ? Math.sqrt((3 * shape[0]!) / length) : role === "bias" ? 0.1 : 0.4;
    weights.set(name, { shape, data: uniform(next, length, -spread, spread) });
  }
  return { network, weights };
}

/** Largest difference, relative to the largest magnitude of the second. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let error = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    error = Math.max(error, Math.abs(actual[i]! - expected[i]!));
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return size === 0 ? error : error / size;
}
