import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sesrOnN78 } from "../../src/reproduction/hardware.ts";
import type { EthosN } from "../../src/timing/devices/description.ts";
import { withOverrides } from "../../src/timing/devices/overrides.ts";
import { device } from "../../src/timing/devices/registry.ts";
import { mceCycles } from "../../src/timing/ethos-n/compute.ts";
import { chooseStripes } from "../../src/timing/ethos-n/stripes.ts";
import type { WindowOperation } from "../../src/timing/operation.ts";

const target = device("ethos-n78-4tops-4ple") as EthosN;
const direct = withOverrides(target, { winograd: false }) as EthosN;

function convolution(
  size: number,
  channels: number,
  kernel: number,
  kind: "convolution" | "depthwise" = "convolution",
): WindowOperation {
  const shape = [size, size, channels] as const;
  const tensor = (name: string) => ({ name, shape, layout: "bricks" as const });
  const values = kernel * kernel * channels * (kind === "depthwise" ? 1 : channels);
  const window = { kernel: [kernel, kernel], stride: [1, 1], spread: 1, filter: { values, channels } } as const;
  const common = { name: "y", layers: ["y"], activation: "none", bits: 8 } as const;
  return { kind, ...common, ...window, input: tensor("x"), output: tensor("y") };
}

describe("the convolution engine", () => {
  it("Winograd gains 2.25 on 3x3, 25/16 on 5x5 and 2.25 on 9x9", () => {
    for (const [kernel, gain] of [
      [3, 2.25],
      [5, 25 / 16],
      [9, 2.25],
    ] as const) {
      const operation = convolution(64, 64, kernel);
      expect(mceCycles(target, operation).winograd).toBe(true);
      expect(mceCycles(direct, operation).cycles / mceCycles(target, operation).cycles).toBeCloseTo(gain, 10);
    }
    expect(mceCycles(target, convolution(64, 64, 1)).winograd).toBe(false);
  });

  it("depthwise runs at a sixteenth of the peak, direct products at all of it", () => {
    const depthwise = mceCycles(target, convolution(64, 64, 3, "depthwise"));
    expect(depthwise).toEqual({ cycles: (9 * 64 * 64 * 64 * 16) / 2048, winograd: false });
    expect(mceCycles(direct, convolution(64, 64, 3)).cycles).toBe((9 * 64 * 64 * 64 * 64) / 2048);
  });
});

describe("stripes", () => {
  it("move every value at least once, and no more than all serially", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 256 }), (size, channels) => {
        const operation = convolution(size, channels, 3);
        const weightBytes = operation.filter!.values;
        const pass = { operation, inputs: ["dram"], output: "dram", weightBytes } as const;
        const t = chooseStripes(target, pass, ({ read, write }) => read + write);
        const map = (size * size * channels) / 2;
        expect(t.read).toBeGreaterThanOrEqual(map + weightBytes);
        expect(t.write).toBeGreaterThanOrEqual(map);
        expect(t.serialRead).toBeLessThanOrEqual(t.read);
        expect(t.serialWrite).toBeLessThanOrEqual(t.write);
      }),
      { numRuns: 40 },
    );
  });
});

describe("metrics", () => {
  it("22.02 overlaps over the whole network: DRAM time is SESR's", () => {
    const { total, clockHz } = sesrOnN78([1080, 1920]);
    expect(total.ms).toBeCloseTo((total.dramBytes / 12e9) * 1000, 6);
    expect(clockHz).toBe(1.25e9);
  });

  it("25.03 counts the engine behind the multipliers, and takes longer", () => {
    const report = sesrOnN78([1080, 1920], 2, "25.03");
    expect(report.layers.some(({ bound }) => bound === "ple")).toBe(true);
    expect(report.total.ms).toBeGreaterThan(sesrOnN78([1080, 1920]).total.ms);
  });
});
