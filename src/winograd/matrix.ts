/** Matrices and vectors of Gaussian rationals, as few operations as the algebra needs. */
import { Gaussian, gaussianGcd, lcm } from "./gaussian.ts";

/** Exact numbers. */
export type Vector = readonly Gaussian[];
/** By rows. */
export type Matrix = readonly Vector[];

export function transpose(matrix: Matrix): Matrix {
  return (matrix[0] ?? []).map((_, k) => matrix.map((row) => row[k]!));
}

export const conjugate = (vector: Vector): Vector => vector.map((z) => z.conj());

export const scale = (vector: Vector, factor: Gaussian): Vector => vector.map((z) => z.mul(factor));

export function equalVectors(a: Vector, b: Vector): boolean {
  return a.length === b.length && a.every((z, i) => z.equals(b[i]!));
}

/** Coefficients, lowest first, of the product of (x - root). */
export function polynomial(roots: Vector): Vector {
  let product: Gaussian[] = [Gaussian.ONE];
  for (const root of roots) {
    const shifted = [Gaussian.ZERO, ...product];
    product = shifted.map((z, i) => (i < product.length ? z.sub(product[i]!.mul(root)) : z));
  }
  return product;
}

/** Least common multiple of the denominators. */
export const denominator = (vector: Vector): bigint => vector.reduce((den, z) => lcm(den, z.den), 1n);

/** `vector` = content * row, where row holds Gaussian integers without a common factor and content lies in the first quadrant. */
export function primitive(vector: Vector): { readonly content: Gaussian; readonly row: Vector } {
  const den = Gaussian.of(denominator(vector));
  const common = scale(vector, den).reduce(gaussianGcd, Gaussian.ZERO);
  if (common.isZero()) return { content: Gaussian.ONE, row: vector };
  const content = common.div(den);
  return { content, row: vector.map((z) => z.div(content)) };
}

/** Rows of text, columns flush right. */
export function formatMatrix(matrix: Matrix): string[] {
  const cells = matrix.map((row) => row.map(String));
  const widths = (cells[0] ?? []).map((_, k) => Math.max(...cells.map((row) => row[k]!.length)));
  return cells.map((row) => `[${row.map((cell, k) => cell.padStart(widths[k]!)).join(" ")}]`);
}
