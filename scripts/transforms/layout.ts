/** Where the planes of an algorithm lie, row by row of the transformed tile: what both transforms walk along. */
import type { Nested } from "../../src/winograd/nested.ts";

export interface Direction {
  /** Indices of the real points. */
  readonly real: readonly number[];
  /** Indices of the parts R and S of each conjugate pair. */
  readonly pairs: readonly { readonly r: number; readonly s: number }[];
}

function direction(partner: readonly number[]): Direction {
  return {
    real: partner.flatMap((other, j) => (other === j ? [j] : [])),
    pairs: partner.flatMap((other, j) => (other > j ? [{ r: j, s: other }] : [])),
  };
}

export interface PlaneLayout {
  readonly vertical: Direction;
  readonly horizontal: Direction;
  readonly planes: number;
  /** No conjugate pairs: planes are rows and columns, in order. */
  readonly pairless: boolean;
  /** Plane of the real entry (i-th real row, k-th real column). */
  readonly realPlane: (i: number, k: number) => number;
  /** First of the three planes of the pair at (i-th real row, q-th column pair), and so on. */
  readonly rowPair: (i: number, q: number) => number;
  readonly columnPair: (p: number, k: number) => number;
  /** The corner of p-th row pair and q-th column pair: V(p, q), or V(p, q'). */
  readonly corner: (p: number, q: number, conjugate: boolean) => number;
}

export function planeLayout({ structure, planes }: Nested): PlaneLayout {
  const vertical = direction(structure.rowPartner);
  const horizontal = direction(structure.columnPartner);
  const firstOf = (row: number, column: number): number => {
    const found = planes.findIndex((plane) => plane.row === row && plane.column === column);
    if (found < 0) throw new Error(`no plane at ${row}, ${column}`);
    return found;
  };
  return {
    vertical,
    horizontal,
    planes: planes.length,
    pairless: vertical.pairs.length === 0 && horizontal.pairs.length === 0,
    realPlane: (i, k) => firstOf(vertical.real[i]!, horizontal.real[k]!),
    rowPair: (i, q) => firstOf(vertical.real[i]!, horizontal.pairs[q]!.r),
    columnPair: (p, k) => firstOf(vertical.pairs[p]!.r, horizontal.real[k]!),
    corner: (p, q, conjugate) => firstOf(vertical.pairs[p]!.r, horizontal.pairs[q]![conjugate ? "s" : "r"]),
  };
}
