/** What the kernels of attention compute bit for bit, int8 above all (assembly/attention/attention.ts, xca.ts and exp.ts write it down). */
import type { FeatureMap } from "../network/description.ts";
import type { QuantisedAttention } from "../quantization/quantise-tokens.ts";
import { requantize } from "../quantization/requantize.ts";
import { roundHalfEven } from "../rounding.ts";
import {
  type AttentionHeads,
  type AttentionSizes,
  at,
  attendByHead,
  indices,
  type Operands,
  sum,
  type Tokens,
  tokensIn,
  type XcaSizes,
} from "./attention.ts";

const f32 = Math.fround;

/** a + b * gamma[c], one rounding for the product and one for the sum: the bits of the f32 kernel. */
export function addScaledF32(a: Float32Array, b: Float32Array, gamma: Float32Array): Float32Array {
  return a.map((x, i) => f32(x + f32(b[i]! * gamma[i % gamma.length]!)));
}

/** A function, as bundlers keep what a module computes when it is loaded. */
const log2e = () => f32(Math.LOG2E);
const WEIGHT = [1, 0.693282902, 0.242210969, 0.055008933];
const LEAST = -16;

/** The largest int16 by which `rows` values of int8 can be multiplied and summed in int32. */
export const weightPeak = (rows: number): number => Math.min(32767, Math.floor((2 ** 31 - 1) / (128 * rows)));

/** peak * 2^t as an integer in 0..peak, t a binary32 number up to 0. */
export function weight(t: number, peak: number): number {
  const [c0, c1, c2, c3] = WEIGHT.map((c) => f32(f32(c) * peak)) as [number, number, number, number];
  const x = Math.max(t, LEAST);
  const n = roundHalfEven(x);
  const f = x - n;
  const low = f32(f32(c1 * f) + c0);
  const high = f32(f32(c3 * f) + c2);
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
  const weights = scores.map((s) => weight(f32(s - most), weightPeak(scores.length)));
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
  const factor = f32(f32(scale) * log2e());
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
    const temperature = f32(f32(temperatures[head]!) * log2e());
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

/** The int8 attention layer, either map, heads of the keys and values shared or not. */
export function attentionLayerS8(
  operands: Operands<Int8Array>,
  counts: AttentionHeads,
  { scale, temperatures, ratio, qmin, qmax }: QuantisedAttention,
  zeroPoints: Pick<AttentionQuantization, "zeroQ" | "zeroK" | "zeroV" | "zeroPoint">,
): FeatureMap<Int8Array> {
  const [queries, keys] = [tokensIn(operands.q), tokensIn(operands.k)];
  const sizes = { heads: 1, headChannels: operands.q.shape[2] / counts.heads };
  const quantization = { ...zeroPoints, ratio, qmin, qmax };
  const attend = (q: Tokens<Int8Array>, k: Tokens<Int8Array>, v: Tokens<Int8Array>, head: number): Int8Array =>
    temperatures
      ? xcaS8(q, k, v, { ...sizes, tokens: keys }, [temperatures[head]!], quantization)
      : attentionS8(q, k, v, { ...sizes, queries, keys }, scale, quantization);
  return attendByHead(operands, counts, attend, (length) => new Int8Array(length));
}
