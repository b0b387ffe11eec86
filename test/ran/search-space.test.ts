import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ranENetwork } from "../../src/models/ran-e.ts";
import { countNetwork } from "../../src/network/counts.ts";
import { nonLinearUnits } from "../../src/network/non-linear-units.ts";
import { countBlock, shapeName } from "../../src/ran/block-shape.ts";
import { layOutSpace, ranENetworks, ranESpace, rowsFrom, shapeAt, shapesOf } from "../../src/ran/search-space.ts";

describe("the search space of RAN-e", () => {
  it("has 16 positions whose sizes and channels are those of the released networks", () => {
    const { positions, stem, top } = layOutSpace([224, 224]);
    expect(positions.map(({ name }) => name).join(" ")).toBe(
      "0.0 1.0 2.0 3.0 4.0 4.1 5.0 5.1 6.0 6.1 7.0 8.0 8.1 8.2 9.0 9.1",
    );
    expect(shapeName(stem)).toBe("stem 3->16 /2 at 224x224");
    expect(shapeName(shapeAt(positions[5]!, "k5 t6"))).toBe("k5 t6 80->80 residual at 14x14");
    expect(shapeName(top)).toBe("top 224->1000 at 7x7");
    expect(positions.map(({ choices }) => choices.length)).toEqual(
      positions.map(({ name }) => (name === "6.1" ? 4 : 7)),
    );
    // 8.1 and 8.2 are alike.
    expect(new Set(shapesOf(layOutSpace([224, 224])).map(shapeName)).size).toBe(2 + 14 * 7 + 4);
  });

  it("parameters, MACs and units of blocks add up to those of the network", () => {
    const input = fc.tuple(fc.integer({ min: 1, max: 150 }), fc.integer({ min: 1, max: 150 }));
    fc.assert(
      fc.property(input, fc.infiniteStream(fc.nat()), (size, numbers) => {
        const space = layOutSpace(size);
        const blocks = space.positions.map(({ choices }) => choices[numbers.next().value! % choices.length]!);
        const parts = [space.stem, ...space.positions.map((p, i) => shapeAt(p, blocks[i]!)), space.top].map(countBlock);
        const sum = (of: "params" | "macs" | "units") => parts.reduce((total, part) => total + part[of], 0);
        const network = ranENetwork({ name: "n", rows: rowsFrom(ranESpace(), blocks) });
        const { params, macs } = countNetwork(network, size);
        expect([sum("params"), sum("macs"), sum("units")]).toEqual([params, macs, nonLinearUnits(network, size)]);
      }),
      { numRuns: 20 },
    );
  });

  it("holds the networks that searches are compared with", () => {
    const { positions } = layOutSpace([224, 224]);
    expect(ranENetworks().map(({ id }) => id)).toEqual(["start", "ran-e-gt", "ran-e-c"]);
    for (const { blocks } of ranENetworks()) {
      expect(blocks.map((block, i) => positions[i]!.choices.includes(block))).toEqual(positions.map(() => true));
    }
  });

  it("takes pins and what is forbidden, there or anywhere", () => {
    const { positions } = layOutSpace([224, 224], {
      pins: { "2.0": "k7 t4" },
      forbidden: [{ block: "k3 t6" }, { position: "6.1", block: "collapsed" }],
    });
    const at = (name: string) => positions.find((position) => position.name === name)!.choices;
    expect(at("2.0")).toEqual(["k7 t4"]);
    expect(at("6.1")).toEqual(["k5 t6", "k7 t6"]);
    expect(at("9.1")).toEqual(["collapsed", "k3 t4", "k5 t4", "k5 t6", "k7 t4", "k7 t6"]);
  });

  it.each([
    [{ pins: { "6.1": "k3 t4" } }, "pin: expected one of collapsed, k3 t6, k5 t6, k7 t6 at 6.1, got k3 t4"],
    [{ pins: { "6.2": "k3 t4" } }, "pin: expected a position of 0.0, 1.0, 2.0"],
    [{ forbidden: [{ position: "1.1", block: "k3 t4" }] }, "forbid: expected a position of 0.0, 1.0, 2.0"],
    [
      { pins: { "1.0": "k3 t4" }, forbidden: [{ block: "k3 t4" }] },
      "forbid: expected a choice to be left at 1.0, got none",
    ],
  ] as const)("refuses %j", (wishes, message) => {
    expect(() => layOutSpace([224, 224], wishes)).toThrow(message);
  });

  it("refuses an input without pixels", () => {
    expect(() => layOutSpace([224, 0])).toThrow("input: expected positive integers, got 224x0");
  });
});
