/**
 * Section 4 of the reference notes, what growth.test.ts does not already hold: bounds that the notes call "at most" shown to be reached,
 * the widths that decide what fits int16, and F(6x6,3x3). Figures are those of the notes, which mark them as derived there.
 */
import { describe, expect, test } from "vitest";
import { type AlgorithmId, algorithmOf, nestedOf } from "../../src/winograd/catalogue.ts";
import { bits, type Factor, gain, growth, INT8, NINE_BITS, reach, SYMMETRIC_INT8 } from "../../src/winograd/growth.ts";
import type { FormKind } from "../../src/winograd/integer-form.ts";
import { denominator } from "../../src/winograd/matrix.ts";
import { inputPlanes, type Nested } from "../../src/winograd/nested.ts";
import type { Plane } from "../../src/winograd/structure.ts";

/** The largest gain and width among the planes whose factor has this name. */
function worst(nested: Nested, side: "left" | "right", name: Plane["left"] | Plane["right"]): [number, number] {
  const found = growth(nested);
  const factors: readonly Factor[] = side === "left" ? found.inputs : found.filters;
  const named = factors.filter((_, p) => nested.planes[p]![side] === name);
  return [Math.max(...named.map((f) => f.gain)), Math.max(...named.map((f) => f.bits))];
}

describe("Karatsuba sums of complex F(4x4,3x3)", () => {
  const [scaled, normalised] = (["scaled", "row-normalised"] as const).map((form) =>
    nestedOf("f4x4-3x3-complex", { form }),
  ) as [Nested, Nested];

  test("a+b reaches gain 16 and 12 bits, as the real taps do; a and b reach half of it", () => {
    expect(worst(scaled, "left", "v")).toEqual([16, 12]);
    expect(worst(scaled, "left", "a+b")).toEqual([16, 12]);
    expect([worst(scaled, "left", "a")[0], worst(scaled, "left", "b")[0]]).toEqual([8, 8]);
  });

  test("c+d and d-c reach gain 9 row-normalised and 12 in the 4G form, both 12 bits", () => {
    for (const name of ["d-c", "c+d"] as const) {
      expect(worst(normalised, "right", name)).toEqual([9, 12]);
      expect(worst(scaled, "right", name)).toEqual([12, 12]);
    }
  });

  test("no wider than without the sums", () => {
    for (const nested of [scaled, normalised]) {
      const { input, filter } = growth(nested);
      expect([input.bits, filter.bits]).toEqual([worst(nested, "left", "v")[1], worst(nested, "right", "u")[1]]);
    }
  });
});

/** Form, widest operand, and what the notes conclude: everything fits int16 but 24G, with int8 and with 9-bit values. */
const WIDTHS: [AlgorithmId, FormKind, boolean, boolean][] = [
  ["f2x2-3x3", "scaled", true, true],
  ["f4x4-3x3-rational", "scaled", false, false],
  ["f4x4-3x3-rational", "row-normalised", true, true],
  ["f4x4-3x3-complex", "scaled", true, true],
  ["f4x4-3x3-complex", "row-normalised", true, true],
];

test.each(WIDTHS)("%s, %s: fits int16 %s, with 9-bit values %s", (id, form, int8, nine) => {
  const nested = nestedOf(id, { form });
  expect(growth(nested).fitsInt16).toBe(int8);
  expect(growth(nested, { input: NINE_BITS, filter: NINE_BITS }).fitsInt16).toBe(nine);
});

test("uint8 less a zero point is a 9-bit value, int8 an 8-bit one, with or without -128", () => {
  expect([NINE_BITS, INT8, SYMMETRIC_INT8].map(bits)).toEqual([9, 8, 8]);
});

describe("F(6x6,3x3)", () => {
  test("rational: B^T with denominators of 4 and row gains up to 15, 225 in two dimensions", () => {
    const { BT } = algorithmOf("f6x6-3x3-rational");
    expect(denominator(BT.flat())).toBe(4n);
    const rows = BT.map((row) => row.map((z) => Number(z.re) / Number(z.den)));
    const two = rows.flatMap((a) => rows.map((b) => gain(a.flatMap((x) => b.map((y) => x * y)))));
    expect(Math.max(...rows.map(gain))).toBe(15);
    expect(Math.max(...two)).toBe(225);
  });

  test("rational: over int16 once the denominators are cleared, in either form", () => {
    for (const form of ["scaled", "row-normalised"] as const) {
      const { input, fitsInt16 } = growth(nestedOf("f6x6-3x3-rational", { form }));
      expect(input.largest).toBeGreaterThan(2 ** 15);
      expect(fitsInt16).toBe(false);
    }
    // The rows of gain 15 have halves only, so 30 either way: 900 where both meet, already too much.
    const nested = nestedOf("f6x6-3x3-rational");
    const steep = nested.vertical.algorithm.BT.flatMap((row, j) =>
      gain(row.map((z) => Number(z.re) / Number(z.den))) === 15 ? [j] : [],
    );
    const { inputs } = growth(nested);
    const both = inputs.filter(
      (_, p) => steep.includes(nested.planes[p]!.row) && steep.includes(nested.planes[p]!.column),
    );
    expect(both).toHaveLength(steep.length ** 2);
    for (const factor of both) {
      expect(factor.gain).toBe(900);
      expect(factor.bits).toBeGreaterThan(16);
    }
  });

  test("complex with +-2: Karatsuba sums of gain 400, over int16; without them it would fit", () => {
    const nested = nestedOf("f6x6-3x3-complex");
    expect(worst(nested, "left", "a+b")).toEqual([400, 17]);
    expect(400 * 127).toBeGreaterThan(2 ** 15 - 1);
    const others = nested.planes.flatMap(({ left }, p) => (left === "a+b" ? [] : [inputPlanes(nested)[p]!]));
    expect(Math.max(...others.map((row) => bits(reach(row, INT8))))).toBeLessThanOrEqual(16);
  });
});
