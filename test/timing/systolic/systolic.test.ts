import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { buildModel } from "../../../src/models/registry.ts";
import type { Systolic } from "../../../src/timing/devices/description.ts";
import { withOverrides } from "../../../src/timing/devices/overrides.ts";
import { device, deviceIds } from "../../../src/timing/devices/registry.ts";
import { macsOf, type WindowOperation } from "../../../src/timing/operation.ts";
import { simulate } from "../../../src/timing/simulate.ts";
import {
  arrayCycles,
  foldCycles,
  foldsOf,
  mappingEfficiency,
  mappingOf,
  matrixProduct,
} from "../../../src/timing/systolic/mapping.ts";
import { type FoldSequence, foldsIn, pipelineCycles, sumOver } from "../../../src/timing/systolic/pipeline.ts";
import { convolutionFolds } from "../../../src/timing/systolic/transfers.ts";
import { multiply, tick } from "./slow-array.ts";

const base = device("systolic") as Systolic;
const dataflows = fc.constantFrom("os", "ws", "is");
const upTo = (max: number, min = 1) => fc.integer({ min, max });

interface Size {
  readonly side: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly depthwise: boolean;
}

function convolution({ side, inputs, outputs, kernel, stride, depthwise }: Size): WindowOperation {
  const out = Math.ceil(side / stride);
  const channels = depthwise ? inputs : outputs;
  const values = kernel * kernel * channels * (depthwise ? 1 : inputs);
  return {
    kind: depthwise ? "depthwise" : "convolution",
    name: "y",
    layers: ["y"],
    input: { name: "x", shape: [side, side, inputs], layout: "bricks" },
    output: { name: "y", shape: [out, out, channels], layout: "bricks" },
    activation: "none",
    bits: 8,
    kernel: [kernel, kernel],
    stride: [stride, stride],
    spread: 1,
    filter: { values, channels },
  };
}

const sizes = fc.record({
  side: upTo(40),
  inputs: upTo(70),
  outputs: upTo(70),
  kernel: fc.constantFrom(1, 3, 5),
  stride: fc.constantFrom(1, 2),
  depthwise: fc.boolean(),
});

const arrays: fc.Arbitrary<Systolic> = fc
  .record({
    rows: upTo(20),
    columns: upTo(20),
    dataflow: dataflows,
    wordsPerCycle: fc.constantFrom(0.5, 1, 3, 16),
    inputBytes: fc.constantFrom(1024, 16_384, 1 << 20),
    filterBytes: fc.constantFrom(1024, 16_384, 1 << 20),
    outputBytes: fc.constantFrom(1024, 16_384, 1 << 20),
  })
  .map(({ inputBytes, filterBytes, outputBytes, ...rest }) => ({
    ...base,
    ...rest,
    sram: { inputBytes, filterBytes, outputBytes },
  }));

describe("folds against an array whose registers move cycle by cycle", () => {
  it("multiply right and take as long as the formula says, in all dataflows", () => {
    const problem = fc.record({
      dataflow: dataflows,
      rows: upTo(5),
      columns: upTo(5),
      pixels: upTo(11),
      window: upTo(11),
      filters: upTo(11),
    });
    fc.assert(
      fc.property(problem, upTo(1000), ({ dataflow, rows, columns, pixels, window, filters }, seed) => {
        const value = (i: number, k: number): number => ((i * 7 + k * 13 + seed) % 11) - 5;
        const x = Array.from({ length: pixels }, (_, p) => Array.from({ length: window }, (_, k) => value(p, k)));
        const w = Array.from({ length: window }, (_, k) => Array.from({ length: filters }, (_, f) => value(f + 3, k)));
        const slow = multiply(dataflow, rows, columns, x, w);
        const direct = x.map((row) => w[0]!.map((_, f) => row.reduce((sum, v, k) => sum + v * w[k]![f]!, 0)));
        expect(slow.product).toEqual(direct);
        const array = { ...base, rows, columns, dataflow };
        expect(arrayCycles(array, mappingOf(dataflow, { pixels, window, filters, groups: 1 }))).toBe(slow.cycles);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["os", 24 + 8 + 16 - 2, 13 * 2],
    ["ws", 8 + 100 + 8 + 16 - 2, 3 * 2],
    ["is", 2 * 8 + 20 + 16 - 2, 3 * 7],
  ] as const)("%s by hand: 100 pixels, a window of 24, 20 filters on 8x16", (dataflow, cycles, folds) => {
    const array = { ...base, rows: 8, columns: 16, dataflow };
    const mapping = mappingOf(dataflow, { pixels: 100, window: 24, filters: 20, groups: 1 });
    expect(foldCycles(array, mapping.steps)).toBe(cycles);
    expect(foldsOf(array, mapping).count).toBe(folds);
    expect(arrayCycles(array, mapping)).toBe(cycles * folds);
  });

  it("no more products than cells in the cycles, and the efficiency is what they use", () => {
    fc.assert(
      fc.property(arrays, sizes, (array, size) => {
        const operation = convolution(size);
        const mapping = mappingOf(array.dataflow, matrixProduct(operation));
        const used = mappingEfficiency(array, mapping);
        const busy = mapping.groups * foldsOf(array, mapping).count * mapping.steps * array.rows * array.columns;
        expect(used * busy).toBeCloseTo(macsOf(operation), -1);
        expect(used).toBeLessThanOrEqual(1 + 1e-12);
        expect(macsOf(operation)).toBeLessThanOrEqual(arrayCycles(array, mapping) * array.rows * array.columns);
      }),
    );
  });
});

describe("memories against ports that move cycle by cycle", () => {
  const port = fc
    .tuple(upTo(30, 0), upTo(30, 0))
    .map(([cycles, ahead]) => ({ cycles, ahead: Math.min(cycles, ahead) }));
  const fold = fc.record({
    input: port,
    filter: port,
    output: port.map(({ cycles, ahead }) => ({ cycles, behind: ahead })),
  });
  const { sequence } = fc.letrec<{ sequence: FoldSequence; one: FoldSequence[number] }>((tie) => ({
    sequence: fc.array(tie("one"), { minLength: 1, maxLength: 4 }),
    one: fc.oneof(
      { maxDepth: 2, depthSize: "small" },
      fold,
      fc.record({ times: upTo(6), body: tie("sequence") as fc.Arbitrary<FoldSequence> }),
    ),
  }));

  it("wait exactly as long; repetitions that are not gone through count in full", () => {
    fc.assert(
      fc.property(upTo(40), sequence, (compute, folds) => {
        const all = [...foldsIn(folds)];
        fc.pre(all.length <= 300);
        expect(pipelineCycles(compute, folds)).toBe(tick(compute, all));
        expect(sumOver(folds, ({ input }) => input.cycles)).toBe(all.reduce((sum, { input }) => sum + input.cycles, 0));
      }),
      { numRuns: 400 },
    );
  });

  it("of whole layers: the folds one by one take as long as they do in runs", () => {
    fc.assert(
      fc.property(arrays, sizes, (array, size) => {
        const { sequence, foldCycles: compute, cycles } = convolutionFolds(array, convolution(size));
        expect(pipelineCycles(compute, [...foldsIn(sequence)])).toBe(cycles);
      }),
    );
  });
});

describe("layers", () => {
  const moved = (array: Systolic, operation: WindowOperation) => convolutionFolds(array, operation);

  it("fetch every weight and write every output at least once, and take no less than array and ports", () => {
    fc.assert(
      fc.property(arrays, sizes, (array, size) => {
        const operation = convolution(size);
        const { bytes, cycles, sequence, mapping } = moved(array, operation);
        const [h, w, c] = operation.output.shape;
        expect(bytes.filter).toBeGreaterThanOrEqual(operation.filter!.values - 1e-6);
        expect(bytes.written).toBeGreaterThanOrEqual(h * w * c);
        expect(cycles).toBeGreaterThanOrEqual(arrayCycles(array, mapping));
        expect(cycles).toBeGreaterThanOrEqual(sumOver(sequence, ({ input }) => input.cycles));
        expect(cycles).toBeGreaterThanOrEqual(sumOver(sequence, ({ output }) => output.cycles));
      }),
    );
  });

  it("are never slower with more bandwidth, and reach the array's own time", () => {
    fc.assert(
      fc.property(arrays, sizes, (array, size) => {
        const operation = convolution(size);
        const faster = { ...array, wordsPerCycle: 4 * array.wordsPerCycle };
        expect(moved(faster, operation).cycles).toBeLessThanOrEqual(moved(array, operation).cycles);
        const ideal = moved({ ...array, wordsPerCycle: 1e12 }, operation);
        // The first operands and the last outputs take a cycle each.
        expect(ideal.cycles).toBeLessThanOrEqual(arrayCycles(array, ideal.mapping) + 2);
      }),
    );
  });

  it("come with each buffer's minimum named where it is too small", () => {
    const small = withOverrides(base, { sram: { filterBytes: 63 } });
    const network = buildModel("resnet20-cifar");
    expect(() => simulate(network, small, { input: [32, 32] })).toThrow(
      /^operation \S+: expected sram\.filterBytes of at least 64, twice what one fold of 32x32 cells needs \(os\), got 63$/,
    );
  });
});

describe("networks", () => {
  const systolic = deviceIds().filter((id) => id.startsWith("systolic"));

  it.each(systolic)("%s runs every kind of network; totals are sums, bounds are resources", (id) => {
    for (const [model, input] of [
      ["resnet18", [224, 224]],
      ["mobilenet-v2", [224, 224]],
      ["sesr-m5", [90, 120]],
      ["fsrcnn", [60, 80]],
      ["deit-ti", [224, 224]],
    ] as const) {
      const { total, layers } = simulate(buildModel(model), device(id), { input });
      expect(total.cycles).toBeCloseTo(
        layers.reduce((sum, { cycles }) => sum + cycles, 0),
        3,
      );
      for (const { bound, cyclesByResource, cycles, why, utilisation } of layers) {
        expect(cyclesByResource[bound]).toBe(Math.max(...Object.values(cyclesByResource)));
        expect(cyclesByResource[bound]).toBeLessThanOrEqual(cycles);
        expect(why).not.toMatch(/NaN|undefined|Infinity/);
        expect(utilisation).toBeLessThanOrEqual(1);
      }
    }
  });

  it("without a vector unit sums, pooling and tables are the host's; without a host they are refused", () => {
    const scalar = withOverrides(base, { vectorLanes: 0 });
    const network = buildModel("efficientnet-lite0-hswish");
    const { layers } = simulate(network, scalar, { input: [64, 64] });
    const hosts = layers.filter(({ bound }) => bound === "host");
    expect(hosts.every(({ why }) => why.includes("no vector unit"))).toBe(true);
    expect(hosts.length).toBeGreaterThan(30);
    const bare = withOverrides(scalar, { host: null });
    expect(() => simulate(network, bare, { input: [64, 64] })).toThrow(
      /^operation \S+: expected one that the device runs, or a host beside it \(host is null\), as the array has no vector unit$/,
    );
  });
});
