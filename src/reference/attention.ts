/** Slow, plain forms of attention, in float64 and rounded when stored. */
import type { FeatureMap } from "../network/description.ts";

type RealArray = Float32Array | Float64Array;

export interface AttentionHeads {
  readonly heads: number;
  readonly keyHeads: number;
  readonly valueHeads: number;
}

/** Channels of XCA that are shorter than this are divided by it in place of their norm, as in the official code. */
const LEAST_NORM = 1e-12;

/** exp(x) / sum of exp(x), shifted by the largest so that nothing overflows. */
export function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((e) => e / sum);
}

/** One head as rows of tokens: rows[token][channel]. */
function headRows({ shape, data }: FeatureMap<RealArray>, heads: number, head: number): RealArray[] {
  const [height, width, channels] = shape;
  const count = channels / heads;
  return Array.from({ length: height * width }, (_, token) => {
    const from = token * channels + head * count;
    return data.subarray(from, from + count);
  });
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The head of the keys, or values, that head `head` of the queries meets. */
const sharedHead = (head: number, heads: number, shared: number): number => Math.floor((head * shared) / heads);

interface Operands {
  readonly q: FeatureMap<RealArray>;
  readonly k: FeatureMap<RealArray>;
  readonly v: FeatureMap<RealArray>;
}

/** out[m] = sum_n softmax_n(q[m] . k[n] / sqrt(channels of a head)) v[n] (arXiv 1706.03762, section 3.2.1), head by head. */
export function softmaxAttention<Result extends RealArray>(
  { q, k, v }: Operands,
  { heads, keyHeads, valueHeads }: AttentionHeads,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const [height, width] = q.shape;
  const count = v.shape[2] / valueHeads;
  const channels = heads * count;
  const result = make(height * width * channels);
  for (let head = 0; head < heads; head++) {
    const queries = headRows(q, heads, head);
    const keys = headRows(k, keyHeads, sharedHead(head, heads, keyHeads));
    const values = headRows(v, valueHeads, sharedHead(head, heads, valueHeads));
    for (const [m, query] of queries.entries()) {
      const row = softmax(keys.map((key) => dot(query, key) / Math.sqrt(query.length)));
      for (let c = 0; c < count; c++) {
        let sum = 0;
        for (const [n, value] of values.entries()) sum += row[n]! * value[c]!;
        result[m * channels + head * count + c] = sum;
      }
    }
  }
  return { shape: [height, width, channels], data: result };
}

/** One head as channels over all tokens, each divided by its norm: columns[channel][token]. */
function unitChannels(rows: readonly RealArray[]): number[][] {
  return Array.from(rows[0]!, (_, channel) => {
    const values = rows.map((row) => row[channel]!);
    const norm = Math.max(Math.sqrt(dot(values, values)), LEAST_NORM);
    return values.map((x) => x / norm);
  });
}

/** out[m, a] = sum_b softmax_b(temperature * q^[a] . k^[b]) v[m, b], head by head (arXiv 2106.09681, section 3.2, and its code). */
export function crossCovarianceAttention<Result extends RealArray>(
  { q, k, v }: Operands,
  { heads, keyHeads, valueHeads }: AttentionHeads,
  temperatures: RealArray,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const [height, width, channels] = q.shape;
  const count = channels / heads;
  const result = make(height * width * channels);
  for (let head = 0; head < heads; head++) {
    const queries = unitChannels(headRows(q, heads, head));
    const keys = unitChannels(headRows(k, keyHeads, sharedHead(head, heads, keyHeads)));
    const values = headRows(v, valueHeads, sharedHead(head, heads, valueHeads));
    for (const [a, query] of queries.entries()) {
      const row = softmax(keys.map((key) => temperatures[head]! * dot(query, key)));
      for (const [m, value] of values.entries()) result[m * channels + head * count + a] = dot(row, value);
    }
  }
  return { shape: [height, width, channels], data: result };
}
