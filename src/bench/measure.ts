/** Timing of functions side by side: warm up until V8 has optimised them, then rounds in which each runs in turn. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Quartiles {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/** The median and what a quarter of the samples lie below and above. */
export function quartiles(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: median(values), lower: quantile(sorted, 0.25), upper: quantile(sorted, 0.75) };
}

/** Spread of the samples: half the distance between the quartiles, relative to the median. */
export function relativeSpread(values: readonly number[]): number {
  const { lower, upper, median: middle } = quartiles(values);
  return (upper - lower) / 2 / middle;
}

/** a[i] / b[i] of each round: a change of clock speed between rounds meets both and cancels. */
export function roundRatios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((x, i) => x / b[i]!);
}

export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(roundRatios(a, b));
}

const WARM_UP_MS = 150;
const MEASURE_MS = 400;
const LEAST_ROUNDS = 15;
/** Functions shorter than this are run several times a sample. */
const LEAST_SAMPLE_MS = 0.4;

/**
 * Milliseconds of each function in each round, [function][round]. Machines shared with others change their speed by half within seconds;
 * functions that are to be compared have to be timed alternately, and compared round by round.
 */
export function alternate(functions: readonly (() => void)[]): number[][] {
  const repeats = functions.map((run) => {
    const start = performance.now();
    let runs = 0;
    for (; performance.now() - start < WARM_UP_MS || runs < 3; runs++) run();
    return Math.max(1, Math.ceil((LEAST_SAMPLE_MS * runs) / (performance.now() - start)));
  });
  const samples: number[][] = functions.map(() => []);
  const begin = performance.now();
  for (let round = 0; performance.now() - begin < MEASURE_MS * functions.length || round < LEAST_ROUNDS; round++) {
    for (const [i, run] of functions.entries()) {
      const start = performance.now();
      for (let n = repeats[i]!; n > 0; n--) run();
      samples[i]!.push((performance.now() - start) / repeats[i]!);
    }
  }
  return samples;
}
