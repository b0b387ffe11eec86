/** Timing of one function: warm up until V8 has optimised it, then samples of which the median counts. */

export interface Sampled {
  readonly samplesMs: readonly number[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Spread of the samples: half the distance between the quartiles, relative to the median. */
export function relativeSpread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
  return (at(0.75) - at(0.25)) / 2 / median(values);
}

const WARM_UP_MS = 400;
const MEASURE_MS = 400;
const LEAST_SAMPLES = 15;

/**
 * Samples of `run` in milliseconds. Functions shorter than a fifth of a millisecond are run several times a sample.
 */
export function sample(run: () => void): Sampled {
  const start = performance.now();
  let runs = 0;
  while (performance.now() - start < WARM_UP_MS || runs < 3) {
    run();
    runs++;
  }
  const once = (performance.now() - start) / runs;
  const repeat = Math.max(1, Math.ceil(0.2 / once));
  const samplesMs: number[] = [];
  const begin = performance.now();
  while (performance.now() - begin < MEASURE_MS || samplesMs.length < LEAST_SAMPLES) {
    const t = performance.now();
    for (let i = 0; i < repeat; i++) run();
    samplesMs.push((performance.now() - t) / repeat);
  }
  return { samplesMs };
}
