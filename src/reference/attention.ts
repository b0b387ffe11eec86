/** Attention as it is defined, in float64. Slow and plain: every map is computed as a whole, head by head. */
import type { FeatureMap, Shape } from "../network/description.ts";

type RealArray = Float32Array | Float64Array;
type Values = RealArray | Int8Array;

/** Tokens in a buffer, `stride` values apart, the first at `first`. */
export interface Tokens<Data> {
  readonly data: Data;
  readonly first: number;
  readonly stride: number;
}

/** Heads lie one after the other: head j has the channels from j * headChannels on. */
export interface Heads {
  readonly heads: number;
  readonly headChannels: number;
}

export interface AttentionSizes extends Heads {
  /** Of the values; `headChannels` unless given. */
  readonly valueChannels?: number;
  readonly queries: number;
  readonly keys: number;
}

export interface XcaSizes extends Heads {
  readonly tokens: number;
}

/** Norms below it divide as if they were it. */
export const XCA_EPSILON = 1e-12;

export const at = (x: Tokens<ArrayLike<number>>, token: number, channel: number): number =>
  x.data[x.first + token * x.stride + channel]!;

export const indices = (length: number): number[] => Array.from({ length }, (_, i) => i);

export function sum(length: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += term(i);
  return total;
}

/** exp(x) / sum of exp(x), shifted by the largest so that nothing overflows. */
export function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((e) => e / sum);
}

/**
 * softmax(scale * Q K^T) V for each head, [queries][heads * headChannels] ("Attention Is All You Need", arXiv 1706.03762, section 3.2).
 */
export function attentionReal(
  q: Tokens<RealArray>,
  k: Tokens<RealArray>,
  v: Tokens<RealArray>,
  { queries, keys, heads, headChannels, valueChannels = headChannels }: AttentionSizes,
  scale: number,
): Float64Array {
  const width = heads * valueChannels;
  const result = new Float64Array(queries * width);
  for (let head = 0; head < heads; head++) {
    const [first, own] = [head * headChannels, head * valueChannels];
    for (let i = 0; i < queries; i++) {
      const score = (j: number): number => sum(headChannels, (c) => at(q, i, first + c) * at(k, j, first + c)) * scale;
      const p = softmax(indices(keys).map(score));
      for (let c = own; c < own + valueChannels; c++) result[i * width + c] = sum(keys, (j) => p[j]! * at(v, j, c));
    }
  }
  return result;
}

/** Norm of channel c along the tokens. */
const norm = (x: Tokens<ArrayLike<number>>, tokens: number, c: number): number =>
  Math.sqrt(sum(tokens, (n) => at(x, n, c) ** 2));

/** The scores of cross-covariance attention, [a][b], of the head whose channels begin at `first`. */
export function xcaScores(
  q: Tokens<RealArray>,
  k: Tokens<RealArray>,
  { tokens, headChannels }: XcaSizes,
  first: number,
  temperature: number,
): number[][] {
  const norms = (x: Tokens<RealArray>): number[] =>
    indices(headChannels).map((c) => Math.max(norm(x, tokens, first + c), XCA_EPSILON));
  const [qNorms, kNorms] = [norms(q), norms(k)];
  return qNorms.map((qNorm, a) =>
    kNorms.map(
      (kNorm, b) => (sum(tokens, (n) => at(q, n, first + a) * at(k, n, first + b)) / (qNorm * kNorm)) * temperature,
    ),
  );
}

/**
 * C V for each head, C = softmax of the scores over the last axis, [tokens][heads * headChannels] ("XCiT: Cross-Covariance Image
 * Transformers", arXiv 2106.09681, section 3.2). `temperatures` multiply.
 */
export function xcaReal(
  q: Tokens<RealArray>,
  k: Tokens<RealArray>,
  v: Tokens<RealArray>,
  sizes: XcaSizes,
  temperatures: ArrayLike<number>,
): Float64Array {
  const { tokens, heads, headChannels } = sizes;
  const width = heads * headChannels;
  const result = new Float64Array(tokens * width);
  for (let head = 0; head < heads; head++) {
    const first = head * headChannels;
    for (const [a, row] of xcaScores(q, k, sizes, first, temperatures[head]!).entries()) {
      const p = softmax(row);
      for (let n = 0; n < tokens; n++) {
        result[n * width + first + a] = sum(headChannels, (b) => p[b]! * at(v, n, first + b));
      }
    }
  }
  return result;
}

/** x / max(norm, epsilon), the norm of each channel along the tokens. */
export function l2Real(x: RealArray, channels: number, epsilon: number): Float64Array {
  const tokens = { data: x, first: 0, stride: channels };
  const norms = indices(channels).map((c) => Math.max(norm(tokens, x.length / channels, c), epsilon));
  return Float64Array.from(x, (value, i) => value / norms[i % channels]!);
}

export interface AttentionHeads {
  readonly heads: number;
  readonly keyHeads: number;
  readonly valueHeads: number;
}

/** The head of the keys, or values, that head `head` of the queries meets. */
const sharedHead = (head: number, heads: number, shared: number): number => Math.floor((head * shared) / heads);

/** What attention reads. */
export interface Operands<Data> {
  readonly q: FeatureMap<Data>;
  readonly k: FeatureMap<Data>;
  readonly v: FeatureMap<Data>;
}

/** One head of a map as tokens. */
function headOf<Data>({ shape, data }: FeatureMap<Data>, heads: number, head: number): Tokens<Data> {
  return { data, first: (head * shape[2]) / heads, stride: shape[2] };
}

/** Puts the results of heads, each [tokens][channels], side by side. */
function joinHeads<Result extends Values>(
  [height, width]: Shape,
  results: readonly ArrayLike<number>[],
  make: (length: number) => Result,
): FeatureMap<Result> {
  const own = results[0]!.length / (height * width);
  const channels = results.length * own;
  const data = make(height * width * channels);
  for (const [head, values] of results.entries()) {
    for (let i = 0; i < values.length; i++) {
      data[Math.floor(i / own) * channels + head * own + (i % own)] = values[i]!;
    }
  }
  return { shape: [height, width, channels], data };
}

/** Attention head by head, heads of the keys and values shared or not; `attend` gives [queries][channels] of one. */
export function attendByHead<Data, Result extends Values>(
  { q, k, v }: Operands<Data>,
  { heads, keyHeads, valueHeads }: AttentionHeads,
  attend: (q: Tokens<Data>, k: Tokens<Data>, v: Tokens<Data>, head: number) => ArrayLike<number>,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const results = indices(heads).map((head) => {
    const key = headOf(k, keyHeads, sharedHead(head, heads, keyHeads));
    const value = headOf(v, valueHeads, sharedHead(head, heads, valueHeads));
    return attend(headOf(q, heads, head), key, value, head);
  });
  return joinHeads(q.shape, results, make);
}

/** Pixels of a map. */
export const tokensIn = ({ shape }: FeatureMap<unknown>): number => shape[0] * shape[1];

/** The attention layer's softmax map: `attentionReal` with 1 / sqrt(channels of a head). */
export function softmaxAttention<Result extends RealArray>(
  operands: Operands<RealArray>,
  counts: AttentionHeads,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const { q, k, v } = operands;
  const headChannels = q.shape[2] / counts.heads;
  const valueChannels = v.shape[2] / counts.valueHeads;
  const sizes = { heads: 1, headChannels, valueChannels, queries: tokensIn(q), keys: tokensIn(k) };
  const scale = 1 / Math.sqrt(headChannels);
  return attendByHead(operands, counts, (q, k, v) => attentionReal(q, k, v, sizes, scale), make);
}

/** The attention layer's XCA map: `xcaReal`. */
export function crossCovarianceAttention<Result extends RealArray>(
  operands: Operands<RealArray>,
  counts: AttentionHeads,
  temperatures: RealArray,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const sizes = { heads: 1, headChannels: operands.q.shape[2] / counts.heads, tokens: tokensIn(operands.q) };
  const attend = (q: Tokens<RealArray>, k: Tokens<RealArray>, v: Tokens<RealArray>, head: number) =>
    xcaReal(q, k, v, sizes, [temperatures[head]!]);
  return attendByHead(operands, counts, attend, make);
}
