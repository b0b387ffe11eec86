import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { residualMass } from "../../src/models/residual-blocks.ts";
import { blockMass, cellDensity, cellMass, denseMass, skipChannels } from "../../src/ran/nn-mass.ts";

/** A cell's density by counting one possible connection after the other. */
function countedDensity(width: number, depth: number, maxSkips: number): number {
  let [taken, possible] = [0, 0];
  for (let l = 2; l < depth; l++) {
    let left = maxSkips;
    for (let earlier = 0; earlier <= l - 2; earlier++) {
      for (let channel = 0; channel < width; channel++) {
        possible++;
        if (left-- > 0) taken++;
      }
    }
  }
  return taken / possible;
}

const cell = fc.record({
  width: fc.integer({ min: 1, max: 20 }),
  depth: fc.integer({ min: 3, max: 20 }),
  maxSkips: fc.integer({ min: 0, max: 500 }),
});

describe("RAN's NN-Mass", () => {
  test("counts every block's width twice", () => {
    expect(
      blockMass([
        { depth: 3, width: 96 },
        { depth: 1, width: 7 },
      ]),
    ).toBe(2 * (3 * 96 + 7));
    expect(blockMass([])).toBe(0);
  });
});

describe("the parent's NN-Mass", () => {
  test.each([
    [8, 8, 10, 0.345238, 22.0952],
    [8, 8, 48, 1, 64],
    [8, 8, 1000, 1, 64],
    [16, 32, 10, 0.0403226, 20.6452],
  ])(
    "width %i, depth %i, at most %i skips: the values that its authors' code gives",
    (width, depth, maxSkips, density, mass) => {
      expect(cellDensity({ width, depth, maxSkips })).toBeCloseTo(density, 6);
      expect(cellMass({ width, depth, maxSkips })).toBeCloseTo(mass, 4);
    },
  );

  test("the density is the share of the connections counted one by one", () => {
    fc.assert(
      fc.property(cell, (c) => {
        expect(cellDensity(c)).toBeCloseTo(countedDensity(c.width, c.depth, c.maxSkips), 12);
      }),
    );
  });

  test("a layer has mass (d-1) / (2d) skips on average, about half of the mass", () => {
    fc.assert(
      fc.property(cell, (c) => {
        const mean = skipChannels(c).reduce((sum, n) => sum + n, 0) / (c.depth - 2);
        expect(mean).toBeCloseTo((cellMass(c) * (c.depth - 1)) / (2 * c.depth), 9);
      }),
    );
  });

  test("grows with the skips from 0 to width times depth, and adds up over cells", () => {
    fc.assert(
      fc.property(cell, ({ width, depth, maxSkips }) => {
        const mass = cellMass({ width, depth, maxSkips });
        expect(cellMass({ width, depth, maxSkips: maxSkips + 1 })).toBeGreaterThanOrEqual(mass);
        expect(mass).toBeLessThanOrEqual(width * depth * (1 + 1e-12));
        expect(
          denseMass([
            { width, depth, maxSkips },
            { width, depth, maxSkips: 0 },
          ]),
        ).toBe(mass);
      }),
    );
  });

  test.each([
    [{ width: 0, depth: 8, maxSkips: 1 }, "width: expected an integer from 1, got 0"],
    [{ width: 8, depth: 2, maxSkips: 1 }, "depth: expected an integer from 3, got 2"],
    [{ width: 8, depth: 8, maxSkips: 1.5 }, "maxSkips: expected an integer from 0, got 1.5"],
  ])("refuses %o", (bad, message) => {
    expect(() => cellMass(bad)).toThrow(message);
  });

  test("residual blocks", () => {
    expect(residualMass({ kind: "basic", input: 64, output: 128 })).toBe(192);
    expect(residualMass({ kind: "bottleneck", input: 256, bottleneck: 64 })).toBeCloseTo((384 * 256) / 576, 12);
    const inverted = { kind: "inverted", input: 24, expanded: 144, output: 24, stride: 1 } as const;
    expect(residualMass(inverted)).toBeCloseTo((312 * 24) / 192, 12);
    expect(residualMass({ ...inverted, stride: 2 })).toBe(0);
    expect(residualMass({ ...inverted, output: 32 })).toBe(0);
  });
});
