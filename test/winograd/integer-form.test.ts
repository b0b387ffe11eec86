import { describe, expect, test } from "vitest";
import { winograd } from "../../src/winograd/algorithm.ts";
import { CATALOGUE, nestedOf } from "../../src/winograd/catalogue.ts";
import { channelLimits, growth, planeLimits } from "../../src/winograd/growth.ts";
import { integerForm } from "../../src/winograd/integer-form.ts";
import { isExact, nest } from "../../src/winograd/nested.ts";
import { countTransforms, transforms } from "../../src/winograd/transforms.ts";

const FORMS = ["scaled", "row-normalised", "split"] as const;

describe("integer forms", () => {
  test.each(CATALOGUE.map(({ id }) => id))("%s is exact in every form, and the scale is the same", (id) => {
    const scales = FORMS.map((form) => {
      const nested = nestedOf(id, { form });
      expect(isExact(nested), form).toBe(true);
      return nested.result.scale;
    });
    expect(new Set(scales).size).toBe(1);
  });

  // Pairs whose weights are not real.
  test.each([
    [3, "0,1,i,-i,inf"],
    [4, "0,1,-1,2i,-2i,inf"],
    [4, "0,1,-1,1+i,1-i,inf"],
    [4, "0,1,-1,1/2+i,1/2-i,inf"],
  ])("F(%d, 3) with points %s too", (m, points) => {
    const vertical = winograd({ m, r: 3, points });
    for (const form of FORMS) expect(isExact(nest({ vertical, form })), form).toBe(true);
  });

  test("the split form of rational F(4,3) needs no constant products, and its filters are no wider", () => {
    const split = nestedOf("f4x4-3x3-rational", { form: "split" });
    const normalised = nestedOf("f4x4-3x3-rational", { form: "row-normalised" });
    expect(countTransforms(transforms(normalised)).output.constants).toBe(20);
    expect(countTransforms(transforms(split)).output).toEqual({ adds: 100, shifts: 70, constants: 0 });
    expect(growth(split).filter).toEqual(growth(normalised).filter);
    const { algorithm } = split.vertical;
    const share = (j: number): string => String(integerForm(algorithm, "split").G[j]!.find((z) => !z.isZero()));
    expect([0, 1, 2, 3, 4, 5].map(share)).toEqual(["3", "1", "1", "1", "1", "3"]);
  });

  test("points 1/2 and -2: both factors fit int16, and only 4 Y must fit int32", () => {
    const half = nestedOf("f4x4-3x3-half", { form: "scaled" });
    expect(half.result).toMatchObject({ scale: 900n, shift: 2, odd: 225n });
    expect(Number((225n * BigInt(half.result.inverse)) % 2n ** 32n)).toBe(1);
    const { input, filter, largestProduct, fitsInt16 } = growth(half);
    expect([input.largest, filter.largest, fitsInt16]).toEqual([24_990, 28_575, true]);
    // Two such products, as the dot instruction adds them, stay inside int32.
    expect(2 * largestProduct).toBeLessThan(2 ** 31);
    expect(channelLimits(half).oddUndone).toBe(3669);
  });
});

test("the channels of an algorithm are those of its tightest plane", () => {
  for (const { id } of CATALOGUE) {
    const nested = nestedOf(id);
    expect(Math.min(...planeLimits(nested))).toBe(channelLimits(nested).noWrap);
  }
});
