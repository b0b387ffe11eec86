import { describe, expect, it } from "vitest";
import type { Layer, Network } from "../../src/network/description.ts";
import type { EthosU } from "../../src/timing/devices/description.ts";
import { device } from "../../src/timing/devices/registry.ts";
import { besideOwn, findCascades, growStripes } from "../../src/timing/ethos-u/cascade.ts";
import { liveRanges, usage } from "../../src/timing/ethos-u/live-ranges.ts";
import { prepareEthosU } from "../../src/timing/ethos-u/prepare.ts";
import { schedule } from "../../src/timing/ethos-u/schedule.ts";
import { lower } from "../../src/timing/lower.ts";

const KIB = 1024;

/** Three 3x3 convolutions of 16 channels in a row; with `sum` the first one's output is added to the last one's. */
function chain(sum: boolean): Network {
  const conv = (name: string, input: string): Layer => ({
    op: "conv2d",
    name,
    input,
    kernel: [3, 3],
    stride: 1,
    padding: "same",
    channels: 16,
    weights: `${name}.w`,
  });
  const layers: Layer[] = [
    { op: "input", name: "x", channels: 16 },
    conv("a", "x"),
    conv("b", "a"),
    conv("c", "b"),
    ...(sum ? [{ op: "add", name: "y", inputs: ["c", "a"] } as const] : []),
  ];
  return { name: "chain", layers, output: layers.at(-1)!.name };
}

const programOf = (network: Network) => prepareEthosU(lower(network, [64, 64]));
/** One map of 64x64x16. */
const MAP = 64 * KIB;

describe("live ranges", () => {
  it("count what exists at each time, a sum being written over its operand", () => {
    const program = programOf(chain(true));
    const ranges = liveRanges(program);
    expect(usage(program, ranges, () => true)).toEqual([2 * MAP, 2 * MAP, 3 * MAP, 2 * MAP]);
    expect(ranges.get("a")).toMatchObject({ bytes: MAP, from: 0, to: 3, readers: [1, 3] });
    const beside = besideOwn(
      program,
      ranges,
      usage(program, ranges, () => true),
    );
    expect(beside).toEqual([0, 0, MAP, 0]);
  });
});

describe("cascades", () => {
  const program = programOf(chain(false));
  const ranges = liveRanges(program);
  const beside = besideOwn(
    program,
    ranges,
    usage(program, ranges, () => true),
  );

  it("begin where maps are larger than the limit, with rings of whole stripes between", () => {
    const none = findCascades(program, ranges, { limit: 3 * MAP, spills: false, beside });
    expect(none).toEqual([]);
    const spilled = { limit: MAP, spills: true, beside: [0, 0, 0] };
    const [all, ...others] = findCascades(program, ranges, spilled);
    expect(others).toEqual([]);
    // One row made and three read: six rows of 64 x 16, twice.
    expect(all).toEqual({ start: 0, end: 2, rows: [1, 1, 1], bufferBytes: 2 * 6 * KIB });
    const grown = growStripes(program, ranges, all!, spilled, 0);
    expect(grown.bufferBytes).toBeLessThanOrEqual(MAP);
    expect(grown.rows[0]).toBeGreaterThan(8);
    const higher = growStripes(program, ranges, all!, { ...spilled, limit: 2 * MAP }, 0);
    expect(higher.rows[0]).toBeGreaterThanOrEqual(grown.rows[0]!);
  });

  it("do not reach over a map with two readers", () => {
    const branched = programOf(chain(true));
    const found = findCascades(branched, liveRanges(branched), { limit: MAP, spills: true, beside: [0, 0, 0, 0] });
    expect(found.map(({ start, end }) => [start, end])).toEqual([[1, 2]]);
  });

  it("keep what lies between out of a DRAM", () => {
    const target = device("ethos-u65-256") as EthosU;
    const small: EthosU = { ...target, memory: { ...target.memory, cacheBytes: 48 * KIB } };
    const { steps, sramPeakBytes } = schedule(small, program, ({ filter }) => filter.values);
    expect(steps.map(({ step }) => [step.place.input, step.place.output])).toEqual([
      ["dram", "sram"],
      ["sram", "sram"],
      ["sram", "dram"],
    ]);
    expect(sramPeakBytes).toBeLessThanOrEqual(48 * KIB);
  });
});
