/**
 * Attention as it is defined, in float64, and its int8 arithmetic bit for bit (assembly/attention/attention.ts, xca.ts and exp.ts write it
 * down). Slow and plain: every map is computed as a whole, head by head.
 */
import { requantize } from "../quantization/requantize.ts";
import { roundHalfEven } from "../rounding.ts";
import { softmax } from "./attention.ts";

type RealArray = Float32Array | Float64Array;

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
  readonly queries: number;
  readonly keys: number;
}

export interface XcaSizes extends Heads {
  readonly tokens: number;
}

/** Norms below it divide as if they were it. */
export const XCA_EPSILON = 1e-12;

const at = (x: Tokens<ArrayLike<number>>, token: number, channel: number): number =>
  x.data[x.first + token * x.stride + channel]!;

const indices = (length: number): number[] => Array.from({ length }, (_, i) => i);

function sum(length: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += term(i);
  return total;
}

/**
 * softmax(scale * Q K^T) V for each head, [queries][heads * headChannels] ("Attention Is All You Need", arXiv 1706.03762, section 3.2).
 */
export function attentionReal(
  q: Tokens<RealArray>,
  k: Tokens<RealArray>,
  v: Tokens<RealArray>,
  { queries, keys, heads, headChannels }: AttentionSizes,
  scale: number,
): Float64Array {
  const width = heads * headChannels;
  const result = new Float64Array(queries * width);
  for (let first = 0; first < width; first += headChannels) {
    for (let i = 0; i < queries; i++) {
      const score = (j: number): number => sum(headChannels, (c) => at(q, i, first + c) * at(k, j, first + c)) * scale;
      const p = softmax(indices(keys).map(score));
      for (let c = first; c < first + headChannels; c++) result[i * width + c] = sum(keys, (j) => p[j]! * at(v, j, c));
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

const f32 = Math.fround;

/** a + b * gamma[c], one rounding for the product and one for the sum: the bits of the f32 kernel. */
export function addScaledF32(a: Float32Array, b: Float32Array, gamma: Float32Array): Float32Array {
  return a.map((x, i) => f32(x + f32(b[i]! * gamma[i % gamma.length]!)));
}

const LOG2_E = f32(Math.LOG2E);
const WEIGHT = [255, 176.78714, 61.7637939, 14.027277].map(f32) as [number, number, number, number];
const LEAST = -16;

/** 255 * 2^t as an integer in 0..255, t a binary32 number up to 0. */
export function weight(t: number): number {
  const x = Math.max(t, LEAST);
  const n = roundHalfEven(x);
  const f = x - n;
  const low = f32(f32(WEIGHT[1] * f) + WEIGHT[0]);
  const high = f32(f32(WEIGHT[3] * f) + WEIGHT[2]);
  const p = f32(f32(high * f32(f * f)) + low);
  return roundHalfEven(p * 2 ** n);
}

/** What int8 attention multiplies by and where its results go: zero points, ratio = f32(scaleV / scaleOut), limits. */
export interface AttentionQuantization {
  readonly zeroQ: number;
  readonly zeroK: number;
  readonly zeroV: number;
  readonly ratio: number;
  readonly zeroPoint: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** Weights of scores (to base 2, binary32) and what a weighted sum of values with their zero point becomes. */
function weightsS8(
  scores: readonly number[],
  { zeroV, ratio, zeroPoint, qmin, qmax }: AttentionQuantization,
): { weights: number[]; requantized: (acc: number) => number } {
  const most = scores.reduce((a, b) => Math.max(a, b));
  const weights = scores.map((s) => weight(f32(s - most)));
  const multiplier = f32(ratio / sum(weights.length, (i) => weights[i]!));
  return { weights, requantized: (acc) => requantize(acc, multiplier, zeroPoint, qmin, qmax, -zeroV, ratio) };
}

/** `attentionReal` of int8; `scale` is f32(scaleQ * scaleK * that one's). */
export function attentionS8(
  q: Tokens<Int8Array>,
  k: Tokens<Int8Array>,
  v: Tokens<Int8Array>,
  { queries, keys, heads, headChannels }: AttentionSizes,
  scale: number,
  quantization: AttentionQuantization,
): Int8Array {
  const { zeroQ, zeroK } = quantization;
  const width = heads * headChannels;
  const result = new Int8Array(queries * width);
  const factor = f32(f32(scale) * LOG2_E);
  for (let first = 0; first < width; first += headChannels) {
    for (let i = 0; i < queries; i++) {
      const product = (j: number): number =>
        sum(headChannels, (c) => (at(q, i, first + c) - zeroQ) * (at(k, j, first + c) - zeroK));
      const scores = indices(keys).map((j) => f32(f32(product(j)) * factor));
      const { weights, requantized } = weightsS8(scores, quantization);
      for (let c = first; c < first + headChannels; c++) {
        result[i * width + c] = requantized(sum(keys, (j) => weights[j]! * at(v, j, c)));
      }
    }
  }
  return result;
}

/** `xcaReal` of int8: the scales of q and k cancel. */
export function xcaS8(
  q: Tokens<Int8Array>,
  k: Tokens<Int8Array>,
  v: Tokens<Int8Array>,
  { tokens, heads, headChannels }: XcaSizes,
  temperatures: ArrayLike<number>,
  quantization: AttentionQuantization,
): Int8Array {
  const { zeroQ, zeroK } = quantization;
  const width = heads * headChannels;
  const result = new Int8Array(tokens * width);
  const normOf = (x: Tokens<Int8Array>, zero: number, c: number): number =>
    Math.max(1, f32(Math.sqrt(f32(sum(tokens, (n) => (at(x, n, c) - zero) ** 2)))));
  for (let head = 0; head < heads; head++) {
    const first = head * headChannels;
    const temperature = f32(f32(temperatures[head]!) * LOG2_E);
    const kFactors = indices(headChannels).map((b) => f32(1 / normOf(k, zeroK, first + b)));
    for (let a = first; a < first + headChannels; a++) {
      const factor = f32(temperature / normOf(q, zeroQ, a));
      const product = (b: number): number => sum(tokens, (n) => (at(q, n, a) - zeroQ) * (at(k, n, first + b) - zeroK));
      const scores = kFactors.map((kFactor, b) => f32(f32(f32(product(b)) * factor) * kFactor));
      const { weights, requantized } = weightsS8(scores, quantization);
      for (let n = 0; n < tokens; n++) {
        result[n * width + a] = requantized(sum(headChannels, (b) => weights[b]! * at(v, n, first + b)));
      }
    }
  }
  return result;
}
