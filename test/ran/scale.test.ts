import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ConvNextSizes, sizesOf, VARIANTS } from "../../src/models/convnext-sizes.ts";
import type { InputSize } from "../../src/models/family.ts";
import { countMacs, massOf, measure } from "../../src/ran/ran-i.ts";
import { estimate, scaleBy, scaleTo } from "../../src/ran/scale.ts";

const INPUT: InputSize = [224, 224];
const blocks = ({ depths }: ConvNextSizes): number => depths.reduce((sum, n) => sum + n, 0);

/** Every network that multipliers on a fine grid give, with at least 8 channels at first: a slow stand-in for the exact search. */
const GRID: readonly ConvNextSizes[] = (() => {
  const found = new Map<string, ConvNextSizes>();
  const widths = Array.from({ length: 400 }, (_, i) => (128.5 + i) / 1536);
  for (let depth = 0.17; depth < 4; depth += 0.02) {
    for (const width of widths) {
      const sizes = sizesOf({ width, depth });
      found.set(JSON.stringify(sizes), sizes);
    }
  }
  return [...found.values()];
})();

const multipliers = fc.record({
  width: fc.double({ min: 0.1, max: 3, noNaN: true }),
  depth: fc.double({ min: 0.2, max: 6, noNaN: true }),
});

describe("from multipliers", () => {
  test.each(VARIANTS.filter((v) => v.multipliers !== undefined))(
    "$id by its own",
    ({ multipliers: own, depths, dims }) => {
      expect(scaleBy(own!)).toMatchObject({ multipliers: own, depths, dims, input: [224, 224] });
    },
  );

  test("ratios are of ConvNeXt-T's counts at the same input", () => {
    expect(scaleBy({ width: 1, depth: 1 }, [96, 160]).ratios).toEqual({ params: 1, macs: 1, nnMass: 1 });
    const { ratios } = scaleBy({ width: 0.666, depth: 1.65 });
    expect(ratios.nnMass).toBeCloseTo(1.1104, 4);
    expect(ratios.macs).toBeCloseTo(0.7372, 4);
  });
});

describe("the rule", () => {
  test("fits mass and cost of a network that grows as depth x width and depth x width^2", () => {
    fc.assert(
      fc.property(multipliers, ({ width, depth }) => {
        const found = estimate({ macs: depth * width ** 2, nnMass: depth * width });
        expect(found.width).toBeCloseTo(width, 9);
        expect(found.depth).toBeCloseTo(depth, 9);
      }),
    );
  });
});

describe("the search", () => {
  test.each(VARIANTS.filter((v) => v.multipliers !== undefined))(
    "for the cost and mass of $id returns it, with its multipliers",
    (variant) => {
      const { macs, nnMass } = measure(variant, INPUT);
      const { depths, dims, multipliers: own } = variant;
      expect(scaleTo({ macs, nnMass })).toMatchObject({ depths, dims, multipliers: own, macs, nnMass });
    },
  );

  test("3.3 G and 14,700 are RAN-i-T", () => {
    expect(scaleTo({ macs: 3.3e9, nnMass: 14_700 })).toMatchObject({
      depths: [5, 5, 15, 5],
      dims: [64, 128, 256, 511],
    });
  });

  test("for the cost and mass of any scaled network: within both, in no more blocks, by multipliers that say so", () => {
    fc.assert(
      fc.property(multipliers, fc.constantFrom<InputSize>([224, 224], [64, 96], [33, 320]), (scaled, input) => {
        const wanted = measure(sizesOf(scaled), input);
        const found = scaleTo({ macs: wanted.macs, nnMass: wanted.nnMass, input });
        expect(found.macs).toBeLessThanOrEqual(wanted.macs);
        expect(found.nnMass).toBeGreaterThanOrEqual(wanted.nnMass);
        // A tie of the rounding, which the search leaves out, may have fewer; none is drawn here.
        expect(blocks(found)).toBeLessThanOrEqual(blocks(wanted));
        expect(found).toMatchObject(sizesOf(found.multipliers));
        expect(found).toMatchObject(measure(found, input));
      }),
    );
  });

  test("no network of the grid beats it: none of fewer blocks is within both, none of its depths is narrower", () => {
    const counted = GRID.map((sizes) => ({ sizes, macs: countMacs(sizes, INPUT), nnMass: massOf(sizes) }));
    fc.assert(
      fc.property(
        fc.double({ min: 2e8, max: 1e9, noNaN: true }),
        fc.integer({ min: 300, max: 6000 }),
        (macs, nnMass) => {
          const within = counted.filter((c) => c.macs <= macs && c.nnMass >= nnMass);
          if (within.length === 0) return;
          const found = scaleTo({ macs, nnMass });
          for (const { sizes, nnMass: mass } of within) {
            expect(blocks(sizes)).toBeGreaterThanOrEqual(blocks(found));
            if (sizes.depths.join() === found.depths.join()) expect(mass).toBeGreaterThanOrEqual(found.nnMass);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("a budget that nothing meets: the error names the least that does, and that one does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50_000 }), (nnMass) => {
        let message = "";
        try {
          scaleTo({ macs: 1, nnMass });
        } catch (error) {
          message = (error as Error).message;
        }
        const [, least] = /^macs: expected at least ([\d,]+) for an NN-Mass of [\d,]+ at 224x224, got 1$/.exec(
          message,
        )!;
        const macs = Number(least!.replaceAll(",", ""));
        expect(scaleTo({ macs, nnMass })).toMatchObject({ macs });
        expect(() => scaleTo({ macs: macs - 1, nnMass })).toThrow(`at least ${least} for`);
        for (const sizes of GRID) {
          if (massOf(sizes) >= nnMass) expect(countMacs(sizes, INPUT)).toBeGreaterThanOrEqual(macs);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("the smallest and the largest target", () => {
    expect(scaleTo({ macs: 1e12, nnMass: 1 })).toMatchObject({ depths: [1, 1, 2, 1], dims: [8, 16, 32, 64] });
    expect(scaleTo({ macs: 1e14, nnMass: 1e6 }).nnMass).toBeGreaterThanOrEqual(1e6);
    expect(() => scaleTo({ macs: 1, nnMass: 1e6 })).toThrow("macs: expected at least");
  });

  test.each([
    [{ macs: 0, nnMass: 1 }, "macs: expected a positive number, got 0"],
    [{ macs: Number.POSITIVE_INFINITY, nnMass: 1 }, "macs: expected a positive number, got Infinity"],
    [{ macs: 1e9, nnMass: Number.NaN }, "nnMass: expected a positive number up to 1,000,000, got NaN"],
    [{ macs: 1e9, nnMass: 1e6 + 1 }, "nnMass: expected a positive number up to 1,000,000, got 1000001"],
    [{ macs: 1e9, nnMass: 1, input: [16, 224] as const }, "input height: expected an integer from 32, got 16"],
  ])("refuses %o", (target, message) => {
    expect(() => scaleTo(target)).toThrow(message);
  });
});
