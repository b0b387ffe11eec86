/**
 * Section 1 of the reference notes, what algorithm.test.ts does not already hold: the general rule by itself, the factors N_j, the
 * diagonals D and the output matrices that carry them. Figures are those of the notes, which mark them as derived there; here they are
 * derived again.
 */
import { describe, expect, test } from "vitest";
import { type Algorithm, isCorrelation } from "../../src/winograd/algorithm.ts";
import { algorithmOf, CATALOGUE } from "../../src/winograd/catalogue.ts";
import { Gaussian } from "../../src/winograd/gaussian.ts";
import { integerForm, resultScale } from "../../src/winograd/integer-form.ts";
import { denominator, type Matrix, transpose } from "../../src/winograd/matrix.ts";

const text = (matrix: Matrix): string[] => matrix.map((row) => row.join(" "));

const finitePoints = ({ points }: Algorithm): Gaussian[] => points.filter((p): p is Gaussian => p !== "inf");

/** Coefficients of the product of (x - root), lowest first, padded to `length`. */
function product(roots: readonly Gaussian[], length: number): Gaussian[] {
  let row = [Gaussian.ONE, ...new Array<Gaussian>(length - 1).fill(Gaussian.ZERO)];
  for (const root of roots) row = row.map((z, i) => (row[i - 1] ?? Gaussian.ZERO).sub(z.mul(root)));
  return row;
}

/** N_j = M_j(a_j) for the finite points. */
function normalisers(algorithm: Algorithm): Gaussian[] {
  const finite = finitePoints(algorithm);
  return finite.map((a, j) => finite.filter((_, l) => l !== j).reduce((N, other) => N.mul(a.sub(other)), Gaussian.ONE));
}

describe.each(CATALOGUE.map(({ id }) => id))("the general rule: %s", (id) => {
  const algorithm = algorithmOf(id);
  const { m, r, n, AT, G, BT } = algorithm;
  const finite = finitePoints(algorithm);
  const N = normalisers(algorithm);

  test("A^T[i][j] = a_j^i, its last column e_(m-1)", () => {
    const rows = Array.from({ length: m }, (_, i) => [
      ...finite.map((a) => a.pow(i)),
      i === m - 1 ? Gaussian.ONE : Gaussian.ZERO,
    ]);
    expect(text(AT)).toEqual(text(rows));
  });

  test("G[j][k] = a_j^k / N_j and row j of B^T the coefficients of M_j, up to a unit moved from one to the other", () => {
    for (const [j, a] of finite.entries()) {
      const M = product(
        finite.filter((_, l) => l !== j),
        n,
      );
      const moved = BT[j]!.find((z) => !z.isZero())!.div(M.find((z) => !z.isZero())!);
      expect(moved.isUnit()).toBe(true);
      expect(BT[j]!.join(" ")).toBe(M.map((z) => z.mul(moved)).join(" "));
      const row = Array.from({ length: r }, (_, k) => a.pow(k).div(N[j]!.mul(moved)));
      expect(G[j]!.join(" ")).toBe(row.join(" "));
    }
  });

  test("infinity: e_(r-1) and the product of all (x - a_l)", () => {
    expect(G[n - 1]!.map(String)).toEqual([...new Array<string>(r - 1).fill("0"), "1"]);
    expect(text([BT[n - 1]!])).toEqual(text([product(finite, n)]));
  });

  test("a sign may move between row j of G and row j of B^T", () => {
    const flipped = (matrix: Matrix, j: number): Matrix =>
      matrix.map((row, i) => (i === j ? row.map((z) => z.neg()) : row));
    for (let j = 0; j < n; j++) {
      expect(isCorrelation({ ...algorithm, G: flipped(G, j), BT: flipped(BT, j) })).toBe(true);
      expect(isCorrelation({ ...algorithm, G: flipped(G, j) })).toBe(false);
    }
  });
});

test("complex F(4x4,3x3): all finite N_j have absolute value 1 or 4, so the only denominator is 4", () => {
  const algorithm = algorithmOf("f4x4-3x3-complex");
  const squares = normalisers(algorithm).map(({ re, im }) => Number(re * re + im * im));
  expect(squares).toEqual([1, 16, 16, 16, 16]);
  expect(denominator(algorithm.G.flat())).toBe(4n);
  expect(denominator([...algorithm.AT, ...algorithm.BT].flat())).toBe(1n);
});

/** The denominator of G, D, and the scale of the result. D of F(2x2) and of the complex one follow from their printed matrices. */
const DIAGONALS = [
  ["f2x2-3x3", 2, "2 1 1 2", 4n],
  ["f4x4-3x3-rational", 24, "6 -4 -4 1 1 24", 576n],
  ["f4x4-3x3-complex", 4, "4 1 1 1 1 4", 16n],
] as const;

test.each(DIAGONALS)("%s: %i G is integral, D = %s", (id, multiple, diagonal, scale) => {
  const algorithm = algorithmOf(id);
  expect(denominator(algorithm.G.flat())).toBe(BigInt(multiple));
  const scaled = integerForm(algorithm, "scaled");
  const normalised = integerForm(algorithm, "row-normalised");
  for (const form of [scaled, normalised]) {
    expect(form.scale).toBe(BigInt(multiple));
    expect(form.diagonal.join(" ")).toBe(diagonal);
    expect(resultScale(form).scale).toBe(scale);
    expect(text(form.BT)).toEqual(text(algorithm.BT));
  }
  // c G = D Gn, and the columns of A^T take D where the filter does not.
  const whole = algorithm.G.map((row) => row.map((z) => z.mul(Gaussian.of(multiple))));
  expect(text(scaled.G)).toEqual(text(whole));
  expect(text(normalised.G.map((row, j) => row.map((z) => z.mul(normalised.diagonal[j]!))))).toEqual(text(whole));
  expect(text(scaled.AT)).toEqual(text(algorithm.AT));
  const columns = transpose(algorithm.AT).map((column, j) => column.map((z) => z.mul(scaled.diagonal[j]!)));
  expect(text(normalised.AT)).toEqual(text(transpose(columns)));
});

test("rational F(4x4,3x3), row-normalised: the whole output matrix", () => {
  expect(text(integerForm(algorithmOf("f4x4-3x3-rational"), "row-normalised").AT)).toEqual([
    "6 -4 -4 1 1 0",
    "0 -4 4 2 -2 0",
    "0 -4 -4 4 4 0",
    "0 -4 4 8 -8 24",
  ]);
});

test("576 = 2^6 * 9, 16 = 2^4 and 4 = 2^2", () => {
  const parts = DIAGONALS.map(([id]) => resultScale(integerForm(algorithmOf(id), "row-normalised")));
  expect(parts.map(({ shift, odd }) => [shift, odd])).toEqual([
    [2, 1n],
    [6, 9n],
    [4, 1n],
  ]);
});
