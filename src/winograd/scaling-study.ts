/**
 * What scaled filters (filter-scaling.ts) cost: one synthetic int8 layer, convolved exactly and with filters stored in
 * few bits, over six kinds of data. Signal figures of a single layer, not the accuracy of a network, and no measurement
 * of the paper's (arXiv 1901.01965).
 *
 * The layer: 64 channels in, 16 out, 24 x 24 outputs (6 x 6 tiles of the F(4x4) algorithms).
 *   weights      drawn, then each output channel scaled to a largest magnitude of 127 and rounded
 *   activations  drawn, scaled so that the 99.9th percentile of |x| is 127, rounded and clipped to int8
 * The exact result is direct convolution; that of the algorithm comes from the matrices of nested.ts in double
 * precision, where all sums are integers below 2^53: without scaling the two are equal, and the error is that of the
 * storage alone.
 *
 * Data comes from a seeded generator of its own. Figures in dB move with the seed, mostly because the energy of the
 * outputs does: by a standard deviation of 0.3 dB for white activations, 0.6 dB for those of one sign, 0.9 dB where
 * weights are smooth as well.
 */
import { check } from "../errors.ts";
import { type RandomSource, randomSource } from "../random.ts";
import { type AlgorithmId, algorithmOf, nestedOf } from "./catalogue.ts";
import { type FilterScaling, largestStored, roundHalfEven, scaleFilters, smallestShift } from "./filter-scaling.ts";
import { gain } from "./growth.ts";
import type { FormKind } from "./integer-form.ts";
import { type Doubling, filterPlanes, inputPlanes, outputPlanes } from "./nested.ts";
import type { IntegerMatrix } from "./real-form.ts";

const CHANNELS = 64;
const OUTPUT_CHANNELS = 16;
/** Outputs in either direction: whole tiles of 1, 2, 3, 4, 6 or 8. */
const SIDE = 24;
const OUTPUTS = SIDE * SIDE;

export const STUDY_WEIGHTS = ["uniform", "gauss", "laplace", "smooth"] as const;
export const STUDY_ACTIVATIONS = ["white", "white relu", "smooth relu"] as const;

export interface StudyCase {
  /** "smooth": the taps of a kernel share half of their variance. */
  readonly weights: (typeof STUDY_WEIGHTS)[number];
  /** Gaussian; "smooth": averaged twice with the four neighbours; "relu": negative ones zeroed. */
  readonly activations: (typeof STUDY_ACTIVATIONS)[number];
}

export const STUDY_CASES: readonly StudyCase[] = [
  { weights: "uniform", activations: "smooth relu" },
  { weights: "gauss", activations: "white" },
  { weights: "gauss", activations: "white relu" },
  { weights: "gauss", activations: "smooth relu" },
  { weights: "laplace", activations: "smooth relu" },
  { weights: "smooth", activations: "smooth relu" },
];

/** "tap-free": any real scale a plane, for comparison; it would cost kernels a multiplication. */
export type FilterStorage = "exact" | FilterScaling | { readonly bits: number; readonly granularity: "tap-free" };

export interface StudyScheme {
  readonly id: AlgorithmId;
  readonly form: FormKind;
  /** "output" unless given. */
  readonly doubling?: Doubling;
  readonly filter: FilterStorage;
  /** Transformed activations rounded to this many bits as well, one shift a plane; exact unless given. */
  readonly activationBits?: number;
}

const COMPLEX = { id: "f4x4-3x3-complex", form: "scaled" } as const;
const RATIONAL_24G = { id: "f4x4-3x3-rational", form: "scaled" } as const;
const RATIONAL = { id: "f4x4-3x3-rational", form: "row-normalised" } as const;
const F2X2 = { id: "f2x2-3x3", form: "scaled" } as const;

/**
 * The complex F(4x4,3x3), then the algorithms it is compared with. "doubling: filter" is what kernels store; planes of
 * pairs are twice as large there, which matters only where planes share a shift. In the same way 4G, powers of two
 * times Gn, gives the same as Gn a tap at a time. 24G does not: of the rational algorithm, the form is the one in which
 * such filters would be stored.
 */
export const STUDY_SCHEMES: readonly StudyScheme[] = [
  { ...COMPLEX, filter: "exact" },
  { ...COMPLEX, filter: { bits: 8, granularity: "static" } },
  { ...COMPLEX, doubling: "filter", filter: { bits: 9, granularity: "static" } },
  { ...COMPLEX, filter: { bits: 9, granularity: "layer" } },
  { ...COMPLEX, doubling: "filter", filter: { bits: 9, granularity: "layer" } },
  { ...COMPLEX, filter: { bits: 9, granularity: "static-tap" } },
  { ...COMPLEX, filter: { bits: 9, granularity: "tap" } },
  { ...COMPLEX, filter: { bits: 9, granularity: "tap-channel" } },
  { ...COMPLEX, filter: { bits: 9, granularity: "tap-free" } },
  { ...COMPLEX, filter: { bits: 10, granularity: "tap" } },
  { ...COMPLEX, filter: { bits: 8, granularity: "tap" } },
  { ...COMPLEX, filter: { bits: 8, granularity: "tap-free" } },
  { ...COMPLEX, filter: { bits: 8, granularity: "tap" }, activationBits: 8 },
  { ...RATIONAL_24G, filter: { bits: 9, granularity: "layer" } },
  { ...RATIONAL_24G, filter: { bits: 16, granularity: "layer" } },
  { ...RATIONAL, filter: { bits: 9, granularity: "tap" } },
  { ...RATIONAL, filter: { bits: 8, granularity: "tap" } },
  { ...RATIONAL, filter: { bits: 8, granularity: "tap" }, activationBits: 8 },
  { ...F2X2, filter: { bits: 9, granularity: "tap" } },
  { ...F2X2, filter: { bits: 8, granularity: "tap" }, activationBits: 8 },
];

export interface StudyResult {
  readonly case: StudyCase;
  readonly scheme: StudyScheme;
  /** Energy of the exact convolution over that of the error, before requantisation; Infinity where nothing differs. */
  readonly sqnrDb: number;
  /** |difference| after requantisation to int8, where each output channel's largest magnitude becomes 127. */
  readonly meanLsb: number;
  readonly maxLsb: number;
  /** Share of requantised outputs that differ, 0 to 1. */
  readonly changedShare: number;
  /** Energy of the transformed filters over that of their rounding error, in the worst plane; Infinity as above. */
  readonly worstTapDb: number;
}

export interface StudyOptions {
  /** An integer; 1 unless given. A case has the same data whichever cases and schemes are studied along with it. */
  readonly seed?: number;
  readonly cases?: readonly StudyCase[];
  readonly schemes?: readonly StudyScheme[];
}

/**
 * Every case with every scheme, case by case.
 * @throws WasmogradError ERR_ARGUMENT on a seed that is no integer, an unknown algorithm, or what scaleFilters refuses
 */
export function scalingStudy(options: StudyOptions = {}): StudyResult[] {
  const { seed = 1, cases = STUDY_CASES, schemes = STUDY_SCHEMES } = options;
  check(Number.isSafeInteger(seed), "ERR_ARGUMENT", () => `seed: expected an integer, got ${seed}`);
  // Derived once: the matrices are exact fractions and take longer than the transforms that use them.
  const matrices = new Map<string, Matrices>();
  const keyOf = ({ id, form, doubling }: StudyScheme): string => `${id} ${form} ${doubling}`;
  for (const scheme of schemes) once(matrices, keyOf(scheme), () => matricesOf(scheme));
  return cases.flatMap((study) => {
    const layers = new Map<number, Layer>();
    const filters = new Map<string, Float64Array>();
    const inputs = new Map<AlgorithmId, Float64Array>();
    return schemes.map((scheme) => {
      const key = keyOf(scheme);
      const found = matrices.get(key)!;
      const layer = once(layers, found.r, () => drawLayer(study, found.r, seed));
      const U = once(filters, key, () => transformWeights(layer, found));
      // The forms of an algorithm share their input transform.
      const V = once(inputs, scheme.id, () => transformInput(layer, found));
      return { case: study, scheme, ...measure(layer, found, U, V, scheme) };
    });
  });
}

/** The value at a key, made when first asked for. */
function once<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** A scheme in a few words: "f4x4-3x3-complex scaled, 9 bits tap". */
export function schemeName({ id, form, doubling = "output", filter, activationBits }: StudyScheme): string {
  const storage = filter === "exact" ? "exact" : `${filter.bits} bits ${filter.granularity}`;
  const doubled = doubling === "filter" ? ", doubled" : "";
  return `${id} ${form}${doubled}, ${storage}${activationBits === undefined ? "" : `, activations ${activationBits} bits`}`;
}

/** Results as lines of text, a table a case. */
export function formatStudy(results: readonly StudyResult[]): string[] {
  const cell = (x: number, places: number): string => (x === Infinity ? "exact" : x.toFixed(places));
  const width = Math.max(0, ...results.map(({ scheme }) => schemeName(scheme).length));
  let last: StudyCase | undefined;
  return results.flatMap((result) => {
    const { case: study, scheme, sqnrDb, meanLsb, maxLsb, changedShare, worstTapDb } = result;
    const columns = [
      cell(sqnrDb, 1),
      cell(meanLsb, 2),
      cell(maxLsb, 0),
      cell(100 * changedShare, 1),
      cell(worstTapDb, 1),
    ];
    const row = `  ${schemeName(scheme).padEnd(width)}${columns.map((text) => text.padStart(14)).join("")}`;
    if (study === last) return [row];
    last = study;
    const header = ["SQNR dB", "mean LSB", "max LSB", "changed %", "worst tap dB"];
    const title = `${study.weights} weights, ${study.activations} activations`;
    return [title, `  ${"".padEnd(width)}${header.map((text) => text.padStart(14)).join("")}`, row];
  });
}

/** An algorithm as plain numbers. */
interface Matrices {
  readonly m: number;
  readonly r: number;
  readonly n: number;
  readonly scale: number;
  readonly input: IntegerMatrix;
  readonly filter: IntegerMatrix;
  readonly output: IntegerMatrix;
  readonly gains: readonly number[];
}

function matricesOf({ id, form, doubling = "output" }: StudyScheme): Matrices {
  const { m, r, n } = algorithmOf(id);
  const nested = nestedOf(id, { form, doubling });
  const filter = filterPlanes(nested);
  return {
    m,
    r,
    n,
    scale: Number(nested.result.scale),
    input: inputPlanes(nested),
    filter,
    output: outputPlanes(nested),
    gains: filter.map(gain),
  };
}

interface Layer {
  readonly r: number;
  /** [OUTPUT_CHANNELS][CHANNELS][r * r] */
  readonly weights: Float64Array;
  /** [CHANNELS][side][side], side = SIDE + r - 1 */
  readonly input: Float64Array;
  /** Direct convolution, [OUTPUT_CHANNELS][SIDE][SIDE] */
  readonly exact: Float64Array;
}

function drawLayer(study: StudyCase, r: number, seed: number): Layer {
  const place =
    STUDY_WEIGHTS.indexOf(study.weights) * STUDY_ACTIVATIONS.length + STUDY_ACTIVATIONS.indexOf(study.activations);
  const random = randomSource(Math.imul(seed * 16 + place, 0x9e3779b1));
  const weights = drawWeights(study.weights, r * r, random);
  const input = drawActivations(study.activations, SIDE + r - 1, random);
  return { r, weights, input, exact: convolve(weights, input, r) };
}

function drawWeights(kind: StudyCase["weights"], taps: number, random: RandomSource): Float64Array {
  const perChannel = CHANNELS * taps;
  const weights = new Float64Array(OUTPUT_CHANNELS * perChannel);
  for (let at = 0; at < weights.length; at += taps) {
    const shared = kind === "smooth" ? random.normal() : 0;
    for (let t = 0; t < taps; t++) {
      if (kind === "uniform") weights[at + t] = 2 * random.uniform() - 1;
      else weights[at + t] = kind === "laplace" ? random.laplace() : random.normal() + shared;
    }
  }
  for (let o = 0; o < OUTPUT_CHANNELS; o++) {
    const channel = weights.subarray(o * perChannel, (o + 1) * perChannel);
    const largest = channel.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    for (const [i, w] of channel.entries()) channel[i] = roundHalfEven((w / largest) * 127);
  }
  return weights;
}

function drawActivations(kind: StudyCase["activations"], side: number, random: RandomSource): Float64Array {
  let x = new Float64Array(CHANNELS * side * side).map(() => random.normal());
  if (kind === "smooth relu") x = smooth(smooth(x, side), side);
  if (kind !== "white") for (const [i, value] of x.entries()) x[i] = Math.max(value, 0);
  const largest = percentile(x.map(Math.abs), 0.999);
  return x.map((value) => Math.min(127, Math.max(-128, roundHalfEven((value / largest) * 127))));
}

/** The mean of each value and its four neighbours, edges wrapped around. */
function smooth(x: Float64Array, side: number): Float64Array<ArrayBuffer> {
  const y = new Float64Array(x.length);
  for (let c = 0, at = 0; c < CHANNELS; c++) {
    const map = x.subarray(c * side * side, (c + 1) * side * side);
    for (let row = 0; row < side; row++) {
      const [above, below] = [((row + side - 1) % side) * side, ((row + 1) % side) * side];
      for (let column = 0; column < side; column++, at++) {
        const [left, right] = [(column + side - 1) % side, (column + 1) % side];
        const here = row * side;
        y[at] =
          (map[here + column]! + map[here + left]! + map[here + right]! + map[above + column]! + map[below + column]!) /
          5;
      }
    }
  }
  return y;
}

/** Linear between the two nearest ranks. Sorts its argument. */
function percentile(values: Float64Array, share: number): number {
  values.sort();
  const rank = share * (values.length - 1);
  const below = Math.floor(rank);
  const above = Math.min(below + 1, values.length - 1);
  return values[below]! + (rank - below) * (values[above]! - values[below]!);
}

/** As products of one plane: every output's patch of the input, [OUTPUTS][CHANNELS][r * r], with every filter. */
function convolve(weights: Float64Array, input: Float64Array, r: number): Float64Array {
  const side = SIDE + r - 1;
  const patches = new Float64Array(OUTPUTS * CHANNELS * r * r);
  for (let i = 0, to = 0; i < OUTPUTS; i++) {
    const corner = Math.floor(i / SIDE) * side + (i % SIDE);
    for (let c = 0; c < CHANNELS; c++) {
      for (let dy = 0; dy < r; dy++) {
        const from = (c * side + dy) * side + corner;
        for (let dx = 0; dx < r; dx++) patches[to++] = input[from + dx]!;
      }
    }
  }
  return products(weights, patches, 1);
}

/** Transformed filters, [OUTPUT_CHANNELS][CHANNELS][planes]. */
function transformWeights({ weights }: Layer, { filter, r }: Matrices): Float64Array {
  const taps = r * r;
  const U = new Float64Array(OUTPUT_CHANNELS * CHANNELS * filter.length);
  for (let at = 0, to = 0; at < weights.length; at += taps) {
    for (const row of filter) {
      let sum = 0;
      for (let t = 0; t < taps; t++) sum += row[t]! * weights[at + t]!;
      U[to++] = sum;
    }
  }
  return U;
}

/** Transformed tiles, [planes][tiles][CHANNELS], tiles row-major. */
function transformInput({ input }: Layer, { input: rows, m, n, r }: Matrices): Float64Array {
  const side = SIDE + r - 1;
  const across = SIDE / m;
  const V = new Float64Array(rows.length * across * across * CHANNELS);
  let to = 0;
  for (const row of rows) {
    // Most factors are 0.
    const used = row.flatMap((factor, i) => (factor === 0 ? [] : [i]));
    const factors = Float64Array.from(used, (i) => row[i]!);
    const places = Int32Array.from(used, (i) => Math.floor(i / n) * side + (i % n));
    for (let tile = 0; tile < across * across; tile++) {
      let from = Math.floor(tile / across) * m * side + (tile % across) * m;
      for (let c = 0; c < CHANNELS; c++, from += side * side) {
        let sum = 0;
        for (let t = 0; t < factors.length; t++) sum += factors[t]! * input[from + places[t]!]!;
        V[to++] = sum;
      }
    }
  }
  return V;
}

type Measured = Omit<StudyResult, "case" | "scheme">;

function measure(layer: Layer, matrices: Matrices, U: Float64Array, V: Float64Array, scheme: StudyScheme): Measured {
  const planes = matrices.gains.length;
  const stored = store(U, matrices, scheme.filter);
  const seen = scheme.activationBits === undefined ? V : roundActivations(V, planes, scheme.activationBits);
  const output = untransform(products(byPlane(stored, planes), seen, planes), matrices);
  return { ...compare(output, layer.exact), worstTapDb: worstTap(U, stored, planes) };
}

const decibels = (signal: number, noise: number): number =>
  noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);

/** The filters that the stored ones stand for, in the layout of U. */
function store(U: Float64Array, { gains }: Matrices, storage: FilterStorage): Float64Array {
  if (storage === "exact") return U;
  const planes = gains.length;
  const stored = new Float64Array(U.length);
  if (storage.granularity === "tap-free") {
    const largest = new Float64Array(planes);
    for (let i = 0; i < U.length; i++) largest[i % planes] = Math.max(largest[i % planes]!, Math.abs(U[i]!));
    const steps = largest.map((most) => (most === 0 ? 1 : most / largestStored(storage.bits)));
    for (let i = 0; i < U.length; i++) stored[i] = roundHalfEven(U[i]! / steps[i % planes]!) * steps[i % planes]!;
    return stored;
  }
  const shape = { outputChannels: OUTPUT_CHANNELS, inputChannels: CHANNELS, planes };
  const { values, shifts } = scaleFilters(
    U,
    shape,
    { bits: storage.bits, granularity: storage.granularity },
    { gains },
  );
  for (let o = 0, at = 0; o < OUTPUT_CHANNELS; o++) {
    const steps = Float64Array.from({ length: planes }, (_, p) => 2 ** shifts[p * OUTPUT_CHANNELS + o]!);
    for (let c = 0; c < CHANNELS; c++) for (let p = 0; p < planes; p++, at++) stored[at] = values[at]! * steps[p]!;
  }
  return stored;
}

/** Activations with one shift a plane, from the largest of all tiles and channels. */
function roundActivations(V: Float64Array, planes: number, bits: number): Float64Array {
  const size = V.length / planes;
  const rounded = new Float64Array(V.length);
  for (let start = 0; start < V.length; start += size) {
    let largest = 0;
    for (let i = start; i < start + size; i++) largest = Math.max(largest, Math.abs(V[i]!));
    const step = 2 ** smallestShift(largest, bits);
    for (let i = start; i < start + size; i++) rounded[i] = roundHalfEven(V[i]! / step) * step;
  }
  return rounded;
}

/** [OUTPUT_CHANNELS][CHANNELS][planes] -> [planes][OUTPUT_CHANNELS][CHANNELS] */
function byPlane(U: Float64Array, planes: number): Float64Array {
  const size = U.length / planes;
  const turned = new Float64Array(U.length);
  for (let i = 0, at = 0; i < size; i++) for (let p = 0; p < planes; p++) turned[p * size + i] = U[at++]!;
  return turned;
}

/**
 * Sums of U * V: [planes][OUTPUT_CHANNELS][length] and [planes][count][length] -> [planes][OUTPUT_CHANNELS][count], the
 * length being that of U. Four output channels at a time, each sum in a register.
 */
function products(U: Float64Array, V: Float64Array, planes: number): Float64Array {
  const length = U.length / planes / OUTPUT_CHANNELS;
  const count = V.length / planes / length;
  const sums = new Float64Array(planes * OUTPUT_CHANNELS * count);
  for (let row = 0; row < planes * OUTPUT_CHANNELS; row += 4) {
    const u0 = row * length;
    const [u1, u2, u3] = [u0 + length, u0 + 2 * length, u0 + 3 * length];
    let v = Math.floor(row / OUTPUT_CHANNELS) * count * length;
    for (let i = row * count; i < (row + 1) * count; i++, v += length) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let k = 0; k < length; k++) {
        const x = V[v + k]!;
        s0 += x * U[u0 + k]!;
        s1 += x * U[u1 + k]!;
        s2 += x * U[u2 + k]!;
        s3 += x * U[u3 + k]!;
      }
      sums[i] = s0;
      sums[i + count] = s1;
      sums[i + 2 * count] = s2;
      sums[i + 3 * count] = s3;
    }
  }
  return sums;
}

/** [planes][OUTPUT_CHANNELS][tiles] -> the convolution, [OUTPUT_CHANNELS][SIDE][SIDE]. */
function untransform(M: Float64Array, { output: rows, m, scale }: Matrices): Float64Array {
  const across = SIDE / m;
  const tiles = across * across;
  const size = OUTPUT_CHANNELS * tiles;
  const output = new Float64Array(OUTPUT_CHANNELS * OUTPUTS);
  const sums = new Float64Array(size);
  for (const [position, row] of rows.entries()) {
    sums.fill(0);
    for (const [p, factor] of row.entries()) {
      if (factor !== 0) for (let i = 0, at = p * size; i < size; i++, at++) sums[i]! += factor * M[at]!;
    }
    const [dy, dx] = [Math.floor(position / m), position % m];
    for (let i = 0; i < size; i++) {
      const tile = i % tiles;
      const [y, x] = [Math.floor(tile / across) * m + dy, (tile % across) * m + dx];
      output[((i - tile) / tiles) * OUTPUTS + y * SIDE + x] = sums[i]! / scale;
    }
  }
  return output;
}

function compare(output: Float64Array, exact: Float64Array): Omit<Measured, "worstTapDb"> {
  let [signal, noise, total, maxLsb, changed] = [0, 0, 0, 0, 0];
  for (let start = 0; start < exact.length; start += OUTPUTS) {
    let largest = 0;
    for (let i = start; i < start + OUTPUTS; i++) largest = Math.max(largest, Math.abs(exact[i]!));
    const step = 127 / largest;
    for (let i = start; i < start + OUTPUTS; i++) {
      const [wanted, got] = [exact[i]!, output[i]!];
      signal += wanted * wanted;
      noise += (got - wanted) ** 2;
      const clipped = Math.min(127, Math.max(-128, got * step));
      const difference = Math.abs(roundHalfEven(clipped) - roundHalfEven(wanted * step));
      total += difference;
      maxLsb = Math.max(maxLsb, difference);
      if (difference > 0) changed++;
    }
  }
  const count = exact.length;
  return { sqnrDb: decibels(signal, noise), meanLsb: total / count, maxLsb, changedShare: changed / count };
}

function worstTap(U: Float64Array, stored: Float64Array, planes: number): number {
  const signal = new Float64Array(planes);
  const noise = new Float64Array(planes);
  for (let start = 0; start < U.length; start += planes) {
    for (let p = 0; p < planes; p++) {
      signal[p]! += U[start + p]! ** 2;
      noise[p]! += (stored[start + p]! - U[start + p]!) ** 2;
    }
  }
  return signal.reduce((worst, energy, p) => Math.min(worst, decibels(energy, noise[p]!)), Number.POSITIVE_INFINITY);
}
