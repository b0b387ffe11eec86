import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { winograd } from "../../src/winograd/algorithm.ts";
import { algorithmOf } from "../../src/winograd/catalogue.ts";
import { Gaussian } from "../../src/winograd/gaussian.ts";
import type { Matrix } from "../../src/winograd/matrix.ts";
import { transpose } from "../../src/winograd/matrix.ts";
import { countProducts, planes, reduction, structure } from "../../src/winograd/structure.ts";

const product = (a: Matrix, b: Matrix): Gaussian[][] =>
  a.map((row) => transpose(b).map((column) => row.reduce((sum, z, i) => sum.add(z.mul(column[i]!)), Gaussian.ZERO)));

/** Rows of the reference notes, section 1: outputs, taps, points, products, reduction. */
const TABLE = [
  [4, 3, "0,1,-1,i,-i,inf", 46, 3.13],
  [3, 3, "0,1,i,-i,inf", 33, 2.455],
  [2, 5, "0,1,-1,i,-i,inf", 46, 2.174],
  [6, 3, "0,1,-1,i,-i,2,-2,inf", 78, 4.154],
  [6, 3, "0,1,-1,i,-i,2i,-2i,inf", 88, 3.682],
  [4, 5, "0,1,-1,i,-i,2,-2,inf", 78, 5.128],
  [4, 3, "0,1,-1,2,-2,inf", 36, 4],
  [3, 3, "0,1,-1,2,inf", 25, 3.24],
  [2, 5, "0,1,-1,2,-2,inf", 36, 2.778],
  [6, 3, "0,1,-1,2,-2,1/2,-1/2,inf", 64, 5.0625],
  [4, 5, "0,1,-1,2,-2,1/2,-1/2,inf", 64, 6.25],
  [2, 3, "0,1,-1,inf", 16, 2.25],
  [2, 3, "0,i,-i,inf", 22, 1.636],
] as const;

test.each(TABLE)("F(%i, %i) with points %s: %i products, %dx", (m, r, points, products, times) => {
  const algorithm = winograd({ m, r, points });
  expect(countProducts(structure(algorithm)).products).toBe(products);
  expect(reduction(algorithm)).toBeCloseTo(times, 3);
});

describe("the paper's algorithm", () => {
  const found = structure(algorithmOf("f4x4-3x3-complex"));

  test("16 real entries and 10 pairs: 46 products, 56 with four a complex one", () => {
    expect(found.real).toHaveLength(16);
    expect(found.pairs).toHaveLength(10);
    expect(countProducts(found)).toEqual({ products: 46, withFour: 56 });
    expect(144 / 46).toBeCloseTo(3.1304, 4);
  });

  test("planes in the order of assembly/winograd/cf4x4-input-s8.ts", () => {
    const names = planes(found).map(({ row, column, left }) => `${row}${column}${left}`);
    const real = [0, 1, 2, 5].flatMap((j) => [0, 1, 2, 5].map((k) => `${j}${k}v`));
    const pairs = ["03", "13", "23", "53", "30", "31", "32", "35", "33", "34"];
    expect(names).toEqual([...real, ...pairs.flatMap((pair) => ["a+b", "a", "b"].map((left) => pair + left))]);
    expect(planes(found).map(({ right }) => right)).toEqual([
      ...real.map(() => "u"),
      ...pairs.flatMap(() => ["c", "d-c", "c+d"]),
    ]);
  });

  test("conjugates: column 4 of 3, row 4 of 3, (3,3) of (4,4) and (3,4) of (4,3)", () => {
    const conjugates = found.pairs.map(({ conjugate: c }) => `${c.row}${c.column}`);
    expect(conjugates).toEqual(["04", "14", "24", "54", "40", "41", "42", "45", "44", "43"]);
  });
});

/** Points with R real ones, infinity included, and P pairs. */
const withPairs = (R: number, P: number): string[] => [
  ...["inf", "0", "1", "-1", "2", "-2"].slice(0, R),
  ...Array.from({ length: P }, (_, k) => [`${k}+i`, `${k}-i`]).flat(),
];

test("R^2 + 6RP + 6P^2 products, found by counting; for two different algorithms likewise", () => {
  const sizes = fc.record({ R: fc.integer({ min: 1, max: 5 }), P: fc.integer({ min: 0, max: 3 }) });
  fc.assert(
    fc.property(sizes, sizes, (a, b) => {
      const [v, h] = [a, b].map(({ R, P }) => winograd({ m: R + 2 * P, r: 1, points: withPairs(R, P) })) as [
        ReturnType<typeof winograd>,
        ReturnType<typeof winograd>,
      ];
      expect(countProducts(structure(v)).products).toBe(a.R ** 2 + 6 * a.R * a.P + 6 * a.P ** 2);
      expect(countProducts(structure(v, h)).products).toBe(a.R * b.R + 3 * (a.R * b.P + a.P * b.R) + 6 * a.P * b.P);
    }),
    { numRuns: 30 },
  );
});

test("transformed real data has the structure that was found, for different rows and columns", () => {
  const vertical = algorithmOf("f4x4-3x3-complex");
  const horizontal = winograd({ m: 3, r: 3, points: "i,0,1,-i,inf" });
  const found = structure(vertical, horizontal);
  expect(found.columnPartner).toEqual([3, 1, 2, 0, 4]);
  const data = (rows: number, columns: number): fc.Arbitrary<Gaussian[][]> =>
    fc.array(
      fc.array(
        fc.integer({ min: -128, max: 127 }).map((x) => Gaussian.of(x)),
        { minLength: columns, maxLength: columns },
      ),
      { minLength: rows, maxLength: rows },
    );
  fc.assert(
    fc.property(data(6, 5), data(3, 3), (d, g) => {
      const V = product(product(vertical.BT, d), transpose(horizontal.BT));
      const U = product(product(vertical.G, g), transpose(horizontal.G));
      for (const M of [U, V]) {
        for (const { row, column } of found.real) expect(M[row]![column]!.isReal()).toBe(true);
        for (const { row, column, conjugate } of found.pairs) {
          expect(M[conjugate.row]![conjugate.column]!.equals(M[row]![column]!.conj())).toBe(true);
        }
      }
    }),
    { numRuns: 20 },
  );
  expect(found.real.length + 2 * found.pairs.length).toBe(30);
});
