/** Two projections as one, head by head: exact for softmax, where nothing stands between them but a sum (docs/compact-attention.md). */
import { applyTo, columnsOf, type Matrix, multiply, rowsOf, stackColumns, stackRows, transpose } from "./matrix.ts";

/** A projection y = W x + b. */
export interface Affine {
  readonly weights: Matrix;
  /** Absent means zeros. */
  readonly bias?: Float64Array | undefined;
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/**
 * Q and K of `heads` heads as the queries against the input itself: rows j of the result are W_K^j^T (W_Q^j x + b_Q^j). A head of them has as
 * many channels as the input, by whose root attention divides, so they are multiplied by the root of what there were more.
 * The bias of K adds the same to all scores of a query and goes.
 */
export function mergeQueryKey(q: Affine, k: Affine, heads: number): Affine {
  const own = q.weights.rows / heads;
  const scale = Math.sqrt(k.weights.columns / own);
  const scaled = (values: Float64Array): Float64Array => values.map((x) => x * scale);
  const parts = range(0, heads).map((j) => {
    const [wq, wk] = [rowsOf(q.weights, j * own, own), transpose(rowsOf(k.weights, j * own, own))];
    const product = multiply(wk, wq);
    const bias = q.bias && applyTo(wk, q.bias.subarray(j * own, (j + 1) * own));
    return { weights: { ...product, data: scaled(product.data) }, bias: bias && scaled(bias) };
  });
  const bias = q.bias && Float64Array.from(parts.flatMap((part) => [...part.bias!]));
  return { weights: stackRows(parts.map(({ weights }) => weights)), bias };
}

/** V and O of `heads` heads as one output projection of averaged inputs, W_O^j W_V^j beside each other; b_V becomes part of the bias. */
export function mergeValueOutput(v: Affine, o: Affine, heads: number): Affine {
  const own = v.weights.rows / heads;
  const parts = range(0, heads).map((j) =>
    multiply(columnsOf(o.weights, range(j * own, own)), rowsOf(v.weights, j * own, own)),
  );
  return { weights: stackColumns(parts), bias: addBias(o, v.bias) };
}

/** The bias of `o` when `added` is added to each of its inputs: rows of the map sum to 1, so a bias of V passes it unchanged. */
export function addBias(o: Affine, added: ArrayLike<number> | undefined): Float64Array | undefined {
  if (!added) return o.bias;
  const moved = applyTo(o.weights, added);
  return moved.map((x, i) => x + (o.bias?.[i] ?? 0));
}
