/**
 * How large values get, exactly: the gain of a transform is the sum of the absolute coefficients of one output, its worst case over
 * all data is reached, and widths are two's complement. And how many channels an int32 accumulator takes
 * (section 5): every step after the products is linear with integer coefficients and exact modulo 2^32, so intermediate values may wrap
 * as long as scale * Y fits; an odd factor of the scale can also be undone modulo 2^32, so then only its power of two counts.
 */
import { linearForms, variables } from "./arithmetic.ts";
import { filterPlanes, inputPlanes, type Nested } from "./nested.ts";
import type { Transforms } from "./transforms.ts";

/** All integers from `low` to `high`. */
export interface Range {
  /** Included. */
  readonly low: number;
  /** Included. */
  readonly high: number;
}

/** int8 activations; int8 weights, which leave -128 out; uint8 less any zero point. */
export const INT8: Range = { low: -128, high: 127 };
export const SYMMETRIC_INT8: Range = { low: -127, high: 127 };
export const NINE_BITS: Range = { low: -255, high: 255 };

const LARGEST_INT32 = 2 ** 31 - 1;

export function gain(coefficients: readonly number[]): number {
  return coefficients.reduce((sum, c) => sum + Math.abs(c), 0);
}

/** All that a linear form of values in `range` can be. */
export function reach(coefficients: readonly number[], { low, high }: Range): Range {
  let [least, most] = [0, 0];
  for (const c of coefficients) {
    least += c * (c > 0 ? low : high);
    most += c * (c > 0 ? high : low);
  }
  return { low: least, high: most };
}

export const magnitude = ({ low, high }: Range): number => Math.max(Math.abs(low), Math.abs(high));

/** Two's complement bits that hold every integer of a range. */
export function bits({ low, high }: Range): number {
  let width = 1;
  while (low < -(2 ** (width - 1)) || high > 2 ** (width - 1) - 1) width++;
  return width;
}

/** Gain, largest magnitude and width of one factor. */
export interface Factor {
  /** Sum of the absolute coefficients. */
  readonly gain: number;
  /** Largest magnitude that data reach. */
  readonly largest: number;
  /** Two's complement width that holds it. */
  readonly bits: number;
}

function factorOf(coefficients: readonly number[], range: Range): Factor {
  const reached = reach(coefficients, range);
  return { gain: gain(coefficients), largest: magnitude(reached), bits: bits(reached) };
}

function worst(factors: readonly Factor[]): Factor {
  const largest = (of: (f: Factor) => number): number => Math.max(...factors.map(of));
  return { gain: largest((f) => f.gain), largest: largest((f) => f.largest), bits: largest((f) => f.bits) };
}

/** How wide transformed values and their products get, in the worst case over all data. */
export interface Growth {
  /** One entry a plane, in plane order. */
  readonly inputs: readonly Factor[];
  /** One entry a plane, likewise. */
  readonly filters: readonly Factor[];
  /** The worst over the planes, each number by itself. */
  readonly input: Factor;
  /** The worst over the planes, likewise. */
  readonly filter: Factor;
  /** Magnitude. */
  readonly largestProduct: number;
  /** Two's complement width that holds every product. */
  readonly productBits: number;
  /** Whether all factors do. */
  readonly fitsInt16: boolean;
}

/** What the values of a layer can be. */
export interface OperandRanges {
  /** -128..127 unless given. */
  readonly input?: Range;
  /** -127..127 unless given. */
  readonly filter?: Range;
}

/**
 * How wide values get, by the coefficients alone (ours).
 * @throws WasmogradError ERR_UNSUPPORTED when a coefficient passes 2^53
 */
export function growth(nested: Nested, { input = INT8, filter = SYMMETRIC_INT8 }: OperandRanges = {}): Growth {
  const inputs = inputPlanes(nested).map((row) => factorOf(row, input));
  const filters = filterPlanes(nested).map((row) => factorOf(row, filter));
  const largestProduct = Math.max(...inputs.map(({ largest }, p) => largest * filters[p]!.largest));
  const [left, right] = [worst(inputs), worst(filters)];
  return {
    inputs,
    filters,
    input: left,
    filter: right,
    largestProduct,
    productBits: bits({ low: -largestProduct, high: largestProduct }),
    fitsInt16: left.bits <= 16 && right.bits <= 16,
  };
}

/** The widest value that the schedules of the input transform pass through, results included. */
export function inputIntermediateBits({ nested, input }: Transforms, range: Range = INT8): number {
  const size = nested.vertical.algorithm.n * nested.horizontal.algorithm.n;
  let widest = bits(range);
  const arithmetic = linearForms(size, (form) => {
    widest = Math.max(widest, bits(reach(form, range)));
  });
  input(variables(size), arithmetic);
  return widest;
}

/** Input channels that are safe whatever the data. */
export interface ChannelLimits {
  /** No sum of products ever leaves int32. */
  readonly noWrap: number;
  /** Sums may wrap; scale * Y fits int32. */
  readonly wrapTolerant: number;
  /** The same with the odd part of the scale undone by its inverse modulo 2^32. */
  readonly oddUndone: number;
}

/** Bounds on what is multiplied. */
export interface Magnitudes {
  /** On |x|; 128 unless given. */
  readonly input?: number;
  /** On |w|; 127 unless given. */
  readonly weight?: number;
}

/** Channels for which `taps` products a channel sum to no more than int32 holds, times `scale`. */
export function directChannels(taps: number, { input = 128, weight = 127 }: Magnitudes = {}, scale = 1): number {
  return Math.floor(LARGEST_INT32 / (scale * taps * input * weight));
}

/**
 * For each plane the input channels whose products it sums without leaving int32, whatever the data (ours).
 * @throws WasmogradError ERR_UNSUPPORTED when a coefficient passes 2^53
 */
export function planeLimits(nested: Nested, { input = 128, weight = 127 }: Magnitudes = {}): number[] {
  const filters = filterPlanes(nested).map(gain);
  return inputPlanes(nested).map((row, p) => Math.floor(LARGEST_INT32 / (gain(row) * input * filters[p]! * weight)));
}

/**
 * How many input channels int32 sums take whatever the data (ours).
 * @throws WasmogradError ERR_UNSUPPORTED when a coefficient passes 2^53
 */
export function channelLimits(nested: Nested, magnitudes: Magnitudes = {}): ChannelLimits {
  const taps = nested.vertical.algorithm.r * nested.horizontal.algorithm.r;
  return {
    noWrap: Math.min(...planeLimits(nested, magnitudes)),
    wrapTolerant: directChannels(taps, magnitudes, Number(nested.result.scale)),
    oddUndone: directChannels(taps, magnitudes, 2 ** nested.result.shift),
  };
}
