import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WasmogradError } from "../../src/errors.ts";
import { conjugateRows, isCorrelation, parsePoints, winograd } from "../../src/winograd/algorithm.ts";
import { Gaussian } from "../../src/winograd/gaussian.ts";
import { integerForm, inverseModulo32, resultScale } from "../../src/winograd/integer-form.ts";
import { denominator, type Matrix } from "../../src/winograd/matrix.ts";

const text = (matrix: Matrix): string[] => matrix.map((row) => row.join(" "));

describe("the matrices printed in the reference notes, section 1", () => {
  test("F(2x2,3x3)", () => {
    const form = integerForm(winograd({ m: 2, r: 3, points: "0,1,-1,inf" }), "scaled");
    expect(form.scale).toBe(2n);
    expect(text(form.AT)).toEqual(["1 1 1 0", "0 1 -1 1"]);
    expect(text(form.G)).toEqual(["2 0 0", "1 1 1", "1 -1 1", "0 0 2"]);
    expect(text(form.BT)).toEqual(["1 0 -1 0", "0 1 1 0", "0 -1 1 0", "0 -1 0 1"]);
    expect(resultScale(form).scale).toBe(4n);
  });

  test("F(4x4,3x3) rational, row-normalised", () => {
    const algorithm = winograd({ m: 4, r: 3, points: "0,1,-1,2,-2,inf" });
    const form = integerForm(algorithm, "row-normalised");
    expect(text(algorithm.AT)).toEqual(["1 1 1 1 1 0", "0 1 -1 2 -2 0", "0 1 1 4 4 0", "0 1 -1 8 -8 1"]);
    expect(text(form.G)).toEqual(["1 0 0", "1 1 1", "1 -1 1", "1 2 4", "1 -2 4", "0 0 1"]);
    expect(text(form.BT)).toEqual([
      "4 0 -5 0 1 0",
      "0 -4 -4 1 1 0",
      "0 4 -4 -1 1 0",
      "0 -2 -1 2 1 0",
      "0 2 -1 -2 1 0",
      "0 4 0 -5 0 1",
    ]);
    expect(form.scale).toBe(24n);
    expect(form.diagonal.join(" ")).toBe("6 -4 -4 1 1 24");
    expect(text(form.AT)[3]).toBe("0 -4 4 8 -8 24");
    const scaled = integerForm(algorithm, "scaled");
    expect(text(scaled.AT)).toEqual(text(algorithm.AT));
    expect(text(scaled.G)).toEqual(text(algorithm.G.map((row) => row.map((z) => z.mul(Gaussian.of(24))))));
    expect(resultScale(form)).toEqual({ scale: 576n, shift: 6, odd: 9n, inverse: 954437177 });
    expect(954437177).toBe(0x38e38e39);
  });

  test("F(4x4,3x3) complex, the paper's algorithm", () => {
    const form = integerForm(winograd({ m: 4, r: 3, points: "0,1,-1,i,-i,inf" }), "scaled");
    expect(form.scale).toBe(4n);
    expect(text(form.AT)).toEqual(["1 1 1 1 1 0", "0 1 -1 i -i 0", "0 1 1 -1 -1 0", "0 1 -1 -i i 1"]);
    expect(text(form.G)).toEqual(["4 0 0", "1 1 1", "1 -1 1", "1 i -1", "1 -i -1", "0 0 4"]);
    expect(text(form.BT)).toEqual([
      "1 0 0 0 -1 0",
      "0 1 1 1 1 0",
      "0 -1 1 -1 1 0",
      "0 -i -1 i 1 0",
      "0 i -1 -i 1 0",
      "0 -1 0 0 0 1",
    ]);
    expect(resultScale(form).scale).toBe(16n);
    const normalised = integerForm(form.algorithm, "row-normalised");
    expect(text(normalised.G)).toEqual(["1 0 0", "1 1 1", "1 -1 1", "1 i -1", "1 -i -1", "0 0 1"]);
    expect(text(normalised.AT)).toEqual(["4 1 1 1 1 0", "0 1 -1 i -i 0", "0 1 1 -1 -1 0", "0 1 -1 -i i 4"]);
  });
});

const DENOMINATORS = [
  [3, 3, "0,1,-1,2,inf", 6n, 1n],
  [3, 3, "0,1,i,-i,inf", 4n, 1n],
  [6, 3, "0,1,-1,2,-2,1/2,-1/2,inf", 90n, 4n],
  [6, 3, "0,1,-1,i,-i,2,-2,inf", 120n, 1n],
] as const;

test.each(DENOMINATORS)("F(%i, %i) with points %s: denominators of G %d and of B^T %d", (m, r, points, ofG, ofBT) => {
  const { G, BT } = winograd({ m, r, points });
  expect(denominator(G.flat())).toBe(ofG);
  expect(denominator(BT.flat())).toBe(ofBT);
});

/** Points of which no two are equal, closed under conjugation, with or without infinity. */
const pointSets = fc
  .record({
    real: fc.uniqueArray(
      fc
        .tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 1, max: 3 }))
        .map(([a, d]) => String(Gaussian.of(a, 0, d))),
      { minLength: 1, maxLength: 4 },
    ),
    complex: fc.uniqueArray(
      fc
        .tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }))
        .map(([a, b, d]) => String(Gaussian.of(a, b, d))),
      { maxLength: 2 },
    ),
    infinity: fc.boolean(),
  })
  .map(({ real, complex, infinity }) => [
    ...(infinity ? ["inf"] : []),
    ...complex,
    ...real,
    ...complex.map((z) => String(Gaussian.parse(z).conj())),
  ]);

test("any points give a correlation, and so do both integer forms, up to their scale", () => {
  fc.assert(
    fc.property(pointSets, fc.nat(), (points, pick) => {
      const n = points.length;
      const m = 1 + (pick % n);
      const algorithm = winograd({ m, r: n - m + 1, points });
      expect(isCorrelation(algorithm)).toBe(true);
      for (const kind of ["scaled", "row-normalised"] as const) {
        const { AT, G, BT, scale } = integerForm(algorithm, kind);
        expect([...AT, ...G, ...BT].flat().every((z) => z.isInteger())).toBe(true);
        const unscaled = G.map((row) => row.map((z) => z.div(Gaussian.of(scale))));
        expect(isCorrelation({ ...algorithm, AT, G: unscaled, BT })).toBe(true);
        expect(conjugateRows({ AT, G, BT })).toEqual(conjugateRows(algorithm));
      }
    }),
    { numRuns: 60 },
  );
});

describe("points", () => {
  test("infinity is put last, wherever it was given", () => {
    expect(parsePoints("inf,0,1,-1").map(String)).toEqual(["0", "1", "-1", "inf"]);
    expect(parsePoints(["0", Gaussian.ONE, "∞"]).map(String)).toEqual(["0", "1", "inf"]);
  });

  test.each([
    [{ m: 2, r: 3, points: "0,1,1,inf" }, "points: 1 is repeated"],
    [{ m: 2, r: 3, points: "0,1/2,2/4,inf" }, "points: 1/2 is repeated"],
    [{ m: 2, r: 3, points: "inf,0,1,inf" }, "points: inf is repeated"],
    [{ m: 2, r: 3, points: "0,1,i,inf" }, "points: i needs its conjugate -i"],
    [{ m: 4, r: 3, points: "0,1+i,1-2i,1-i,1,inf" }, "points: 1-2i needs its conjugate 1+2i"],
    [{ m: 4, r: 3, points: "0,1,-1,inf" }, "points: F(4, 3) needs 4 + 3 - 1 = 6, got too few: 4"],
    [{ m: 2, r: 3, points: "0,1,-1,2,inf" }, "points: F(2, 3) needs 2 + 3 - 1 = 4, got too many: 5"],
    [{ m: 2, r: 3, points: "0,1,one,inf" }, 'point: expected a number such as 0, -1, 1/2, i, 1+i or inf, got "one"'],
    [{ m: 0, r: 3, points: "0,1" }, "m: expected an integer from 1 to 12, got 0"],
    [{ m: 2, r: 13, points: "0,1" }, "r: expected an integer from 1 to 12, got 13"],
    [{ m: 1.5, r: 3, points: "0,1" }, "m: expected an integer from 1 to 12, got 1.5"],
  ])("%j is refused by name", (spec, message) => {
    expect(() => winograd(spec)).toThrow(new WasmogradError("ERR_ARGUMENT", message));
  });

  test("matrices that are not of conjugate points have no structure", () => {
    const { AT, G, BT } = winograd({ m: 2, r: 3, points: "0,i,-i,inf" });
    expect(() => conjugateRows({ AT, G, BT: [BT[0]!, BT[1]!, BT[1]!, BT[3]!] })).toThrow(
      "matrices: row 1 has no conjugate row",
    );
  });
});

test("inverses modulo 2^32", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 33n }), (k) => {
      const odd = 2n * k + 1n;
      expect(BigInt.asUintN(32, odd * BigInt(inverseModulo32(odd)))).toBe(1n);
    }),
  );
});
