/** Timing of functions side by side: warm up until V8 has optimised them, then rounds in which each runs in turn. */

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

/** Median of a[i] / b[i] over the rounds: a change of clock speed between rounds meets both and cancels. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((x, i) => x / b[i]!));
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
