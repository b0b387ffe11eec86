import { describe, expect, test } from "vitest";
import type { AlgorithmId } from "../../src/winograd/catalogue.ts";
import { algorithmOf, CATALOGUE } from "../../src/winograd/catalogue.ts";
import { type Claim, claimNumbers, claims } from "../../src/winograd/report.ts";
import { algorithmTable, directLimit } from "../../src/winograd/summary.ts";

const claim = (id: Claim["id"], ...evidence: Parameters<typeof claims>): Claim =>
  claims(...evidence).find((c) => c.id === id)!;

describe("the claims of the paper", () => {
  test("3.13x", () => {
    expect(claim("reduction")).toMatchObject({ paper: "3.13x", computed: 3.1304, status: "reproduced" });
  });

  test("17.37 % = 3.13 / 12 bits against 4.00 / 18 bits", () => {
    expect(claimNumbers()).toMatchObject({ complexBits: 12, rationalBits: 18, rationalReduction: 4 });
    expect(claim("efficiency")).toMatchObject({
      paper: "17.37 %",
      computed: 17.375,
      status: "reproduced under a stated reading",
    });
    expect(claim("efficiency").definition).toContain("unrounded it is 17.39 %");
  });

  test("by the same measure F(2x2) is beaten by 39.1 %, so the claim cannot be about it", () => {
    const { complexBits } = claimNumbers();
    const bits = algorithmTable().find(({ title }) => title === "F(2x2,3x3)")!.filter.bits;
    expect((3.13 * bits) / (2.25 * complexBits) - 1).toBeCloseTo(0.391, 3);
  });

  test("30.77 % = 4 / 13", () => {
    expect(claimNumbers()).toMatchObject({ doubledBits: 13, scaleBits: 4 });
    expect(claim("filter-width")).toMatchObject({ computed: 30.77, status: "reproduced under a stated reading" });
  });

  test("accuracy needs evidence, and may fail", () => {
    expect(claim("accuracy")).toMatchObject({ computed: null, status: "not determinable" });
    const evidence = { scheme: "9 bits per tap", losses: { Set5: 0.01, Set14: 0.02 }, tolerance: 0.05 };
    expect(claim("accuracy", evidence)).toMatchObject({ computed: 0.02, status: "reproduced under a stated reading" });
    expect(claim("accuracy", { ...evidence, tolerance: 0.01 }).status).toBe("not reproduced under a stated reading");
  });
});

test("the table of algorithms", () => {
  const rows = algorithmTable().map((s) => [
    `${s.title} ${s.formName}`,
    s.products,
    Number(s.reduction.toFixed(3)),
    s.filter.bits,
    s.fitsInt16 ? s.channels.oddUndone : 0,
  ]);
  expect(rows).toEqual([
    ["F(2x2,3x3) 2G", 16, 2.25, 12, 3669],
    ["F(4x4,3x3) rational Gn", 36, 4, 14, 229],
    ["F(4x4,3x3) rational odd Gn", 36, 4, 14, 229],
    ["F(4x4,3x3) rational 24G", 36, 4, 18, 0],
    ["F(4x4,3x3) complex 4G", 46, 3.13, 12, 917],
    ["F(4x4,3x3) rational with 1/2 30G", 36, 4, 16, 3669],
    ["F(3x3,3x3) complex 4G", 33, 2.455, 14, 917],
    ["F(2x2,5x5) rational Gn", 36, 2.778, 18, 0],
    ["F(2x2,5x5) rational 24G", 36, 2.778, 18, 0],
    ["F(2x2,5x5) complex 4G", 46, 2.174, 13, 330],
    ["F(6x6,3x3) rational Gn", 64, 5.063, 14, 0],
    ["F(6x6,3x3) complex, one pair Gn", 78, 4.154, 14, 0],
    ["F(6x6,3x3) complex, two pairs Gn", 88, 3.682, 14, 0],
    ["F(4x4,5x5) complex Gn", 78, 5.128, 18, 0],
  ]);
  expect(directLimit("f4x4-3x3-complex")).toBe(14_678);
});

test("the catalogue is looked up by name", () => {
  expect(algorithmOf(CATALOGUE[0].id)).toBe(algorithmOf("f2x2-3x3"));
  expect(() => algorithmOf("f9x9" as AlgorithmId)).toThrow(/^algorithm: expected one of f2x2-3x3, .*, got f9x9$/);
});
