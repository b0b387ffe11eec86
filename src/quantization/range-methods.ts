import type { Histogram } from "./histogram.ts";
import { type Range, STEPS } from "./ranges.ts";

/**
 * How observed values become a range:
 * - "min-max": all of them (best for super resolution, whose rare large values matter);
 * - "percentile": without the outermost values on either side;
 * - "mean-squared-error": the range whose clipping and rounding errors together are least.
 */
export type RangeMethod = "min-max" | "percentile" | "mean-squared-error";

/** Candidates per side, from the full extent down to 1/64 of it. */
const CANDIDATES = 64;

/** Running sums over the bins, for the clipping error of any candidate in constant time. Values stand at their bins' centres. */
class Moments {
  readonly #count: Float64Array;
  readonly #sum: Float64Array;
  readonly #squares: Float64Array;

  constructor(histogram: Histogram) {
    const bins = histogram.counts.length;
    this.#count = new Float64Array(bins + 1);
    this.#sum = new Float64Array(bins + 1);
    this.#squares = new Float64Array(bins + 1);
    for (let i = 0; i < bins; i++) {
      const n = histogram.counts[i]!;
      const x = histogram.edge(i) + histogram.binWidth / 2;
      this.#count[i + 1] = this.#count[i]! + n;
      this.#sum[i + 1] = this.#sum[i]! + n * x;
      this.#squares[i + 1] = this.#squares[i]! + n * x * x;
    }
  }

  count(begin: number, end: number): number {
    return this.#count[end]! - this.#count[begin]!;
  }

  /** Sum over bins [begin, end) of n * (x - point)^2. */
  deviation(begin: number, end: number, point: number): number {
    const squares = this.#squares[end]! - this.#squares[begin]!;
    const sum = this.#sum[end]! - this.#sum[begin]!;
    return squares - 2 * point * sum + point * point * this.count(begin, end);
  }
}

/** Values inside [low, high] err by step^2 / 12 on average, those outside by their distance to the nearer end. */
function squaredError(histogram: Histogram, moments: Moments, low: number, high: number): number {
  const bins = histogram.counts.length;
  const bin = (value: number) => Math.min(bins, Math.max(0, Math.round(value / histogram.binWidth) + bins / 2));
  const begin = bin(low);
  const end = Math.max(begin, bin(high));
  const step = (high - low) / STEPS;
  const rounding = (moments.count(begin, end) * step * step) / 12;
  return rounding + moments.deviation(0, begin, low) + moments.deviation(end, bins, high);
}

function leastSquaredError(histogram: Histogram): Range {
  const moments = new Moments(histogram);
  const extent = { min: Math.min(0, histogram.min), max: Math.max(0, histogram.max) };
  let best: Range = extent;
  let least = squaredError(histogram, moments, extent.min, extent.max);
  // A side without values has one candidate: zero.
  const steps = (end: number) => (end === 0 ? 1 : CANDIDATES);
  for (let a = 0; a < steps(extent.min); a++) {
    for (let b = 0; b < steps(extent.max); b++) {
      const min = extent.min * (1 - a / CANDIDATES);
      const max = extent.max * (1 - b / CANDIDATES);
      const error = squaredError(histogram, moments, min, max);
      if (error < least) {
        least = error;
        best = { min, max };
      }
    }
  }
  return best;
}

/** The range of a tensor by one of the methods. `percentile` is a share in percent, as 99.99: so much of each side is kept. */
export function rangeFrom(histogram: Histogram, method: RangeMethod, percentile: number): Range {
  if (method === "percentile") {
    const tail = (100 - percentile) / 100;
    return { min: histogram.quantile(tail), max: histogram.quantile(1 - tail) };
  }
  return method === "min-max" ? histogram.range : leastSquaredError(histogram);
}
