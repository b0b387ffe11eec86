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
const WARM_UP_RUNS = 3;
const MEASURE_MS = 400;
const LEAST_ROUNDS = 15;
/** Functions shorter than this are run several times a sample. */
const LEAST_SAMPLE_MS = 0.4;

/** Runs until V8 has optimised what is called. @returns milliseconds of a run */
export function warmUp(run: () => void, leastMs: number): number {
  const start = performance.now();
  let runs = 0;
  for (; performance.now() - start < leastMs || runs < WARM_UP_RUNS; runs++) run();
  return (performance.now() - start) / runs;
}

/** Milliseconds of a run, over `repeats` of them. */
export function timeOf(run: () => void, repeats: number, clock = (): number => performance.now()): number {
  const start = clock();
  for (let n = repeats; n > 0; n--) run();
  return (clock() - start) / repeats;
}

/**
 * Milliseconds of each function in each round, [function][round]. Machines shared with others change their speed by half within seconds;
 * functions that are to be compared have to be timed alternately, and compared round by round.
 */
export function alternate(functions: readonly (() => void)[]): number[][] {
  const repeats = functions.map((run) => Math.max(1, Math.ceil(LEAST_SAMPLE_MS / warmUp(run, WARM_UP_MS))));
  const samples: number[][] = functions.map(() => []);
  const begin = performance.now();
  for (let round = 0; performance.now() - begin < MEASURE_MS * functions.length || round < LEAST_ROUNDS; round++) {
    for (const [i, run] of functions.entries()) samples[i]!.push(timeOf(run, repeats[i]!));
  }
  return samples;
}
