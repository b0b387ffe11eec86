import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Shape } from "../../src/network/description.ts";
import type { EthosU } from "../../src/timing/devices/description.ts";
import { withOverrides } from "../../src/timing/devices/overrides.ts";
import { device, deviceIds } from "../../src/timing/devices/registry.ts";
import { chooseBlock, fits, inputBlock, type NpuOperation, type NpuWindow } from "../../src/timing/ethos-u/block.ts";
import { npuCycles } from "../../src/timing/ethos-u/cycles.ts";
import { chooseStaging } from "../../src/timing/ethos-u/staging.ts";
import { estimateStep } from "../../src/timing/ethos-u/step.ts";
import { BIAS_BYTES, copyCycles, type Placement, trafficOf } from "../../src/timing/ethos-u/transfers.ts";
import { macsOf } from "../../src/timing/operation.ts";

const U = deviceIds().filter((id) => id.startsWith("ethos-u"));
const IN_SRAM: Placement = { input: "sram", second: "sram", output: "sram", weights: "sram" };

function convolution(
  size: number,
  inputs: number,
  outputs: number,
  kernel: number,
  rest: Partial<NpuWindow> = {},
): NpuWindow {
  const shape: Shape = [size, size, inputs];
  return {
    kind: "convolution",
    name: "y",
    layers: ["y"],
    input: { name: "x", shape, layout: "bricks" },
    output: { name: "y", shape: [size, size, outputs], layout: "bricks" },
    activation: "none",
    bits: 8,
    kernel: [kernel, kernel],
    stride: [1, 1],
    spread: 1,
    filter: { values: kernel * kernel * inputs * outputs, channels: outputs },
    ...rest,
  };
}

const operations: fc.Arbitrary<NpuOperation> = fc
  .record({
    kind: fc.constantFrom("convolution", "depthwise", "max-pool", "elementwise"),
    size: fc.integer({ min: 1, max: 96 }),
    inputs: fc.integer({ min: 1, max: 160 }),
    outputs: fc.integer({ min: 1, max: 160 }),
    kernel: fc.constantFrom(1, 3, 5, 9),
    activation: fc.constantFrom("none", "clamp", "table"),
    bits: fc.constantFrom(8, 16),
    layout: fc.constantFrom("bricks", "linear"),
  })
  .map(({ kind, size, inputs, outputs, kernel, activation, bits, layout }): NpuOperation => {
    const deep = kind === "convolution" ? outputs : inputs;
    const filter = { values: kernel * kernel * (kind === "depthwise" ? 1 : inputs) * deep, channels: deep };
    const base = convolution(size, inputs, deep, kernel, { activation, bits, filter });
    const output = { ...base.output, layout };
    if (kind === "elementwise") {
      const { name, layers, input } = base;
      return { kind, function: "add", name, layers, input, second: input, output, activation, bits };
    }
    if (kind === "max-pool") {
      const { filter: _, ...pool } = base;
      return { ...pool, kind, output };
    }
    return { ...base, kind, output };
  });

describe("blocks", () => {
  it("fit the shared buffer and are whole micro-blocks within the largest block", () => {
    fc.assert(
      fc.property(fc.constantFrom(...U), operations, (id, operation) => {
        const { core } = device(id) as EthosU;
        const { output, input, partKernel } = chooseBlock(core, operation);
        expect(fits(core, operation, input, output)).toBe(true);
        for (const axis of [0, 1, 2] as const) {
          expect(output[axis] % core.microBlock[axis]).toBe(0);
          expect(output[axis]).toBeLessThanOrEqual(core.largestBlock[axis]);
        }
        expect(input).toEqual(inputBlock(core, operation, output, partKernel));
      }),
      { numRuns: 60 },
    );
  });

  it("refuses a window that no buffer holds, in one line", () => {
    const { core } = withOverrides(device("ethos-u55-32"), { core: { banks: 9 } }) as EthosU;
    const message = /^operation y: expected more core\.banks for a 3x3 window in the shared buffer, got 9$/;
    expect(() => chooseBlock(core, convolution(32, 16, 16, 3, { activation: "table" }))).toThrow(message);
  });
});

describe("cycles", () => {
  it("of 3x3, 16 to 16 channels at 128x128 in blocks of 1x64x16 on U55-128, by hand", () => {
    const target = device("ethos-u55-128") as EthosU;
    const operation = convolution(128, 16, 16, 3, { activation: "clamp" });
    const block = { output: [1, 64, 16], input: [3, 66, 16], partKernel: true } as const;
    // 32 x 1 x 2 micro-blocks; three steps of four taps over two groups of 8 channels, 4 cycles each.
    const mac = 4 * 32 * 3 * 2 * 2;
    // Half a cycle a value; commands and memory: a quarter of all, 32 cycles of latency either way, 8 bytes a cycle.
    const output = 64 * 16 * 0.5;
    const floor = (32 + (3 * 66 * 16) / 8 + 32 + (64 * 16) / 8 + output + mac) / 4;
    const blocks = 128 * 2;
    const cycles = npuCycles(target, operation, block, { ...IN_SRAM, weights: "flash" });
    expect(cycles).toEqual({ mac, output: floor, floor, blocks, total: mac * blocks + floor });
    expect(cycles.total).toBe(393_875);
  });

  it("are never fewer than the products at the peak rate, nor than the output unit's", () => {
    fc.assert(
      fc.property(fc.constantFrom(...U), operations, (id, operation) => {
        const target = device(id) as EthosU;
        const { total } = npuCycles(target, operation, chooseBlock(target.core, operation), IN_SRAM);
        const pooling = operation.kind === "max-pool";
        // Pooling and depthwise filters have multipliers of their own count.
        if (!pooling) expect(total).toBeGreaterThanOrEqual(Math.floor(macsOf(operation) / target.core.macsPerCycle));
        const [h, w, c] = operation.output.shape;
        const least = target.core.activationCycles[operation.activation] * h * w * c;
        expect(total).toBeGreaterThanOrEqual(Math.floor(least));
      }),
      { numRuns: 60 },
    );
  });

  it("a table costs U55-256 four times a clamp where the output unit binds", () => {
    const target = device("ethos-u55-256") as EthosU;
    const cycles = (activation: "clamp" | "table"): number => {
      const operation = convolution(64, 8, 64, 1, { activation });
      return npuCycles(target, operation, chooseBlock(target.core, operation), IN_SRAM).total;
    };
    expect(cycles("table") / cycles("clamp")).toBeGreaterThan(2.5);
  });
});

describe("traffic", () => {
  it("reads each input and weight at least once and writes each output once", () => {
    fc.assert(
      fc.property(fc.constantFrom(...U), operations, (id, operation) => {
        const target = device(id) as EthosU;
        const filter = operation.kind === "elementwise" ? undefined : operation.filter;
        const encoded = filter ? filter.values + BIAS_BYTES * filter.channels : 0;
        const traffic = trafficOf(target, operation, chooseBlock(target.core, operation), encoded);
        const bytes = operation.bits / 8;
        const [h, w, c] = operation.output.shape;
        const stored = operation.output.layout === "bricks" ? Math.ceil(c / 16) * 16 : c;
        expect(traffic.output).toBe(h * w * stored * bytes);
        expect(traffic.weights).toBeGreaterThanOrEqual(encoded - 1e-6);
        const [ih, iw, ic] = operation.input.shape;
        if (operation.kind !== "elementwise") expect(traffic.input).toBeGreaterThanOrEqual(ih * iw * ic * bytes);
      }),
      { numRuns: 60 },
    );
  });
});

describe("staged weights", () => {
  const target = device("ethos-u55-256") as EthosU;
  const place: Placement = { ...IN_SRAM, weights: "flash" };
  const operation = convolution(8, 64, 64, 3);
  const block = chooseBlock(target.core, operation);
  const encodedBytes = 37_504;
  const stage = (slack: number, limit: number) =>
    chooseStaging(target, operation, block, place, encodedBytes, { slack, limit });

  it("come in one piece where they arrive in time, in slices where not, in place where nothing is free", () => {
    const unlimited = Number.POSITIVE_INFINITY;
    const transfer = copyCycles(target, "flash", "sram", encodedBytes);
    expect(stage(transfer, unlimited)).toMatchObject({ buffers: "single", slices: [0, 64], bytes: encodedBytes });
    const sliced = stage(0, unlimited)!;
    expect(sliced.buffers).toBe("double");
    expect(sliced.slices[0]).toBe(0);
    expect(sliced.slices.at(-1)).toBe(64);
    expect(sliced.slices).toEqual([...sliced.slices].sort((a, b) => a - b));
    expect(stage(0, 1000)).toBeUndefined();
  });

  it("never take more SRAM than there is, and an operation no less time than its own", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 50_000 }), fc.integer({ min: 0, max: 60_000 }), (slack, limit) => {
        const staging = stage(slack, limit);
        if (staging) expect(staging.bufferBytes).toBeLessThanOrEqual(limit);
        const step = { operation, block, place, encodedBytes, ...(staging && { staging }) };
        const { npu, units, total } = estimateStep(target, step, slack);
        expect(npu).toBeGreaterThanOrEqual(units.total);
        expect(total).toBeGreaterThanOrEqual(npu);
      }),
    );
  });
});
