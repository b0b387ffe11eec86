/**
 * Filter scaling (arXiv 1901.01965): transformed filters stored in fewer bits, each value divided by a power of two and
 * rounded, so that undoing it costs a shift of the sum of products and no multiplication. The product is no longer
 * exact; scaling-study.ts says how far off.
 *
 *   stored = round(U / 2^s), halves to even        U ~ stored * 2^s        |stored| <= 2^(bits - 1) - 1
 *
 * s is the smallest shift >= 0 with which the largest |U| of a group fits. What a group is and where its largest |U|
 * comes from is the granularity, coarse to fine:
 *
 *   static        all planes; the worst case over all filters. Known with the algorithm, before any filter is seen
 *   static-tap    one plane; the worst case over all filters
 *   layer         all planes; this layer's filters
 *   tap           one plane; this layer's filters
 *   tap-channel   one plane and output channel; this layer's filters
 *
 * The abstract says by how much the width falls (30.77 %, four bits of thirteen) and not how the four are chosen. Read
 * literally it is "static": in the form that the kernels use, 4G with conjugate pairs doubled, the worst case is
 * 24 * 127 = 3048, 13 bits, and 9 bits need a shift of 4, the scale of the result being 2^4. Without the doubling it is
 * 16 * 127 = 2032, 12 bits; the same shift of 4 leaves 127, 8 bits, and 9 bits need a shift of 3 only. So "static" is
 * defined by the worst case and not as "4": it is 4 wherever that is the paper's step, and where 4 would overflow
 * (8 bits with the doubling, other algorithms) it is larger instead.
 *
 * "layer" gains little over "static": the corner planes of 4G are 16 times a weight, and among weights quantised a
 * channel at a time some 127 is almost sure to be in a corner, so 2032 is reached. Only with the doubling, where the
 * worst case is 3048, do some layers save a bit. What helps is one shift a tap: the gains of 4G with the doubling go
 * from 9 to 24, and real filters stay far below most of them.
 */
import { check, checkObject } from "../errors.ts";

export const GRANULARITIES = ["static", "static-tap", "layer", "tap", "tap-channel"] as const satisfies Granularity[];
/** What shares a power-of-two scale: see docs/winograd.md. */
export type Granularity = "static" | "static-tap" | "layer" | "tap" | "tap-channel";

/** Transformed filters in fewer bits (arXiv 1901.01965, filter scaling). */
export interface FilterScaling {
  /** Two's complement bits of a stored value, 8 to 16; the most negative value is not used. */
  readonly bits: number;
  /** What shares a scale. */
  readonly granularity: Granularity;
}

export const FEWEST_BITS = 8;
export const MOST_BITS = 16;

/** @throws WasmogradError ERR_ARGUMENT unless bits and granularity are there and known */
export function checkFilterScaling(x: unknown): asserts x is FilterScaling {
  checkObject("filterScaling", x);
  const { bits, granularity } = x as Partial<Record<keyof FilterScaling, unknown>>;
  const fits = Number.isInteger(bits) && (bits as number) >= FEWEST_BITS && (bits as number) <= MOST_BITS;
  const range = `${FEWEST_BITS} to ${MOST_BITS}`;
  check(fits, "ERR_ARGUMENT", () => `filterScaling.bits: expected an integer from ${range}, got ${String(bits)}`);
  const known: readonly unknown[] = GRANULARITIES;
  check(
    known.includes(granularity),
    "ERR_ARGUMENT",
    () => `filterScaling.granularity: expected one of ${GRANULARITIES.join(", ")}, got ${String(granularity)}`,
  );
}

/** Adding it leaves no room for a fraction, and the processor rounds halves to even. */
const NO_FRACTION = 1.5 * 2 ** 52;

/** The nearest integer, of two the even one; never -0. For |x| < 2^51. */
export const roundHalfEven = (x: number): number => x + NO_FRACTION - NO_FRACTION;

/** The largest stored magnitude. */
export const largestStored = (bits: number): number => 2 ** (bits - 1) - 1;

/** The smallest s >= 0 with round(largest / 2^s) <= 2^(bits - 1) - 1, for a finite largest >= 0. */
export function smallestShift(largest: number, bits: number): number {
  // The limit is odd, so the half above it rounds up, out of range.
  const end = largestStored(bits) + 0.5;
  let shift = 0;
  while (largest >= end * 2 ** shift) shift++;
  return shift;
}

export interface FilterShape {
  readonly outputChannels: number;
  readonly inputChannels: number;
  readonly planes: number;
}

export interface ScalingOptions {
  /** Gain of the filter transform (sum of absolute coefficients) of each plane; the worst case is gain times weight. */
  readonly gains: readonly number[];
  /** Bound on |weight|: 127 unless given, as symmetric int8 has it. */
  readonly largestWeight?: number;
}

export interface ScaledFilters {
  /** [outputChannels][inputChannels][planes], |value| <= 2^(bits - 1) - 1. */
  readonly values: Int16Array<ArrayBuffer>;
  /** [planes][outputChannels]: value * 2^shift stands for the filter. */
  readonly shifts: Uint8Array<ArrayBuffer>;
}

function checkArguments(
  transformed: Int32Array | Float64Array,
  { outputChannels, inputChannels, planes }: FilterShape,
  { gains }: ScalingOptions,
): void {
  const length = outputChannels * inputChannels * planes;
  check(
    transformed.length === length,
    "ERR_SHAPE",
    () =>
      `transformed: expected ${outputChannels} x ${inputChannels} x ${planes} = ${length} values, got ${transformed.length}`,
  );
  check(gains.length === planes, "ERR_ARGUMENT", () => `gains: expected one a plane, ${planes}, got ${gains.length}`);
  if (transformed instanceof Int32Array) return;
  for (let i = 0; i < transformed.length; i++) {
    const u = transformed[i]!;
    check(Number.isSafeInteger(u), "ERR_ARGUMENT", () => `transformed: expected integers below 2^53, got ${u} at ${i}`);
  }
}

/** Largest |U| of each plane and output channel, [planes][outputChannels]. */
function largestMagnitudes(
  transformed: Int32Array | Float64Array,
  { outputChannels, inputChannels, planes }: FilterShape,
): Float64Array {
  const largest = new Float64Array(planes * outputChannels);
  for (let o = 0, at = 0; o < outputChannels; o++) {
    for (let c = 0; c < inputChannels; c++) {
      for (let p = 0; p < planes; p++, at++) {
        const magnitude = Math.abs(transformed[at]!);
        if (magnitude > largest[p * outputChannels + o]!) largest[p * outputChannels + o] = magnitude;
      }
    }
  }
  return largest;
}

const greatest = (values: Iterable<number>): number => {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
};

/** The largest |U| that a plane and output channel is to be scaled for, from those it has. */
function bounds(
  largest: Float64Array,
  granularity: Granularity,
  { gains, largestWeight = 127 }: ScalingOptions,
): (plane: number, channel: number) => number {
  const channels = largest.length / gains.length;
  const ofPlane = (p: number): Float64Array => largest.subarray(p * channels, (p + 1) * channels);
  switch (granularity) {
    case "static": {
      const worst = greatest(gains) * largestWeight;
      return () => worst;
    }
    case "static-tap":
      return (p) => gains[p]! * largestWeight;
    case "layer": {
      const most = greatest(largest);
      return () => most;
    }
    case "tap": {
      const most = gains.map((_, p) => greatest(ofPlane(p)));
      return (p) => most[p]!;
    }
    case "tap-channel":
      return (p, o) => largest[p * channels + o]!;
  }
}

/**
 * Scales the transformed filters of a layer.
 * @param transformed [outputChannels][inputChannels][planes] integers: `filterPlanes` of any algorithm times the weights
 * @throws WasmogradError ERR_SHAPE on a wrong length; ERR_ARGUMENT on values that are no integers, a wrong number of
 *   gains, and, for the static granularities, values beyond gain * largestWeight, which could overflow
 */
export function scaleFilters(
  transformed: Int32Array | Float64Array,
  shape: FilterShape,
  scaling: FilterScaling,
  options: ScalingOptions,
): ScaledFilters {
  checkFilterScaling(scaling);
  checkArguments(transformed, shape, options);
  const { outputChannels, inputChannels, planes } = shape;
  const largest = largestMagnitudes(transformed, shape);
  const boundOf = bounds(largest, scaling.granularity, options);
  const shifts = new Uint8Array(planes * outputChannels);
  for (let p = 0, at = 0; p < planes; p++) {
    for (let o = 0; o < outputChannels; o++, at++) {
      const bound = boundOf(p, o);
      check(
        largest[at]! <= bound,
        "ERR_ARGUMENT",
        () => `transformed: expected at most gain * largestWeight = ${bound} in plane ${p}, got ${largest[at]}`,
      );
      shifts[at] = smallestShift(bound, scaling.bits);
    }
  }
  const values = new Int16Array(transformed.length);
  const factors = new Float64Array(planes);
  for (let o = 0, at = 0; o < outputChannels; o++) {
    for (let p = 0; p < planes; p++) factors[p] = 2 ** -shifts[p * outputChannels + o]!;
    for (let c = 0; c < inputChannels; c++) {
      for (let p = 0; p < planes; p++, at++) values[at] = roundHalfEven(transformed[at]! * factors[p]!);
    }
  }
  return { values, shifts };
}
