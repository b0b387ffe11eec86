import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { winograd } from "../../src/winograd/algorithm.ts";
import { algorithmOf, nestedOf } from "../../src/winograd/catalogue.ts";
import { predictCounts, runCounted, runDirect } from "../../src/winograd/counting.ts";
import { nest } from "../../src/winograd/nested.ts";
import { transforms } from "../../src/winograd/transforms.ts";
import { int8Values } from "../_helpers/kernels.ts";

const layers = fc.record({
  height: fc.integer({ min: 5, max: 12 }),
  width: fc.integer({ min: 5, max: 12 }),
  ic: fc.integer({ min: 1, max: 4 }),
  oc: fc.integer({ min: 1, max: 4 }),
});

const EXACT = [
  nestedOf("f2x2-3x3"),
  nestedOf("f4x4-3x3-rational"),
  nestedOf("f4x4-3x3-complex"),
  nestedOf("f4x4-3x3-complex", { form: "row-normalised", doubling: "filter" }),
  nestedOf("f2x2-5x5-complex"),
  nest({
    vertical: algorithmOf("f4x4-3x3-complex"),
    horizontal: winograd({ m: 3, r: 5, points: "0,1,-1,i,-i,2,inf" }),
  }),
];

test("counts of a run equal the formulas, results equal direct convolution", () => {
  fc.assert(
    fc.property(fc.constantFrom(...EXACT), layers, fc.nat(), (nested, layer, seed) => {
      const found = transforms(nested);
      const { height, width, ic, oc } = layer;
      const kernel = [nested.vertical.algorithm.r, nested.horizontal.algorithm.r] as const;
      const x = int8Values(seed, height * width * ic);
      const w = int8Values(seed + 1, oc * kernel[0] * kernel[1] * ic, -127);
      const run = runCounted(found, layer, x, w);
      const direct = runDirect(layer, kernel, x, w);
      expect(run.output).toEqual(direct.output);
      expect(run.counts).toEqual(predictCounts(found, layer));
      const taps = kernel[0] * kernel[1] * ic;
      expect(direct.counts).toEqual({
        multiplications: direct.output.length * taps,
        accumulations: direct.output.length * (taps - 1),
      });
    }),
    { numRuns: 30 },
  );
});

describe("a layer of whole tiles", () => {
  const layer = { height: 18, width: 34, ic: 3, oc: 5 };
  const x = int8Values(1, layer.height * layer.width * layer.ic);
  const w = int8Values(2, layer.oc * 9 * layer.ic, -127);
  const direct = runDirect(layer, [3, 3], x, w);

  test("3.1304 times fewer multiplications by the complex algorithm, 4 by the rational, 2.25 by F(2x2)", () => {
    const times = (["f4x4-3x3-complex", "f4x4-3x3-rational", "f2x2-3x3"] as const).map((id) => {
      const { counts } = runCounted(transforms(nestedOf(id)), layer, x, w);
      return direct.counts.multiplications / counts.multiplications;
    });
    expect(times.map((t) => Number(t.toFixed(4)))).toEqual([3.1304, 4, 2.25]);
  });

  test("adds, shifts and bytes of the complex algorithm", () => {
    const { counts } = runCounted(transforms(nestedOf("f4x4-3x3-complex")), layer, x, w);
    const tiles = 4 * 8;
    expect(counts.input).toEqual({ adds: 110 * tiles * 3, shifts: 0, constants: 0 });
    expect(counts.output).toEqual({ adds: 104 * tiles * 5, shifts: 20 * tiles * 5, constants: 0 });
    expect(counts.filter).toEqual({ adds: 60 * 15, shifts: 18 * 15, constants: 0 });
    expect(counts.rescale).toEqual({ adds: 0, shifts: 16 * tiles * 5, constants: 0 });
    expect(counts.bytes).toEqual({
      transformedInput: 92 * tiles * 3,
      transformedFilters: 92 * 15,
      products: 184 * tiles * 5,
    });
  });
});

test("a kernel larger than the input is refused", () => {
  const found = transforms(nestedOf("f2x2-3x3"));
  const layer = { height: 2, width: 9, ic: 1, oc: 1 };
  expect(() => runCounted(found, layer, new Int8Array(18), new Int8Array(9))).toThrow(
    "layer: a 3x3 kernel needs more than 2x9",
  );
});
