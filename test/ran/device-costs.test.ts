import { describe, expect, it } from "vitest";
import { ranENetwork } from "../../src/models/ran-e.ts";
import { deviceCosts } from "../../src/ran/device-costs.ts";
import { priceNetwork, searchRanE } from "../../src/ran/search.ts";
import { layOutSpace, ranENetworks, rowsFrom, shapesOf } from "../../src/ran/search-space.ts";
import { device } from "../../src/timing/devices/registry.ts";
import { simulate } from "../../src/timing/simulate.ts";

const space = layOutSpace([224, 224]);

describe.each(["ethos-u55-128", "ethos-u55-256", "ethos-u65-512", "systolic"])("blocks on %s", (id) => {
  const target = device(id);
  const costs = deviceCosts(target);

  it("cost something each", () => {
    for (const shape of shapesOf(space)) expect(costs.costOf(shape)).toBeGreaterThan(0);
  });

  it("add up to nearly the whole network's time", () => {
    for (const { id: name, blocks } of ranENetworks()) {
      const network = ranENetwork({ name, rows: rowsFrom(space.rows, blocks) });
      const whole = simulate(network, target, { input: [224, 224] }).total.ms;
      const sum = priceNetwork(space, costs, blocks).cost;
      expect(Math.abs(sum / whole - 1), name).toBeLessThanOrEqual(0.12);
    }
  });

  it("lead the search to networks that the whole simulation finds faster too", () => {
    const gt = ranENetworks().find((network) => network.id === "ran-e-gt")!;
    const known = priceNetwork(space, costs, gt.blocks);
    const { best, exact } = searchRanE(space, costs, { units: known.units });
    expect(exact).toBe(true);
    const msOf = (blocks: typeof best.blocks): number => {
      const network = ranENetwork({ name: "n", rows: rowsFrom(space.rows, blocks) });
      return simulate(network, target, { input: [224, 224] }).total.ms;
    };
    expect(best.cost).toBeLessThanOrEqual(known.cost);
    expect(msOf(best.blocks)).toBeLessThanOrEqual(msOf(gt.blocks));
  });
});
