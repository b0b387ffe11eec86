/** Small dense matrices in float64, for the algebra of projections. A projection is y = W x with W [out][in], as filters lie. */
import type { RealWeight } from "../network/description.ts";

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major. */
  readonly data: Float64Array;
}

export function matrix(rows: number, columns: number, value: (row: number, column: number) => number): Matrix {
  const data = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) data[r * columns + c] = value(r, c);
  return { rows, columns, data };
}

export const at = ({ columns, data }: Matrix, row: number, column: number): number => data[row * columns + column]!;

/** A 1x1 filter [out, 1, 1, in]. */
export function filterMatrix({ shape, data }: RealWeight): Matrix {
  return { rows: shape[0]!, columns: shape[3]!, data: Float64Array.from(data) };
}

export const toFilter = ({ rows, columns, data }: Matrix): RealWeight => ({ shape: [rows, 1, 1, columns], data });

export function multiply(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.rows * b.columns);
  for (let r = 0; r < a.rows; r++) {
    for (let i = 0; i < a.columns; i++) {
      const factor = at(a, r, i);
      for (let c = 0; c < b.columns; c++) data[r * b.columns + c]! += factor * at(b, i, c);
    }
  }
  return { rows: a.rows, columns: b.columns, data };
}

export const transpose = (m: Matrix): Matrix => matrix(m.columns, m.rows, (r, c) => at(m, c, r));

/** Rows [from, from + count). */
export const rowsOf = (m: Matrix, from: number, count: number): Matrix =>
  matrix(count, m.columns, (r, c) => at(m, from + r, c));

export const columnsOf = (m: Matrix, list: readonly number[]): Matrix =>
  matrix(m.rows, list.length, (r, c) => at(m, r, list[c]!));

/** Matrices of equal width below each other. */
export function stackRows(parts: readonly Matrix[]): Matrix {
  const { columns } = parts[0]!;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const data = new Float64Array(rows * columns);
  let to = 0;
  for (const part of parts) {
    data.set(part.data, to);
    to += part.data.length;
  }
  return { rows, columns, data };
}

/** Matrices of equal height beside each other. */
export const stackColumns = (parts: readonly Matrix[]): Matrix => transpose(stackRows(parts.map(transpose)));

export const vectorOf = (values: ArrayLike<number>): Matrix => matrix(values.length, 1, (r) => values[r]!);

/** W x. */
export const applyTo = (m: Matrix, values: ArrayLike<number>): Float64Array => multiply(m, vectorOf(values)).data;

/** max over rows of the sum of magnitudes: the norm that goes with the largest value of a vector. */
export function normOf(m: Matrix): number {
  let largest = 0;
  for (let r = 0; r < m.rows; r++) {
    let sum = 0;
    for (let c = 0; c < m.columns; c++) sum += Math.abs(at(m, r, c));
    largest = Math.max(largest, sum);
  }
  return largest;
}

/** The inverse by Gauss and Jordan with row pivoting, or undefined of a matrix that has none. */
export function inverse({ rows: n, data }: Matrix): Matrix | undefined {
  const a = data.slice();
  const result = matrix(n, n, (r, c) => (r === c ? 1 : 0));
  const swap = (values: Float64Array, i: number, j: number) => {
    for (let c = 0; c < n; c++) {
      const kept = values[i * n + c]!;
      values[i * n + c] = values[j * n + c]!;
      values[j * n + c] = kept;
    }
  };
  for (let column = 0; column < n; column++) {
    let best = column;
    for (let r = column + 1; r < n; r++) {
      if (Math.abs(a[r * n + column]!) > Math.abs(a[best * n + column]!)) best = r;
    }
    const pivot = a[best * n + column]!;
    if (pivot === 0 || !Number.isFinite(1 / pivot)) return undefined;
    for (const values of [a, result.data]) {
      swap(values, column, best);
      for (let c = 0; c < n; c++) values[column * n + c]! /= pivot;
    }
    for (let r = 0; r < n; r++) {
      const factor = a[r * n + column]!;
      if (r === column || factor === 0) continue;
      for (const values of [a, result.data]) {
        for (let c = 0; c < n; c++) values[r * n + c]! -= factor * values[column * n + c]!;
      }
    }
  }
  return result;
}

/**
 * As many columns as the matrix has rows that span its range best: each is the longest after those before it are projected out (Gram and
 * Schmidt with pivoting). Fewer where the rank is lower.
 */
export function pivotColumns(m: Matrix): number[] {
  const work = transpose(m); // rows are the candidates
  const { rows: count, columns: length, data } = work;
  const chosen: number[] = [];
  const squared = (r: number): number => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += data[r * length + i]! ** 2;
    return sum;
  };
  const longest = Math.sqrt(Math.max(...Array.from({ length: count }, (_, r) => squared(r))));
  while (chosen.length < length) {
    let best = -1;
    let most = 0;
    for (let r = 0; r < count; r++) {
      const size = chosen.includes(r) ? -1 : squared(r);
      if (size > most) [best, most] = [r, size];
    }
    // What is this short is rounding.
    if (best < 0 || Math.sqrt(most) <= longest * 1e-13) break;
    chosen.push(best);
    const unit = data.slice(best * length, (best + 1) * length).map((x) => x / Math.sqrt(most));
    for (let r = 0; r < count; r++) {
      let along = 0;
      for (let i = 0; i < length; i++) along += data[r * length + i]! * unit[i]!;
      for (let i = 0; i < length; i++) data[r * length + i]! -= along * unit[i]!;
    }
  }
  return chosen;
}
