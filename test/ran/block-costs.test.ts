import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CostTable, parseCosts, serialiseCosts } from "../../src/ran/block-costs.ts";
import { layOutSpace, shapesOf } from "../../src/ran/search-space.ts";

const shapes = shapesOf(
  layOutSpace([224, 224], { pins: { "8.2": "collapsed" }, forbidden: [{ position: "8.1", block: "collapsed" }] }),
);
const table = new CostTable(
  "a device",
  "cycles",
  shapes.map((shape, i) => ({ ...shape, cost: i + 0.5 })),
);
const text = serialiseCosts(table);
const changed = (change: (value: { blocks: Record<string, unknown>[] } & Record<string, unknown>) => void): string => {
  const value = JSON.parse(text);
  change(value);
  return JSON.stringify(value);
};

describe("tables of block costs", () => {
  it("are the same after writing and reading, and give the cost of each shape", () => {
    const read = parseCosts(text);
    expect([read.device, read.unit, read.entries]).toEqual(["a device", "cycles", table.entries]);
    expect(shapes.map((shape) => read.costOf(shape))).toEqual(shapes.map((_, i) => i + 0.5));
    expect(text.split("\n")).toHaveLength(shapes.length + 9);
  });

  it("name every missing block at once, each once", () => {
    const few = new CostTable("d", "ms", table.entries.slice(2));
    expect(() => few.requireAll([...shapes, ...shapes], "costs.json")).toThrow(
      expect.objectContaining({
        code: "ERR_ARGUMENT",
        message:
          "costs.json: expected a cost for each block, got none for stem 3->16 /2 at 224x224; collapsed 16->32 at 112x112",
      }),
    );
    expect(() => few.costOf(shapes[0]!)).toThrow("d: expected a cost for each block, got none for stem 3->16");
  });

  it.each([
    ["{", /^f: expected JSON: /],
    ["[]", /^f: expected an object, got \[\]$/],
    ["{}", /^f: format: expected "wasmograd-block-costs", got nothing$/],
    [changed((v) => Object.assign(v, { version: 2 })), /^f: version: expected 1, got 2$/],
    [changed((v) => Object.assign(v, { unit: "s" })), /^f: unit: expected "ms" or "cycles", got "s"$/],
    [changed((v) => Object.assign(v, { device: " " })), /^f: device: expected a text, got " "$/],
    [changed((v) => Object.assign(v, { blocks: {} })), /^f: blocks: expected an array, got \{\}$/],
    [changed((v) => Object.assign(v, { author: 1 })), /^f: expected only format, .*, got "author"$/],
    [changed((v) => v.blocks.splice(1, 1, null as never)), /^f: blocks\[1\]: expected an object, got null$/],
    [
      changed((v) => Object.assign(v.blocks[1]!, { block: "k9 t4" })),
      /^f: blocks\[1\]: block: expected one of stem, .*, got "k9 t4"$/,
    ],
    [
      changed((v) => Object.assign(v.blocks[2]!, { cost: -1 })),
      /^f: blocks\[2\]: cost: expected a finite number of at least 0, got -1$/,
    ],
    [
      changed((v) => Object.assign(v.blocks[2]!, { stride: "1" })),
      /^f: blocks\[2\]: stride: expected a positive integer, got "1"$/,
    ],
    [changed((v) => delete v.blocks[3]!.height), /^f: blocks\[3\]: height: expected a positive integer, got nothing$/],
    [
      changed((v) => Object.assign(v.blocks[1]!, { residual: true })),
      /^f: blocks\[1\]: expected a residual exactly in blocks of stride 1/,
    ],
    [
      changed((v) => v.blocks.push(v.blocks[1]!)),
      /^f: blocks\[\d+\]: expected another block than blocks\[1\], got collapsed 16->32/,
    ],
  ])("refuse what is none, in one line: %#", (bad, message) => {
    expect(() => parseCosts(bad, "f")).toThrow(expect.objectContaining({ code: "ERR_FORMAT" }));
    expect(() => parseCosts(bad, "f")).toThrow(message);
  });

  it("never fail otherwise, whatever the JSON", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(() => parseCosts(json)).toThrow(expect.objectContaining({ code: "ERR_FORMAT" }));
      }),
    );
  });
});
