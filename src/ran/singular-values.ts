/** Singular values of small dense matrices, and what their mean tends to for random ones. */
import { check } from "../errors.ts";

/** Rows whose cosine is below this count as orthogonal. */
const ORTHOGONAL = 1e-13;
/** Rows this much shorter than the longest are what rounding left of a zero, and have no direction. */
const NOISE = 1e-14;
const MOST_SWEEPS = 60;

/**
 * The singular values of a [rows][columns] matrix, row-major, largest first: min(rows, columns) of them.
 *
 * Gram and Schmidt write the shorter side's vectors in a base of their own, so that long ones need not be turned; one-sided Jacobi
 * (Hestenes 1958) then makes them orthogonal pair by pair, and their lengths are the singular values.
 *
 * @throws WasmogradError ERR_SHAPE where the values are not rows * columns of them
 */
export function singularValues(matrix: ArrayLike<number>, rows: number, columns: number): number[] {
  check(
    rows >= 1 && columns >= 1 && matrix.length === rows * columns,
    "ERR_SHAPE",
    () => `matrix: expected ${rows} x ${columns} values, got ${matrix.length}`,
  );
  // The fewer the rows, the fewer the pairs.
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const vectors = Array.from({ length: count }, (_, v) =>
    Float64Array.from({ length }, (_, i) => (rows <= columns ? matrix[v * columns + i]! : matrix[i * columns + v]!)),
  );
  const short = count < length ? coordinates(vectors) : vectors;
  for (let sweep = 0; sweep < MOST_SWEEPS && rotateAll(short); sweep++);
  return short.map((vector) => Math.sqrt(dot(vector, vector))).sort((a, b) => b - a);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The vectors in an orthonormal base of what they span (modified Gram-Schmidt); overwrites its argument. */
function coordinates(vectors: readonly Float64Array[]): Float64Array[] {
  const result = vectors.map(() => new Float64Array(vectors.length));
  for (const [p, base] of vectors.entries()) {
    const left = Math.sqrt(dot(base, base));
    const before = Math.sqrt(dot(result[p]!, result[p]!) + left * left);
    // What rounding left of a vector that depends on those before it gives no direction.
    if (left <= Number.EPSILON * vectors.length * before) continue;
    result[p]![p] = left;
    for (let i = 0; i < base.length; i++) base[i]! /= left;
    for (let q = p + 1; q < vectors.length; q++) {
      const other = vectors[q]!;
      const along = dot(base, other);
      result[q]![p] = along;
      for (let i = 0; i < base.length; i++) other[i]! -= along * base[i]!;
    }
  }
  return result;
}

/** One sweep over all pairs; whether any was not orthogonal yet. */
function rotateAll(vectors: readonly Float64Array[]): boolean {
  let rotated = false;
  const squares = vectors.map((vector) => dot(vector, vector));
  const floor = NOISE ** 2 * Math.max(...squares);
  for (let p = 0; p < vectors.length; p++) {
    for (let q = p + 1; q < vectors.length; q++) {
      const [a, b] = [vectors[p]!, vectors[q]!];
      const [aa, bb, ab] = [squares[p]!, squares[q]!, dot(a, b)];
      if (aa <= floor || bb <= floor || Math.abs(ab) <= ORTHOGONAL * Math.sqrt(aa * bb)) continue;
      rotated = true;
      const zeta = (bb - aa) / (2 * ab);
      const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
      const cosine = 1 / Math.sqrt(1 + tangent * tangent);
      const sine = cosine * tangent;
      for (let i = 0; i < a.length; i++) {
        const [x, y] = [a[i]!, b[i]!];
        a[i] = cosine * x - sine * y;
        b[i] = sine * x + cosine * y;
      }
      squares[p] = Math.max(0, aa - tangent * ab);
      squares[q] = bb + tangent * ab;
    }
  }
  return rotated;
}

const STEPS = 2000;

/**
 * What the mean of the `rows` largest singular values, zeros counted, tends to for large [rows][columns] matrices of independent values
 * of mean 0 and this standard deviation: the mean of the square root of a Marchenko-Pastur variable. `columns` need not be an integer.
 *
 *     sqrt(long) * deviation * (2 / pi) * integral from 0 to pi of sin^2 t / sqrt(1 + c + 2 sqrt(c) cos t) dt,  c = short / long
 *
 * times short / rows. 8 / (3 pi) for a square matrix with deviation 1 / sqrt(rows); 1 for many more columns and 1 / sqrt(columns).
 */
export function expectedMean(rows: number, columns: number, deviation: number): number {
  const [short, long] = rows <= columns ? [rows, columns] : [columns, rows];
  const c = short / long;
  let sum = 0;
  for (let k = 0; k < STEPS; k++) {
    const angle = ((k + 0.5) * Math.PI) / STEPS;
    sum += Math.sin(angle) ** 2 / Math.sqrt(1 + c + 2 * Math.sqrt(c) * Math.cos(angle));
  }
  return ((Math.sqrt(long) * deviation * 2) / STEPS) * sum * (short / rows);
}
