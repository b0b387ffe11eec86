/**
 * Sections 1 (table of other sizes) and 2 of the reference notes, what structure.test.ts does not already hold. Figures are those of the
 * notes, which mark them as derived there; here they are derived again.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conjugateRows, winograd } from "../../src/winograd/algorithm.ts";
import { algorithmOf, nestedOf } from "../../src/winograd/catalogue.ts";
import { predictCounts, runCounted } from "../../src/winograd/counting.ts";
import { Gaussian } from "../../src/winograd/gaussian.ts";
import { type Matrix, transpose } from "../../src/winograd/matrix.ts";
import { apply, filterPlanes, inputPlanes } from "../../src/winograd/nested.ts";
import { countProducts, reduction, structure } from "../../src/winograd/structure.ts";
import { transforms } from "../../src/winograd/transforms.ts";
import { int8Values } from "../_helpers/kernels.ts";

const product = (a: Matrix, b: Matrix): Gaussian[][] =>
  a.map((row) => transpose(b).map((column) => row.reduce((sum, z, i) => sum.add(z.mul(column[i]!)), Gaussian.ZERO)));

describe("other sizes: R^2 + 6RP + 6P^2 products, against all points real", () => {
  /** outputs, taps, points, R, P, products, reduction; the same size all rational: points, products, reduction. */
  const TABLE = [
    [4, 3, "0,1,-1,i,-i,inf", 4, 1, 46, 3.13, "0,1,-1,2,-2,inf", 36, 4],
    [3, 3, "0,1,i,-i,inf", 3, 1, 33, 2.455, "0,1,-1,2,inf", 25, 3.24],
    [2, 5, "0,1,-1,i,-i,inf", 4, 1, 46, 2.174, "0,1,-1,2,-2,inf", 36, 2.778],
    [6, 3, "0,1,-1,i,-i,2,-2,inf", 6, 1, 78, 4.154, "0,1,-1,2,-2,1/2,-1/2,inf", 64, 5.063],
    [6, 3, "0,1,-1,i,-i,2i,-2i,inf", 4, 2, 88, 3.682, "0,1,-1,2,-2,1/2,-1/2,inf", 64, 5.063],
    [4, 5, "0,1,-1,i,-i,2,-2,inf", 6, 1, 78, 5.128, "0,1,-1,2,-2,1/2,-1/2,inf", 64, 6.25],
  ] as const;

  test.each(TABLE)("F(%i, %i) with %s: R=%i P=%i, %i products, %dx", (m, r, points, R, P, products, times, ...real) => {
    const [realPoints, realProducts, realTimes] = real;
    const complex = winograd({ m, r, points });
    const partner = conjugateRows(complex);
    const fixed = partner.filter((k, j) => k === j).length;
    expect([fixed, (partner.length - fixed) / 2]).toEqual([R, P]);
    expect(R * R + 6 * R * P + 6 * P * P).toBe(products);
    expect(countProducts(structure(complex)).products).toBe(products);
    // Unrounded, then as the notes print it, to three places.
    expect(reduction(complex)).toBe((m * r) ** 2 / products);
    expect(Number((reduction(complex) + 1e-9).toFixed(3))).toBe(times);
    const rational = winograd({ m, r, points: realPoints });
    expect(countProducts(structure(rational)).products).toBe(realProducts);
    expect(countProducts(structure(rational)).products).toBe(rational.n ** 2);
    expect(Number((reduction(rational) + 1e-9).toFixed(3))).toBe(realTimes);
  });
});

describe("the 46 products", () => {
  const algorithm = algorithmOf("f4x4-3x3-complex");
  const found = structure(algorithm);

  test("indices 0..5 are 0, 1, -1, i, -i, inf, and c swaps 3 and 4", () => {
    expect(algorithm.points.map(String)).toEqual(["0", "1", "-1", "i", "-i", "inf"]);
    expect(found.rowPartner).toEqual([0, 1, 2, 4, 3, 5]);
    expect(found.columnPartner).toEqual([0, 1, 2, 4, 3, 5]);
  });

  test("16 real entries: rows and columns in {0, 1, 2, 5}", () => {
    const wanted = [0, 1, 2, 5].flatMap((row) => [0, 1, 2, 5].map((column) => ({ row, column })));
    expect(found.real).toEqual(wanted);
  });

  test("the 10 pairs, each with its conjugate", () => {
    const pairs = found.pairs.map(({ row, column, conjugate: c }) => `(${row},${column})~(${c.row},${c.column})`);
    expect(pairs).toEqual([
      "(0,3)~(0,4)",
      "(1,3)~(1,4)",
      "(2,3)~(2,4)",
      "(5,3)~(5,4)",
      "(3,0)~(4,0)",
      "(3,1)~(4,1)",
      "(3,2)~(4,2)",
      "(3,5)~(4,5)",
      "(3,3)~(4,4)",
      "(3,4)~(4,3)",
    ]);
    expect(16 + 2 * 10).toBe(6 * 6);
  });

  test("k1 = c(a+b), k2 = a(d-c), k3 = b(c+d): Re = k1 - k3 and Im = k1 + k2 of V U, for any tile and filter", () => {
    const nested = nestedOf("f4x4-3x3-complex", { form: "scaled" });
    const { BT, G } = nested.vertical;
    const [left, right] = [inputPlanes(nested), filterPlanes(nested)];
    const values = (length: number): fc.Arbitrary<number[]> =>
      fc.array(fc.integer({ min: -128, max: 127 }), { minLength: length, maxLength: length });
    const square = (flat: readonly number[], side: number): Gaussian[][] =>
      Array.from({ length: side }, (_, y) => flat.slice(y * side, y * side + side).map((x) => Gaussian.of(x)));
    fc.assert(
      fc.property(values(36), values(9), (d, g) => {
        const V = product(product(BT, square(d, 6)), transpose(BT));
        const U = product(product(G, square(g, 3)), transpose(G));
        const v = apply(left, d);
        const k = apply(right, g).map((u, p) => u * v[p]! + 0);
        const at = (M: Matrix, { row, column }: { row: number; column: number }): Gaussian => M[row]![column]!;
        for (const [i, entry] of found.real.entries()) expect(k[i]).toBe(at(V, entry).mul(at(U, entry)).toNumber());
        for (const [i, pair] of found.pairs.entries()) {
          const [k1, k2, k3] = k.slice(16 + 3 * i, 19 + 3 * i) as [number, number, number];
          const M = at(V, pair).mul(at(U, pair));
          expect([k1 - k3, k1 + k2]).toEqual([Number(M.re), Number(M.im)]);
          // c, d-c and c+d are stored; of the tile only a+b is formed besides a and b.
          const [a, b] = [Number(at(V, pair).re), Number(at(V, pair).im)];
          const [c, e] = [Number(at(U, pair).re), Number(at(U, pair).im)];
          expect(v.slice(16 + 3 * i, 19 + 3 * i)).toEqual([a + b, a, b]);
          expect([k1, k2, k3]).toEqual([c * (a + b), a * (e - c), b * (c + e)].map((x) => x + 0));
        }
      }),
      { numRuns: 10 },
    );
  });

  test("46 stored filter values a pair of channels, 46 multiply-accumulates a tile; recombined once an output channel", () => {
    const found46 = transforms(nestedOf("f4x4-3x3-complex"));
    const layer = (ic: number) => ({ height: 6, width: 6, ic, oc: 2 });
    const run = (ic: number) => {
      const x = int8Values(ic, 36 * ic);
      const w = int8Values(ic + 1, 2 * 9 * ic, -127);
      return runCounted(found46, layer(ic), x, w).counts;
    };
    const [one, seven] = [run(1), run(7)];
    expect(one.multiplications).toBe(46 * 2);
    expect(seven.multiplications).toBe(46 * 7 * 2);
    // k1, k2 and k3 are summed over channels apart from each other: 46 sums, whatever the channels.
    expect(seven.accumulations).toBe(46 * 6 * 2);
    expect(seven.bytes.products).toBe(one.bytes.products);
    expect(seven.bytes.transformedFilters).toBe(2 * 46 * 7 * 2);
    expect(seven.output).toEqual(one.output);
    expect(predictCounts(found46, layer(7))).toEqual(seven);
  });
});
