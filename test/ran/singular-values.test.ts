import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedMean, singularValues } from "../../src/ran/singular-values.ts";
import { randomSource } from "../../src/random.ts";

const sum = (values: Iterable<number>): number => [...values].reduce((total, v) => total + v, 0);

const matrix = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer())
  .map(([rows, columns, seed]) => {
    const random = randomSource(seed);
    return { rows, columns, values: Float64Array.from({ length: rows * columns }, () => random.normal()) };
  });

describe("closed forms", () => {
  test("a diagonal matrix: magnitudes of its diagonal, largest first", () => {
    expect(singularValues([0, 2, 0, 0, 0, 0, -3, 0, 0], 3, 3)).toEqual([3, 2, 0]);
  });

  test("two by two: from trace and determinant of A A^T", () => {
    const value = fc.double({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(value, value, value, value, (a, b, c, d) => {
        const [square, determinant] = [a * a + b * b + c * c + d * d, Math.abs(a * d - b * c)];
        const [first, second] = singularValues([a, b, c, d], 2, 2);
        expect(Math.abs(first! + second! - Math.sqrt(square + 2 * determinant))).toBeLessThan(1e-7 * (1 + square));
        expect(Math.abs(first! * second! - determinant)).toBeLessThan(1e-12 * (1 + square));
      }),
    );
  });

  test("one row: its length", () => {
    expect(singularValues([2, 3, 6], 1, 3)).toEqual([7]);
    expect(singularValues([2, 3, 6], 3, 1)).toEqual([7]);
  });

  test("the second difference matrix: 2 - 2 cos(k pi / (n+1)), as symmetric and positive", () => {
    const n = 9;
    const A = Array.from({ length: n * n }, (_, i) => [2, -1][Math.abs(Math.floor(i / n) - (i % n))] ?? 0);
    const expected = Array.from({ length: n }, (_, i) => 2 - 2 * Math.cos(((n - i) * Math.PI) / (n + 1)));
    for (const [i, s] of singularValues(A, n, n).entries()) expect(Math.abs(s - expected[i]!)).toBeLessThan(1e-13);
  });

  test("an outer product: one value, the rest zero, whichever way round", () => {
    const [u, v] = [
      [1, 2, 2],
      [3, 0, 4, 0],
    ];
    const A = u.flatMap((x) => v.map((y) => x * y));
    for (const [rows, columns] of [
      [3, 4],
      [4, 3],
    ] as const) {
      const values = rows === 3 ? A : v.flatMap((y) => u.map((x) => x * y));
      const [first, ...rest] = singularValues(values, rows, columns);
      expect(first).toBeCloseTo(15, 12);
      for (const s of rest) expect(s).toBeLessThan(1e-13);
    }
  });

  test("zeros", () => expect(singularValues(new Float64Array(6), 2, 3)).toEqual([0, 0]));
});

describe("any matrix", () => {
  test("the squares add up to the squares of its entries; there are as many as its shorter side", () => {
    fc.assert(
      fc.property(matrix, ({ rows, columns, values }) => {
        const s = singularValues(values, rows, columns);
        expect(s).toHaveLength(Math.min(rows, columns));
        const entries = sum(values.map((v) => v * v));
        expect(Math.abs(sum(s.map((v) => v * v)) / entries - 1)).toBeLessThan(1e-12);
        expect(s).toEqual(s.toSorted((a, b) => b - a));
      }),
    );
  });

  test("the transposed matrix has the same", () => {
    fc.assert(
      fc.property(matrix, ({ rows, columns, values }) => {
        const turned = Float64Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
        const [s, t] = [singularValues(values, rows, columns), singularValues(turned, columns, rows)];
        for (const [i, v] of s.entries()) expect(Math.abs(v - t[i]!)).toBeLessThan(1e-12 * s[0]!);
      }),
    );
  });

  test("columns of zeros change nothing", () => {
    fc.assert(
      fc.property(matrix, ({ rows, columns, values }) => {
        const wider = Float64Array.from({ length: rows * columns * 2 }, (_, i) => (i % 2 === 0 ? values[i / 2]! : 0));
        const [s, t] = [singularValues(values, rows, columns), singularValues(wider, rows, 2 * columns)];
        for (const [i, v] of t.entries()) expect(Math.abs(v - (s[i] ?? 0))).toBeLessThan(1e-12 * s[0]!);
      }),
    );
  });

  test("it is not changed, and its length is checked", () => {
    const values = Float64Array.of(1, 2, 3, 4, 5, 6);
    singularValues(values, 2, 3);
    expect([...values]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => singularValues(values, 2, 2)).toThrow("matrix: expected 2 x 2 values, got 6");
  });
});

describe("the mean that large random matrices tend to", () => {
  test("closed forms", () => {
    expect(expectedMean(10, 10, 1 / Math.sqrt(10))).toBeCloseTo(8 / (3 * Math.PI), 6);
    expect(expectedMean(1, 1e8, 1e-4)).toBeCloseTo(1, 6);
    expect(expectedMean(20, 5, 1)).toBeCloseTo(expectedMean(5, 20, 1) / 4, 12);
  });

  // The sum of n squared normal values varies by sqrt(2 / n) of its mean, so a root by half of that: at most 0.7 % here.
  test.each([
    [100, 100],
    [60, 300],
    [200, 60],
  ])("%i x %i drawn: within 2 %", (rows, columns) => {
    const random = randomSource(3);
    const values = Float64Array.from({ length: rows * columns }, () => random.normal());
    const mean = sum(singularValues(values, rows, columns)) / rows;
    expect(Math.abs(mean / expectedMean(rows, columns, 1) - 1)).toBeLessThan(0.02);
  });
});
