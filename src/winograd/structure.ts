/**
 * Conjugate structure of a two-dimensional algorithm. On real data V[j'][k'] = conj(V[j][k]) with ' swapping conjugate points, and the
 * same holds for the filter, so of each such pair one member is multiplied. With V = a + ib and U = c + id (Karatsuba, Gauss):
 *
 *   k1 = (a+b) c    k2 = a (d-c)    k3 = b (c+d)        Re = k1 - k3    Im = k1 + k2
 *
 * three real products a pair. Sums over channels are taken of k1, k2 and k3 separately: each is one plane of the batched product.
 */
import { type Algorithm, conjugateRows } from "./algorithm.ts";

/** A transformed value at (row, column), by indices of the vertical and the horizontal algorithm's points. */
export interface Entry {
  /** From 0. */
  readonly row: number;
  /** From 0. */
  readonly column: number;
}

/** Which entries of a transformed tile are real, and which are conjugates. */
export interface Structure {
  /** For each point of the vertical algorithm the index of its conjugate. */
  readonly rowPartner: readonly number[];
  /** The same of the horizontal algorithm. */
  readonly columnPartner: readonly number[];
  /** Entries that are real on real data, row-major. */
  readonly real: readonly Entry[];
  /** One member of each conjugate pair. */
  readonly pairs: readonly (Entry & { readonly conjugate: Entry })[];
}

/**
 * Canonical order: real entries row-major; then the pairs, first those in real rows, then those in real columns, then those complex in
 * both directions, each row-major by their first member.
 */
export function structure(
  vertical: Pick<Algorithm, "AT" | "G" | "BT">,
  horizontal: Pick<Algorithm, "AT" | "G" | "BT"> = vertical,
): Structure {
  const rowPartner = conjugateRows(vertical);
  const columnPartner = conjugateRows(horizontal);
  const real: Entry[] = [];
  const inRealRow: Structure["pairs"][number][] = [];
  const inRealColumn: Structure["pairs"][number][] = [];
  const inNeither: Structure["pairs"][number][] = [];
  for (const [row, otherRow] of rowPartner.entries()) {
    for (const [column, otherColumn] of columnPartner.entries()) {
      const first = row < otherRow || (row === otherRow && column < otherColumn);
      const pair = { row, column, conjugate: { row: otherRow, column: otherColumn } };
      if (row === otherRow && column === otherColumn) real.push({ row, column });
      else if (!first) continue;
      else if (row === otherRow) inRealRow.push(pair);
      else if (column === otherColumn) inRealColumn.push(pair);
      else inNeither.push(pair);
    }
  }
  return { rowPartner, columnPartner, real, pairs: [...inRealRow, ...inRealColumn, ...inNeither] };
}

/** One real product a tile and channel: which entry it belongs to and which factors it multiplies. */
export interface Plane extends Entry {
  /** Factor from the tile: v real, a + ib of a pair. */
  readonly left: "v" | "a+b" | "a" | "b";
  /** Factor from the filter: u real, c + id of a pair. */
  readonly right: "u" | "c" | "d-c" | "c+d";
}

const FACTORS = [
  ["a+b", "c"],
  ["a", "d-c"],
  ["b", "c+d"],
] as const;

/** The products in the order in which kernels store them: real entries, then three a pair. */
export function planes({ real, pairs }: Structure): readonly Plane[] {
  return [
    ...real.map((entry) => ({ ...entry, left: "v", right: "u" }) as const),
    ...pairs.flatMap(({ row, column }) => FACTORS.map(([left, right]) => ({ row, column, left, right }))),
  ];
}

/** Products a tile and channel, with four multiplications a complex product for comparison. */
export function countProducts(found: Structure): { readonly products: number; readonly withFour: number } {
  return { products: planes(found).length, withFour: found.real.length + 4 * found.pairs.length };
}

/** Multiplications of direct convolution over those of the algorithm. */
export function reduction(vertical: Algorithm, horizontal: Algorithm = vertical): number {
  const direct = vertical.m * vertical.r * horizontal.m * horizontal.r;
  return direct / countProducts(structure(vertical, horizontal)).products;
}
