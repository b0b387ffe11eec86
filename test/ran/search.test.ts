import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RAN_E_BLOCKS, type RanEBlock } from "../../src/models/ran-e-blocks.ts";
import type { BlockCosts } from "../../src/ran/block-costs.ts";
import { countBlock, shapeName } from "../../src/ran/block-shape.ts";
import { checkLimits, type Limits, type PricedNetwork, priceNetwork, searchRanE } from "../../src/ran/search.ts";
import { type LaidOutSpace, layOutSpace, ranENetworks, type SpaceRow } from "../../src/ran/search-space.ts";

/** A cost of each shape from its name: any, but always the same. */
function hashedCosts(seed: number): BlockCosts {
  return {
    device: "none",
    unit: "ms",
    costOf: (shape) => {
      let hash = seed;
      for (const letter of shapeName(shape)) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619) >>> 0;
      return 1 + (hash >>> 8) / 2 ** 24;
    },
  };
}

/** Costs as if every multiply-accumulate took as long, and every unit as long as 20. */
const PLAIN: BlockCosts = {
  device: "none",
  unit: "cycles",
  costOf: (shape) => {
    const { macs, units } = countBlock(shape);
    return macs + 20 * units;
  },
};

function everyNetwork(space: LaidOutSpace, costs: BlockCosts): PricedNetwork[] {
  const combinations = space.positions.reduce<RanEBlock[][]>(
    (all, { choices }) => all.flatMap((before) => choices.map((block) => [...before, block])),
    [[]],
  );
  return combinations.map((blocks) => priceNetwork(space, costs, blocks));
}

const row = fc.record({
  channels: fc.integer({ min: 1, max: 12 }),
  stride: fc.integer({ min: 1, max: 2 }),
  repeats: fc.integer({ min: 1, max: 2 }),
});
const rows: fc.Arbitrary<SpaceRow[]> = fc
  .array(row, { minLength: 1, maxLength: 3 })
  .filter((some) => some.reduce((sum, { repeats }) => sum + repeats, 0) <= 4);
const forbidden = fc.subarray(
  RAN_E_BLOCKS.map((block) => ({ block })),
  { minLength: 2, maxLength: 5 },
);
const share = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined });

interface Case {
  space: LaidOutSpace;
  costs: BlockCosts;
  all: PricedNetwork[];
  limits: Limits;
}

/** Small spaces with limits that lie between the extremes of their networks. */
const cases: fc.Arbitrary<Case> = fc
  .record({ rows, forbidden, seed: fc.nat(), params: share, macs: share, units: share })
  .map(({ rows, forbidden, seed, ...shares }) => {
    const space = layOutSpace([20, 17], { forbidden }, rows);
    const costs = hashedCosts(seed);
    const all = everyNetwork(space, costs);
    const limits = Object.fromEntries(
      (["params", "macs", "units"] as const).flatMap((name) => {
        const values = all.map((network) => network[name]);
        const [least, most] = [Math.min(...values), Math.max(...values)];
        return shares[name] === undefined ? [] : [[name, Math.round(least + shares[name] * (most - least))] as const];
      }),
    );
    return { space, costs, all, limits };
  });

const within = (network: PricedNetwork, { params, macs, units }: Limits): boolean =>
  network.params <= (params ?? Number.POSITIVE_INFINITY) &&
  network.macs <= (macs ?? Number.POSITIVE_INFINITY) &&
  network.units >= (units ?? 0);

describe("searchRanE", () => {
  it("finds what trying every network finds, and says so when there is none", () => {
    fc.assert(
      fc.property(cases, ({ space, costs, all, limits }) => {
        const { units, ...others } = limits;
        const possible = all.filter((network) => within(network, limits));
        if (possible.length === 0) {
          expect(() => searchRanE(space, costs, limits)).toThrow(
            /^budget: (params|macs|units): expected at (least|most) /,
          );
          expect(() => checkLimits(space, limits)).toThrow(/^budget: /);
          return;
        }
        checkLimits(space, limits);
        const found = searchRanE(space, costs, limits);
        expect(found.exact).toBe(true);
        expect(found.best.cost).toBe(Math.min(...possible.map(({ cost }) => cost)));
        expect(within(found.best, limits)).toBe(true);
        const candidates = all.filter((network) => within(network, others));
        const front = candidates.filter(
          (a) =>
            !candidates.some((b) => b.cost <= a.cost && b.units >= a.units && (b.cost < a.cost || b.units > a.units)),
        );
        const points = (some: readonly PricedNetwork[]) =>
          [...new Set(some.map(({ cost, units }) => `${cost} ${units}`))].sort();
        expect(points(found.front)).toEqual(points(front));
        for (const network of found.front) {
          expect(priceNetwork(space, costs, network.blocks)).toEqual(network);
          expect(within(network, others)).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("with few states stays within the limits, and is exact only if it says so", () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 4, max: 12 }), ({ space, costs, all, limits: { params, macs } }, states) => {
        // One limit at a time can always be met, by the states that are never given up.
        for (const limits of [{ params }, { macs }] as Limits[]) {
          const found = searchRanE(space, costs, limits, { states });
          const least = Math.min(...all.filter((network) => within(network, limits)).map(({ cost }) => cost));
          for (const network of found.front) expect(within(network, limits)).toBe(true);
          expect(found.best.cost).toBeGreaterThanOrEqual(least);
          if (found.exact) expect(found.best.cost).toBe(least);
          expect(found.states).toBeLessThanOrEqual(states);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("is exact over the whole space, with both limits", () => {
    const space = layOutSpace([224, 224]);
    const { best, front, exact } = searchRanE(space, PLAIN, { macs: 450e6, params: 4.4e6, units: 3e6 });
    expect(exact).toBe(true);
    expect(within(best, { macs: 450e6, params: 4.4e6, units: 3e6 })).toBe(true);
    for (const [i, { cost, units }] of front.entries()) {
      expect(cost).toBeGreaterThan(front[i - 1]?.cost ?? 0);
      expect(units).toBeGreaterThan(front[i - 1]?.units ?? 0);
    }
    // No network that is known is better than the front.
    for (const { blocks } of ranENetworks()) {
      const known = priceNetwork(space, PLAIN, blocks);
      const { front: free } = searchRanE(space, PLAIN);
      expect(free.find(({ units }) => units >= known.units)!.cost).toBeLessThanOrEqual(known.cost);
    }
  });

  it("keeps to pins and to what is forbidden", () => {
    const space = layOutSpace([64, 64], { pins: { "2.0": "k7 t4" }, forbidden: [{ block: "collapsed" }] });
    const { front } = searchRanE(space, PLAIN);
    for (const { blocks } of front) {
      expect(blocks[2]).toBe("k7 t4");
      expect(blocks).not.toContain("collapsed");
    }
  });

  it("chooses no larger kernel where cost grows with it: nothing here speaks for one", () => {
    const { front } = searchRanE(layOutSpace([224, 224]), PLAIN);
    expect([...new Set(front.flatMap(({ blocks }) => blocks))].sort()).toEqual(["collapsed", "k3 t4", "k3 t6"]);
  });

  it.each([
    [{ macs: 1e8 }, "budget: macs: expected at least 340,226,432, got 100,000,000"],
    [{ params: 1e6 }, /^budget: params: expected at least 3,\d{3},\d{3}, got 1,000,000$/],
    [{ units: 1e8 }, "budget: units: expected at most 9,906,624, got 100,000,000"],
    [
      { macs: 376e6, units: 9e6 },
      "budget: units: expected at most 5,331,200 with at most 376,000,000 macs, got 9,000,000",
    ],
    [
      { macs: 341e6, params: 3.9e6 },
      /^budget: macs: expected at least 3\d\d,\d{3},\d{3} with at most 3,900,000 params, got 341,000,000$/,
    ],
    [{ macs: -1 }, "budget: macs: expected a positive number, got -1"],
  ])("says of %j what is possible", (limits, message) => {
    expect(() => searchRanE(layOutSpace([224, 224]), PLAIN, limits)).toThrow(message);
  });

  it("refuses costs that are none", () => {
    const broken = { ...PLAIN, costOf: () => Number.NaN };
    expect(() => searchRanE(layOutSpace([64, 64]), broken)).toThrow(
      "costs: expected finite numbers of at least 0, got NaN",
    );
  });
});
