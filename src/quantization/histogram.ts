import { WasmogradError } from "../errors.ts";
import type { Range } from "./ranges.ts";

const BINS_PER_SIDE = 2048;

/**
 * Counts of values in equal bins over [-limit, limit], where the limit is a power of two that doubles as larger values arrive (pairs of
 * bins then merge). So one pass over the data suffices, and the outcome does not depend on the order of the pictures.
 */
export class Histogram {
  /** Bin i holds values from (i - 2048) * width to (i - 2047) * width; values on an edge go to the upper bin. */
  counts: Float64Array = new Float64Array(2 * BINS_PER_SIDE);
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  total = 0;
  #limit = 2 ** -20;

  get binWidth(): number {
    return this.#limit / BINS_PER_SIDE;
  }

  /** @throws WasmogradError ERR_ARGUMENT when a value is not finite */
  add(values: Float32Array, name: string): void {
    let { min, max } = this;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
      if (Number.isFinite(value)) continue;
      throw new WasmogradError("ERR_ARGUMENT", `tensor ${name}: expected finite values, got ${value} at index ${i}`);
    }
    this.min = min;
    this.max = max;
    this.total += values.length;
    while (Math.max(-min, max) >= this.#limit) this.#double();
    const { counts } = this;
    const perUnit = BINS_PER_SIDE / this.#limit;
    for (let i = 0; i < values.length; i++) counts[Math.floor(values[i]! * perUnit) + BINS_PER_SIDE]! += 1;
  }

  #double(): void {
    const merged = new Float64Array(2 * BINS_PER_SIDE);
    const half = BINS_PER_SIDE / 2;
    for (let i = 0; i < BINS_PER_SIDE; i++) merged[half + i] = this.counts[2 * i]! + this.counts[2 * i + 1]!;
    this.counts = merged;
    this.#limit *= 2;
  }

  /** Lower edge of bin i; i may be the number of bins, for the upper end. */
  edge(i: number): number {
    return (i - BINS_PER_SIDE) * this.binWidth;
  }

  /**
   * The value below which `share` (0..1) of all values lie, evenly spread within its bin, and never outside what was observed.
   */
  quantile(share: number): number {
    const wanted = share * this.total;
    let below = 0;
    for (let i = 0; i < this.counts.length; i++) {
      const count = this.counts[i]!;
      if (count > 0 && below + count >= wanted) {
        const value = this.edge(i) + ((wanted - below) / count) * this.binWidth;
        return Math.min(this.max, Math.max(this.min, value));
      }
      below += count;
    }
    return this.max;
  }

  /** The observed range. */
  get range(): Range {
    return { min: this.min, max: this.max };
  }
}
