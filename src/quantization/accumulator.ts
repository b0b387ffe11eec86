import { QMAX, QMIN } from "./requantize.ts";

/** Smallest and largest value that each output channel's accumulator can take, exactly (integers below 2^53). */
export interface AccumulatorRange {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export interface AccumulatorOptions {
  /** Subtracted from the input before it is multiplied; 0 for kernels that multiply raw int8 values. */
  readonly zeroPoint?: number;
  /** Added to the sum; absent means none. */
  readonly bias?: Int32Array;
}

/**
 * Range of bias[o] + sum (x - zeroPoint) * w[o, ...] over all inputs x in [-128, 127], each chosen freely: no input can leave it,
 * and some input reaches either end.
 * @param weights OHWI int8
 */
export function accumulatorRange(
  weights: Int8Array,
  channels: number,
  { zeroPoint = 0, bias }: AccumulatorOptions = {},
): AccumulatorRange {
  const perChannel = weights.length / channels;
  const low = new Float64Array(channels);
  const high = new Float64Array(channels);
  for (let o = 0; o < channels; o++) {
    let positive = 0;
    let negative = 0;
    for (let j = o * perChannel; j < (o + 1) * perChannel; j++) {
      const w = weights[j]!;
      if (w > 0) positive += w;
      else negative += w;
    }
    const constant = bias?.[o] ?? 0;
    low[o] = constant + positive * (QMIN - zeroPoint) + negative * (QMAX - zeroPoint);
    high[o] = constant + positive * (QMAX - zeroPoint) + negative * (QMIN - zeroPoint);
  }
  return { low, high };
}

/** The largest magnitude in a range, over all channels. */
export function largestMagnitude({ low, high }: AccumulatorRange): number {
  let largest = 0;
  for (let o = 0; o < low.length; o++) largest = Math.max(largest, -low[o]!, high[o]!);
  return largest;
}

/**
 * Whether a Winograd kernel whose integer result is `scale` times the sum is exact: intermediate values may wrap modulo 2^32, as all
 * steps are linear with integer coefficients, but scale * |sum| must stay below 2^31 before it is shifted back.
 */
export function winogradSafe(largest: number, scale: number): boolean {
  return scale * largest < 2 ** 31;
}

export interface WorstCase {
  /** Kernel positions: 9 for 3x3. */
  readonly taps: number;
  /** 1 for direct convolution, 4 for F(2x2,3x3), 16 for complex F(4x4,3x3), 64 for rational F(4x4,3x3) with 9 undone. */
  readonly scale: number;
  readonly largestInput?: number;
  readonly largestWeight?: number;
}

/**
 * Input channels that are safe whatever the weights and inputs are: the largest C with scale * taps * C * |x| * |w| < 2^31.
 * Complex F(4x4,3x3): 917; direct 3x3: 14,678.
 */
export function worstCaseChannels({ taps, scale, largestInput = 128, largestWeight = 127 }: WorstCase): number {
  return Math.ceil(2 ** 31 / (scale * taps * largestInput * largestWeight)) - 1;
}
