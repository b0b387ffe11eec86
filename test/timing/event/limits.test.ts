/** Without what the event mode adds, it is the vendor's closed formulas. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Layer, Network } from "../../../src/network/description.ts";
import type { EthosU } from "../../../src/timing/devices/description.ts";
import { withOverrides } from "../../../src/timing/devices/overrides.ts";
import { device, deviceIds } from "../../../src/timing/devices/registry.ts";
import { blockWork } from "../../../src/timing/ethos-u/cycles.ts";
import { LANES, machineOf } from "../../../src/timing/ethos-u/jobs.ts";
import { prepareEthosU } from "../../../src/timing/ethos-u/prepare.ts";
import { schedule } from "../../../src/timing/ethos-u/schedule.ts";
import type { Step, StepEstimate } from "../../../src/timing/ethos-u/step.ts";
import { type Job, NO_WORK, type Work } from "../../../src/timing/event/program.ts";
import { run } from "../../../src/timing/event/run.ts";
import { lower } from "../../../src/timing/lower.ts";
import { simulate } from "../../../src/timing/simulate.ts";

type Lane = (typeof LANES)[number];

const FAST = 1e30;

/** Memories that take no time, and an SRAM that has room for all weights at once. */
const U_AT_ONCE = {
  memory: { cacheBytes: null },
  system: {
    sram: { bytesPerSecond: FAST, readLatency: 0, writeLatency: 0 },
    second: { bytesPerSecond: FAST, readLatency: 0, writeLatency: 0 },
  },
};

const networks: fc.Arbitrary<{ network: Network; input: readonly [number, number] }> = fc
  .record({
    kind: fc.constantFrom("convolution", "depthwise", "max-pool"),
    height: fc.integer({ min: 4, max: 90 }),
    width: fc.integer({ min: 4, max: 90 }),
    inputs: fc.integer({ min: 1, max: 96 }),
    outputs: fc.integer({ min: 1, max: 96 }),
    kernel: fc.constantFrom(1, 3, 5, 9),
    activation: fc.constantFrom("relu", "hard-swish", undefined),
  })
  .map(({ kind, height, width, inputs, outputs, kernel, activation }) => {
    const layer: Layer =
      kind === "max-pool"
        ? { op: "max-pool", name: "y", input: "x", kernel: [3, 3], stride: 1, padding: "same" }
        : {
            op: "conv2d",
            name: "y",
            input: "x",
            kernel: [kernel, kernel],
            stride: 1,
            padding: "same",
            channels: kind === "depthwise" ? inputs : outputs,
            weights: "w",
            bias: "b",
            ...(kind === "depthwise" && { depthwise: true }),
            ...(activation && { activation: { kind: activation } }),
          };
    const layers: Layer[] = [{ op: "input", name: "x", channels: inputs }, layer];
    return { network: { name: "one", layers, output: "y" }, input: [height, width] };
  });

describe("Ethos-U", () => {
  const ids = deviceIds().filter((id) => id.startsWith("ethos-u"));

  const planned = (
    id: string,
    overrides: unknown,
    { network, input }: { network: Network; input: readonly [number, number] },
  ) => {
    const target = withOverrides(device(id), overrides) as EthosU;
    const [{ step, estimate }] = schedule(target, prepareEthosU(lower(network, input)), ({ filter }) => filter.values)
      .steps as [{ step: Step; estimate: StepEstimate }];
    return { target, step, units: estimate.units };
  };

  it("the vendor's times of a block, slots without end, no transfers: the vendor's total, exactly", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ids), networks, (id, one) => {
        const { target, units } = planned(id, {}, one);
        const unit = (lane: Lane, cycles: number): Work => ({
          parts: [{ lane: LANES.indexOf(lane), cycles }],
          latency: 0,
        });
        const job: Job = {
          layer: 0,
          block: [[NO_WORK, unit("mac", units.mac), unit("output", units.output)]],
          blocks: units.blocks,
          slots: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
          halo: [0, 0],
          overlap: 0,
          starts: [],
          needs: 0,
        };
        const program = { machine: machineOf(target), layers: ["y"], phases: [{ jobs: [job], rounds: 1 }] };
        const closed = Math.max(units.mac, units.output) * units.blocks + Math.min(units.mac, units.output);
        expect(Math.floor(closed)).toBe(units.total);
        // Fractions are compared too: a sum that ends at a whole number may be floored to the one below.
        expect(Math.abs(run(program).cycles / closed - 1)).toBeLessThanOrEqual(1e-12);
      }),
      { numRuns: 100 },
    );
  });

  it("a whole simulation, memories that take no time: max * blocks + min of the units' own times", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ids), networks, (id, one) => {
        const { target, step } = planned(id, U_AT_ONCE, one);
        const { mac, output, blocks } = blockWork(target, step.operation, step.block, step.place);
        const { cycles } = simulate(one.network, target, { input: one.input }).total;
        const closed = Math.max(mac, output) * blocks + Math.min(mac, output);
        expect(Math.abs(cycles / closed - 1)).toBeLessThanOrEqual(1e-9);
        // The vendor's total has a floor in place of the smaller time: a quarter of both.
        const floor = (mac + output) / 4;
        const theirs = Math.max(mac, output) * blocks + Math.max(Math.min(mac, output), floor);
        expect(simulate(one.network, target, { input: one.input, mode: "analytic" }).total.cycles).toBe(
          Math.floor(theirs + 1e-6),
        );
      }),
      { numRuns: 100 },
    );
  });

  it("no resource is busy for longer than it takes", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ids), networks, (id, { network, input }) => {
        const { cycles, cyclesByResource } = simulate(network, device(id), { input }).total;
        for (const busy of Object.values(cyclesByResource)) expect(busy).toBeLessThanOrEqual(cycles * (1 + 1e-9));
      }),
      { numRuns: 100 },
    );
  });
});

describe("Ethos-N", () => {
  it("DRAM that takes no time: the longer of both engines", () => {
    const target = withOverrides(device("ethos-n78-4tops-4ple"), { metric: { bytesPerSecond: FAST } });
    fc.assert(
      fc.property(networks, ({ network, input }) => {
        const { layers } = simulate(network, target, { input, mode: "analytic" });
        const longest = layers.reduce(
          (sum, { cyclesByResource: { mce = 0, ple = 0, host = 0 } }) => sum + Math.max(mce, ple, host),
          0,
        );
        const { cycles } = simulate(network, target, { input }).total;
        expect(Math.abs(cycles / longest - 1)).toBeLessThanOrEqual(1e-9);
      }),
      { numRuns: 100 },
    );
  });

  it("one pass that is all serial: transfers and engines one after the other, as both metrics have it", () => {
    // Rows so wide that no second stripe finds room.
    const target = device("ethos-n78-4tops-4ple", { metric: "22.02" });
    const layers: Layer[] = [
      { op: "input", name: "x", channels: 16 },
      {
        op: "conv2d",
        name: "y",
        input: "x",
        kernel: [1, 1],
        stride: 1,
        padding: "same",
        channels: 16,
        weights: "w",
        bias: "b",
      },
    ];
    const network: Network = { name: "one", layers, output: "y" };
    // 8x8x16 bytes in, 16x16 weights, and as much out: a single stripe.
    const { cycles } = simulate(network, target, { input: [8, 8] }).total;
    const analytic = simulate(network, target, { input: [8, 8], mode: "analytic" });
    const { dram, mce, ple } = analytic.layers[0]!.cyclesByResource;
    expect(cycles).toBeCloseTo(dram! + Math.max(mce!, ple!), 6);
  });
});
