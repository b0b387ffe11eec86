import { describe, expect, it } from "vitest";
import { measureRanECosts, timeNetworks } from "../../src/bench/ran-e-costs.ts";
import { blockNetwork, shapeName } from "../../src/ran/block-shape.ts";
import { layOutSpace, shapeAt, shapesOf } from "../../src/ran/search-space.ts";

const space = layOutSpace([32, 32], {
  forbidden: (["k3 t4", "k5 t4", "k5 t6", "k7 t4", "k7 t6"] as const).map((block) => ({ block })),
});

describe("measureRanECosts", () => {
  it("times every distinct shape of a space, and says how far it is", async () => {
    const shapes = shapesOf(space);
    const told: number[] = [];
    const table = await measureRanECosts(shapes, "here", { seconds: 0, onProgress: (fraction) => told.push(fraction) });
    expect([table.device, table.unit]).toEqual(["here", "ms"]);
    expect(table.entries.map(shapeName)).toEqual([...new Set(shapes.map(shapeName))]);
    for (const { cost } of table.entries) expect(cost).toBeGreaterThan(0);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect([told[0], told.at(-1)]).toEqual([0, 1]);
  });

  it("takes medians of the clock that it is given, of each block in turn", async () => {
    const shapes = space.positions.slice(0, 3).map((position) => shapeAt(position, "collapsed"));
    let time = 0;
    let calls = 0;
    // The n-th interval takes n milliseconds, so block i of round r takes 3 r + i + 1; the median of five rounds is that of the third.
    const clock = () => {
      calls++;
      if (calls % 2 === 0) time += calls / 2;
      return time;
    };
    const { entries } = await measureRanECosts(shapes, "here", { seconds: 0, clock });
    expect(entries.map(({ cost }) => cost)).toEqual([7, 8, 9]);
  });

  it("stops when told to, and frees what it had", async () => {
    const controller = new AbortController();
    const networks = space.positions.slice(0, 3).map((position) => {
      const { height, width } = position;
      return { network: blockNetwork(shapeAt(position, "k3 t6")), height, width };
    });
    const onProgress = (_: number, name: string): void => {
      if (name === networks[1]!.network.name) controller.abort(new Error("enough"));
    };
    await expect(timeNetworks(networks, { seconds: 0, signal: controller.signal, onProgress })).rejects.toThrow(
      "enough",
    );
  });
});
