import { roundHalfEven } from "../rounding.ts";

/** Largest magnitude of an int8 weight: -128 is not used, so that the range is symmetric and negation never overflows. */
export const WEIGHT_MAX = 127;

export interface QuantisedWeights {
  readonly weights: Int8Array;
  /** real = scale * weight, per output channel. */
  readonly scales: Float32Array;
}

/** Smallest scale that a channel may have, by output channel; 0 leaves it to the weights. */
export type ScaleFloor = (channel: number) => number;

/**
 * Symmetric int8 per output channel: scale[o] = max|w[o]| / 127, weight = roundHalfEven(w / scale[o]). A filter of zeros gets the
 * floor as its scale, or 1 where there is none: any scale represents it.
 * @param filter OHWI values, finite
 * @param channels output channels; divides the length
 * @param floor lifts scales that would be too fine for the bias or the multiplier (see `quantise`)
 */
export function quantiseWeights(filter: Float32Array, channels: number, floor: ScaleFloor = () => 0): QuantisedWeights {
  const perChannel = filter.length / channels;
  const weights = new Int8Array(filter.length);
  const scales = new Float32Array(channels);
  for (let o = 0; o < channels; o++) {
    const own = filter.subarray(o * perChannel, (o + 1) * perChannel);
    const largest = own.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
    // The scale that counts is the stored one: it is rounded to binary32 before it divides.
    const scale = Math.fround(Math.max(largest / WEIGHT_MAX, floor(o))) || 1;
    scales[o] = scale;
    for (let j = 0; j < perChannel; j++) {
      weights[o * perChannel + j] = Math.max(-WEIGHT_MAX, Math.min(WEIGHT_MAX, roundHalfEven(own[j]! / scale)));
    }
  }
  return { weights, scales };
}
