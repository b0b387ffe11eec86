/**
 * Real arithmetic in one dimension: a pair of conjugate points is carried as two real rows, R (real part) at the place of its first point
 * and S (imaginary part) at the place of the second. No complex type is needed.
 *
 * A pair contributes A M + conj(A M) = 2 (Re A Re M - Im A Im M), so the columns of the output are Re A and -Im A, and R and S reach
 * it doubled; the doubling is left to whoever folds the products back, once a pair however many dimensions there are.
 */
import { conjugateRows } from "./algorithm.ts";
import type { IntegerForm } from "./integer-form.ts";
import { transpose, type Vector } from "./matrix.ts";

/** Rows of integers. */
export type IntegerMatrix = readonly (readonly number[])[];

/** The same with complex rows as pairs of real ones. */
export interface RealForm {
  /** Outputs a tile. */
  readonly m: number;
  /** Taps of the kernel. */
  readonly r: number;
  /** Rows, m + r - 1. */
  readonly n: number;
  /** For each row the row that holds the other part of its pair, itself for a real point. */
  readonly partner: readonly number[];
  /** Names of the rows: the point's text, with R: or S: before it for the parts of a complex one. */
  readonly names: readonly string[];
  /** Output, m x n. */
  readonly AT: IntegerMatrix;
  /** Filter, n x r. */
  readonly G: IntegerMatrix;
  /** Input, n x n. */
  readonly BT: IntegerMatrix;
}

/** @throws WasmogradError ERR_UNSUPPORTED when a coefficient passes 2^53 */
export function realForm({ algorithm, AT, G, BT }: IntegerForm): RealForm {
  const partner = conjugateRows(algorithm);
  const real = (row: Vector): number[] => row.map((z) => z.realPart().toNumber());
  const imaginary = (row: Vector): number[] => row.map((z) => z.imaginaryPart().toNumber());
  const parts = (rows: readonly Vector[], sign: 1 | -1): number[][] =>
    partner.map((other, j) => {
      if (other >= j) return real(rows[j]!);
      return imaginary(rows[other]!).map((x) => (x === 0 ? 0 : sign * x));
    });
  const columns = parts(transpose(AT), -1);
  return {
    m: algorithm.m,
    r: algorithm.r,
    n: algorithm.n,
    partner,
    names: partner.map((other, j) => {
      const point = algorithm.points[Math.min(j, other)]!;
      return other === j ? String(point) : `${other > j ? "R" : "S"}:${point}`;
    }),
    AT: Array.from({ length: algorithm.m }, (_, i) => columns.map((column) => column[i]!)),
    G: parts(G, 1),
    BT: parts(BT, 1),
  };
}
