/**
 * Winograd's (Toom-Cook's) minimal filtering F(m, r) for any points: Y = A^T [ (G g) . (B^T d) ], m outputs of an r-tap correlation from
 * n = m + r - 1 inputs with n products, one a point (Winograd 1980; complex points: arXiv 1901.01965).
 *
 * For finite points a_j, with M_j(x) the product of (x - a_l) over the other finite points and N_j = M_j(a_j):
 *   A^T[i][j] = a_j^i      G[j][k] = a_j^k / N_j      row j of B^T = coefficients of M_j
 * and infinity gives the unit vectors e_(m-1) and e_(r-1) and the product of all (x - a_l). Where N_j is a unit (1, -1, i, -i), row j
 * of G is divided and row j of B^T multiplied by it: the row of G is then plain powers, and B^T loses nothing.
 */
import { check } from "../errors.ts";
import { Gaussian } from "./gaussian.ts";
import { conjugate, equalVectors, type Matrix, polynomial, scale, transpose, type Vector } from "./matrix.ts";

/** A finite point, or infinity. */
export type Point = Gaussian | "inf";

/** What `winograd` derives an algorithm from. */
export interface AlgorithmSpec {
  /** Outputs a tile, 1 to 12. */
  readonly m: number;
  /** Taps of the kernel, 1 to 12. */
  readonly r: number;
  /** n = m + r - 1 points, as text ("0,1,-1,i,-i,inf"), strings or numbers; infinity anywhere, it is put last. */
  readonly points: string | readonly (string | Gaussian)[];
}

/** A one-dimensional algorithm: Y = A^T ((G g) . (B^T d)), exact over the Gaussian rationals. */
export interface Algorithm {
  /** Outputs a tile. */
  readonly m: number;
  /** Taps of the kernel. */
  readonly r: number;
  /** Products a tile, m + r - 1. */
  readonly n: number;
  /** Infinity, if there, is last. */
  readonly points: readonly Point[];
  /** A^T, m x n. */
  readonly AT: Matrix;
  /** G, n x r. */
  readonly G: Matrix;
  /** B^T, n x n. */
  readonly BT: Matrix;
}

/** Large enough for every algorithm in use; keeps the search for schedules short. */
export const LARGEST_SIZE = 12;

/** @throws WasmogradError ERR_ARGUMENT on a point that cannot be read, a repeated one, or a complex one without its conjugate */
export function parsePoints(points: AlgorithmSpec["points"]): readonly Point[] {
  const texts = typeof points === "string" ? points.split(",") : points;
  const finite: Gaussian[] = [];
  let infinities = 0;
  for (const text of texts) {
    if (typeof text === "string" && /^\s*(inf|infinity|∞)\s*$/i.test(text)) infinities++;
    else finite.push(typeof text === "string" ? Gaussian.parse(text) : text);
  }
  check(infinities <= 1, "ERR_ARGUMENT", () => "points: inf is repeated");
  for (const [i, point] of finite.entries()) {
    const repeated = finite.findIndex((other) => other.equals(point)) < i;
    check(!repeated, "ERR_ARGUMENT", () => `points: ${point} is repeated`);
    const paired = finite.some((other) => other.equals(point.conj()));
    check(paired, "ERR_ARGUMENT", () => `points: ${point} needs its conjugate ${point.conj()}`);
  }
  return infinities === 1 ? [...finite, "inf"] : finite;
}

/**
 * Derives A^T, G and B^T of F(m, r) from its points, exactly (Toom and Cook's interpolation; complex points as in arXiv 1901.01965).
 *
 * @throws WasmogradError ERR_ARGUMENT on sizes out of range, another number of points than m + r - 1, points that repeat, are no numbers or
 *   lack their conjugate
 * @example
 * const { AT, G, BT } = winograd({ m: 4, r: 3, points: "0,1,-1,i,-i,inf" });
 */
export function winograd({ m, r, points: given }: AlgorithmSpec): Algorithm {
  for (const [name, value] of [["m", m] as const, ["r", r] as const]) {
    const inside = Number.isInteger(value) && value >= 1 && value <= LARGEST_SIZE;
    check(inside, "ERR_ARGUMENT", () => `${name}: expected an integer from 1 to ${LARGEST_SIZE}, got ${value}`);
  }
  const points = parsePoints(given);
  const n = m + r - 1;
  check(
    points.length === n,
    "ERR_ARGUMENT",
    () =>
      `points: F(${m}, ${r}) needs ${m} + ${r} - 1 = ${n}, got too ${points.length < n ? "few" : "many"}: ${points.length}`,
  );
  const finite = points.filter((point): point is Gaussian => point !== "inf");
  const powers = (point: Point, count: number): Vector =>
    Array.from({ length: count }, (_, k) =>
      point === "inf" ? (k === count - 1 ? Gaussian.ONE : Gaussian.ZERO) : point.pow(k),
    );
  const G: Vector[] = [];
  const BT: Vector[] = [];
  for (const point of points) {
    if (point === "inf") {
      G.push(powers(point, r));
      BT.push(polynomial(finite));
      continue;
    }
    const others = finite.filter((other) => !other.equals(point));
    const N = others.reduce((product, other) => product.mul(point.sub(other)), Gaussian.ONE);
    const moved = N.isUnit() ? N : Gaussian.ONE;
    G.push(scale(powers(point, r), moved.div(N)));
    const row = scale(polynomial(others), Gaussian.ONE.div(moved));
    BT.push([...row, ...new Array<Gaussian>(n - row.length).fill(Gaussian.ZERO)]);
  }
  return { m, r, n, points, AT: transpose(points.map((point) => powers(point, m))), G, BT };
}

/** Whether sum_j A^T[i][j] G[j][k] B^T[j][l] is 1 where l = i + k and 0 elsewhere: the algorithm is a correlation, for all data. */
export function isCorrelation({ m, r, n, AT, G, BT }: Pick<Algorithm, "m" | "r" | "n" | "AT" | "G" | "BT">): boolean {
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < r; k++) {
      for (let l = 0; l < n; l++) {
        let sum = Gaussian.ZERO;
        for (let j = 0; j < n; j++) sum = sum.add(AT[i]![j]!.mul(G[j]![k]!).mul(BT[j]![l]!));
        if (!sum.equals(l === i + k ? Gaussian.ONE : Gaussian.ZERO)) return false;
      }
    }
  }
  return true;
}

/**
 * For each row the row that is its conjugate, itself where it is real: looked for in the matrices, so that it holds for whatever made
 * them. On real data the transformed values then pair up in the same way.
 * @throws WasmogradError ERR_ARGUMENT when the three matrices have no such pairing in common
 */
export function conjugateRows({ AT, G, BT }: Pick<Algorithm, "AT" | "G" | "BT">): readonly number[] {
  const A = transpose(AT);
  return BT.map((row, j) => {
    const found = BT.findIndex(
      (other, k) =>
        equalVectors(other, conjugate(row)) &&
        equalVectors(G[k]!, conjugate(G[j]!)) &&
        equalVectors(A[k]!, conjugate(A[j]!)),
    );
    check(found >= 0, "ERR_ARGUMENT", () => `matrices: row ${j} has no conjugate row`);
    return found;
  });
}
