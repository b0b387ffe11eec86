/** Event mode beside analytic mode, on whole networks. */
import { describe, expect, it, test } from "vitest";
import { COMPARED } from "../../../scripts/timing-tables/published.ts";
import { buildModel } from "../../../src/models/registry.ts";
import { withOverrides } from "../../../src/timing/devices/overrides.ts";
import { device } from "../../../src/timing/devices/registry.ts";
import type { SimulationReport } from "../../../src/timing/report.ts";
import { type SimulateOptions, simulate, trace } from "../../../src/timing/simulate.ts";

describe.each(COMPARED)("%s at %j on %s", (model, input, id) => {
  const network = buildModel(model);
  const { report, timeline } = trace(network, device(id), { input });
  const analytic = simulate(network, device(id), { input, mode: "analytic" });

  test("moves the same bytes and multiplies as often", () => {
    expect(report.total.bytes).toEqual(analytic.total.bytes);
    expect(report.total.macs).toBe(analytic.total.macs);
    expect(report.total.sramPeakBytes).toBe(analytic.total.sramPeakBytes);
  });

  test("layers add up to the time, and lanes to the busy cycles of the report", () => {
    const { cycles, cyclesByResource } = report.total;
    expect(timeline.cycles / cycles).toBeCloseTo(1, 9);
    for (const { resource, slices } of timeline.lanes) {
      const busy = slices.reduce((sum, slice) => sum + slice.busy, 0);
      expect(busy / cyclesByResource[resource]!, resource).toBeCloseTo(1, 6);
      expect(busy).toBeLessThanOrEqual(cycles * (1 + 1e-9));
    }
    expect(timeline.lanes.map(({ resource }) => resource).sort()).toEqual(Object.keys(cyclesByResource).sort());
  });

  test("is drawn with a readable number of slices", () => {
    const slices = timeline.lanes.reduce((sum, lane) => sum + lane.slices.length, 0);
    expect(slices).toBeLessThanOrEqual(100 * report.layers.length);
  });
});

describe("what event mode sees", () => {
  const onU55 = (model: string, overrides: unknown = {}): SimulationReport =>
    simulate(buildModel(model), withOverrides(device("ethos-u55-256"), overrides), { input: [224, 224] });

  it("slower flash is waited for, where weights do not come in time", () => {
    const slow = onU55("resnet18", { system: { second: { bytesPerSecond: 0.125e9 } } });
    const plain = onU55("resnet18");
    expect(slow.total.ms).toBeGreaterThan(2 * plain.total.ms);
    expect(slow.total.bound).toMatch(/^(flash|weightDma)$/);
    expect(slow.layers.find(({ bound }) => bound === "flash")!.why).toMatch(/flash moves|weights/);
  });

  it("latency costs small maps more than large ones", () => {
    // With as many requests in flight as it takes to keep up the rate.
    const inFlight = { readsInFlight: 1000, writesInFlight: 1000 };
    const distant = { system: { sram: { readLatency: 320, writeLatency: 320, ...inFlight } } };
    // Weights from flash would hide it.
    const target = device("ethos-u55-256", { memory: "sram-only" });
    const times = (input: readonly [number, number]): number => {
      const run = (overrides: unknown): number =>
        simulate(buildModel("resnet20-cifar"), withOverrides(target, overrides), { input }).total.ms;
      return run(distant) / run({});
    };
    expect(times([16, 16])).toBeGreaterThan(times([128, 128]));
  });

  it("fewer requests in flight slow down what streams", () => {
    const few = onU55("resnet18", { system: { sram: { readsInFlight: 1, writesInFlight: 1 } } });
    expect(few.total.ms).toBeGreaterThan(1.2 * onU55("resnet18").total.ms);
  });

  it("PReLU is a matter of the second engine on Ethos-N, which the older metric does not count", () => {
    const { layers } = simulate(buildModel("sesr-m5"), device("ethos-n78-4tops-4ple"), { input: [1080, 1920] });
    expect(layers.find(({ name }) => name === "blocks.0.prelu")!.bound).toBe("ple");
  });

  it("refuses a mode that it does not know", () => {
    const options = { input: [32, 32], mode: "fast" } as unknown as SimulateOptions;
    const message = /^mode: expected event or analytic on ethos-\S+, got fast$/;
    expect(() => simulate(buildModel("resnet20-cifar"), device("ethos-u55-32"), options)).toThrow(message);
  });
});

describe("how long it takes", () => {
  it.each(["ethos-u55-256", "ethos-u65-512", "ethos-n78-4tops-4ple"])("SESR-M5 at 1080p on %s: below 200 ms", (id) => {
    const network = buildModel("sesr-m5", { scale: 2 });
    // The best of a few: other work on the machine is not ours.
    const times = Array.from({ length: 6 }, () => {
      const begun = performance.now();
      trace(network, device(id), { input: [1080, 1920] });
      return performance.now() - begun;
    });
    expect(Math.min(...times)).toBeLessThan(200);
  });
});
