import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { buildModel, modelIds, modelInfo } from "../../src/models/registry.ts";
import type { Conv2dLayer, Network } from "../../src/network/description.ts";
import { cyclesOfWork, estimateCpu } from "../../src/timing/cpu/estimate.ts";
import { layerWorks } from "../../src/timing/cpu/layers.ts";
import { lowerForCpu } from "../../src/timing/cpu/lower.ts";
import { memoryCycles, tierOf } from "../../src/timing/cpu/model.ts";
import type { Work } from "../../src/timing/cpu/work.ts";
import { parseCpu } from "../../src/timing/devices/cpu-file.ts";
import type { Cpu } from "../../src/timing/devices/description.ts";
import { parseOverrides } from "../../src/timing/devices/overrides.ts";
import { device, deviceIds, deviceOptions } from "../../src/timing/devices/registry.ts";
import { peakOf, simulate } from "../../src/timing/simulate.ts";

const host = device("host") as Cpu;
const n1 = device("neoverse-n1") as Cpu;

function convolution(change: Partial<Conv2dLayer> & { inputs: number }): Network {
  const { inputs, ...fields } = change;
  return {
    name: "one",
    layers: [
      { op: "input", name: "x", channels: inputs },
      {
        op: "conv2d",
        name: "y",
        input: "x",
        kernel: [3, 3],
        stride: 1,
        padding: "same",
        channels: 8,
        weights: "w",
        ...fields,
      },
    ],
    output: "y",
  };
}

const workOf = (
  network: Network,
  input: readonly [number, number],
  precision: "f32" | "int8",
  algorithm: "direct" | "auto" = "direct",
): Work => layerWorks(lowerForCpu(network, input, { precision, algorithm, whole: true }))[1]!.works[0]!;

describe("work", () => {
  test.each([
    ["f32", 16, 8, [3, 3], 4 * 4 * 8 * 9 * 16],
    // 17 channels fill three blocks of eight.
    ["f32", 16, 17, [3, 3], 4 * 4 * 24 * 9 * 16],
    // int8 pairs the values of a kernel row: 3 * 5 = 15 become 16.
    ["int8", 5, 8, [3, 3], 4 * 4 * 8 * 3 * 16],
    // 1x1: 16 pixels in a row, pairs of channels.
    ["int8", 7, 8, [1, 1], 16 * 8 * 8],
  ] as const)("%s, %i to %i channels, %j: products of whole tiles", (precision, inputs, channels, kernel, macs) => {
    expect(workOf(convolution({ inputs, channels, kernel }), [4, 4], precision).macs).toBe(macs);
  });

  it("a depthwise tile has two rows and four columns; an odd kernel of int8 costs a row of zeros", () => {
    const network = convolution({ inputs: 16, channels: 16, depthwise: true, kernel: [3, 3] });
    expect(workOf(network, [4, 4], "f32").macs).toBe(4 * 4 * 16 * 9);
    expect(workOf(network, [4, 4], "int8").macs).toBe(4 * 4 * 16 * 3 * 4);
    expect(workOf(network, [3, 5], "f32").macs).toBe(4 * 8 * 16 * 9);
  });

  it("Winograd has a product a plane, tile and channel", () => {
    const network = convolution({ inputs: 16, channels: 16 });
    const [, { works }] = layerWorks(
      lowerForCpu(network, [16, 16], { precision: "int8", algorithm: "f4x4-3x3-rational", whole: true }),
    ) as [unknown, { works: Work[] }];
    expect(works[0]).toMatchObject({ kernel: "qs8_conv2d_f4x4_3x3", macs: 36 * 16 * 16 * 16 });
    // All but the four inner tiles of sixteen touch a border.
    expect(works[0]!.parts.borders).toBe(12);
  });

  const size = fc.integer({ min: 1, max: 40 });
  const layer = fc.record({
    inputs: size,
    channels: size,
    height: size,
    width: size,
    kernel: fc.constantFrom([1, 1] as const, [3, 3] as const, [5, 5] as const),
    stride: fc.constantFrom(1, 2),
    precision: fc.constantFrom("f32" as const, "int8" as const),
    algorithm: fc.constantFrom("direct" as const, "auto" as const),
  });

  it("has at least the layer's products where it is direct, and never less for a larger layer", () => {
    fc.assert(
      fc.property(layer, fc.constantFrom("inputs", "channels", "height", "width"), (one, grown) => {
        const of = (l: typeof one): Work => {
          const network = convolution({ inputs: l.inputs, channels: l.channels, kernel: l.kernel, stride: l.stride });
          return workOf(network, [l.height, l.width], l.precision, "direct");
        };
        const work = of(one);
        expect(work.macs).toBeGreaterThanOrEqual(work.usefulMacs);
        const more = of({ ...one, [grown]: one[grown as "inputs"] + 8 });
        // Few output channels have kernels of their own, whose tiles are narrower.
        if (more.kernel === work.kernel) {
          expect(more.macs).toBeGreaterThanOrEqual(work.macs);
          expect(cyclesOfWork(host, more).cycles).toBeGreaterThanOrEqual(0.999 * cyclesOfWork(host, work).cycles);
        }
      }),
    );
  });

  it("strips have the products of the whole, or more where tiles hang over", () => {
    const network = buildModel("sesr-m5", { scale: 2 });
    const total = (whole: boolean): number =>
      layerWorks(lowerForCpu(network, [180, 320], { precision: "int8", whole }))
        .flatMap(({ works }) => works)
        .reduce((sum, { macs }) => sum + macs, 0);
    expect(total(false)).toBeGreaterThanOrEqual(total(true));
    expect(total(false)).toBeLessThan(1.3 * total(true));
  });
});

describe("cycles", () => {
  const stream = (bytes: number, distance: number): Pick<Work, "streams"> => ({ streams: [{ bytes, distance }] });

  it("a stream comes from the smallest memory that holds what passes between two uses", () => {
    expect([1, 65536, 65537, 2 ** 20 + 1, 2 ** 25 + 1].map((distance) => tierOf(n1, distance))).toEqual([
      "L1",
      "L1",
      "L2",
      "L3",
      "DRAM",
    ]);
    expect(memoryCycles(n1, stream(3200, 100)).memory).toEqual({ L1: 100, L2: 0, L3: 0, DRAM: 0 });
    expect(memoryCycles(n1, stream(20e9, 2 ** 30)).memory.DRAM).toBeCloseTo(2.5e9);
  });

  it("the longest of products and memories, and beside it packing and calls", () => {
    const work: Work = {
      kernel: "qs8_conv2d_4x8",
      macs: 1e6,
      usefulMacs: 1e6,
      parts: { output: 100 },
      streams: [{ bytes: 64, distance: 1 }],
      calls: 2,
      rows: 1,
      tails: [],
    };
    const own: Cpu = {
      ...n1,
      callCycles: 10,
      kernels: { qs8_conv2d_4x8: { fraction: 0.5, costs: { output: 3 } } },
    };
    expect(cyclesOfWork(own, work)).toMatchObject({ compute: 5e5, packing: 300, call: 20, cycles: 5e5 + 320 });
    const far = { ...work, streams: [{ bytes: 1e9, distance: 1e9 }] };
    expect(cyclesOfWork(own, far).cycles).toBeCloseTo((1e9 * 2.5e9) / 20e9 + 320);
  });

  it("more bandwidth or a higher share of the peak never cost time", () => {
    const network = buildModel("mobilenet-v2");
    const ms = (own: Cpu): number => estimateCpu(own, network, [224, 224], { precision: "int8" }).total.ms;
    const base = ms(n1);
    expect(ms({ ...n1, dramBytesPerSecond: 2 * n1.dramBytesPerSecond })).toBeLessThanOrEqual(base);
    expect(ms({ ...n1, l3: { bytes: 0, bytesPerCycle: 1 } })).toBeGreaterThanOrEqual(base);
    expect(ms({ ...n1, peak: { int8: 2 * n1.peak.int8, f32: n1.peak.f32 } })).toBeLessThan(base);
  });
});

describe("reports", () => {
  it("names the layers of the description, each once, and the kernel that runs them", () => {
    const network = buildModel("resnet18");
    const { layers, total } = simulate(network, host, { input: [224, 224] });
    const named = layers.flatMap((layer) => layer.layers);
    expect(new Set(named).size).toBe(named.length);
    expect(named).toEqual(expect.arrayContaining(["conv1", "fc"]));
    expect(layers.map(({ operation }) => operation)).toContain("s8_max_pool");
    expect(total.macs).toBeGreaterThan(1.8e9);
    expect(total.cycles).toBeCloseTo(layers.reduce((sum, { cycles }) => sum + cycles, 0));
    const { read, write } = total.bytes;
    // 11.7 M weights in pairs of int16, some of them transformed, and all maps.
    expect(read.sram + read.dram).toBeGreaterThan(23e6);
    expect(write.sram + write.dram).toBeGreaterThan(2e6);
    for (const { bound, cyclesByResource, why } of layers) {
      expect(Object.keys(cyclesByResource)).toContain(bound);
      expect(why).not.toContain("undefined");
    }
  });

  it("says what is padded, and what memory is waited for", () => {
    const report = (network: Network, input: readonly [number, number]) =>
      estimateCpu(n1, network, input, { precision: "f32" }).layers[0]!;
    expect(report(convolution({ inputs: 16, channels: 17 }), [32, 32]).why).toMatch(
      /output channels padded from 17 to 24$/,
    );
    const slow: Cpu = { ...n1, l3: { bytes: 0, bytesPerCycle: 1 }, dramBytesPerSecond: 1e6 };
    const { bound, why } = estimateCpu(slow, convolution({ inputs: 512, channels: 512 }), [512, 512], {
      precision: "f32",
    }).layers[0]!;
    expect(bound).toBe("DRAM");
    expect(why).toMatch(/^memory-bound: the DRAM gives \d+ KiB, which takes longer than to compute/);
  });

  it("says so where a device has no costs of a kernel", () => {
    const bare: Cpu = { ...n1, kernels: {} };
    const [layer] = estimateCpu(bare, convolution({ inputs: 16, channels: 16 }), [32, 32], { precision: "f32" }).layers;
    expect(layer!.why).toMatch(/costs of f32_conv2d_4x8 are assumed, as the device has none$/);
    expect(layer!.cycles).toBeGreaterThan(0);
  });

  test.each(["f32", "int8"] as const)("transformers in %s have attention, of one query its own", (precision) => {
    const prefix = precision === "f32" ? "f32" : "qs8";
    const { layers, total } = simulate(buildModel("deit-ti"), host, { input: [224, 224], precision });
    const kernels = layers.map(({ operation }) => operation);
    expect(kernels.filter((kernel) => kernel === `${prefix}_attention`).length).toBe(11);
    expect(kernels.filter((kernel) => kernel === `${prefix}_single_query`).length).toBe(1);
    expect(kernels).toContain(`${prefix}_layer_norm`);
    const own = layers.filter(({ operation }) => /attention|single_query/.test(operation));
    // 197 tokens of 192 channels; the last layer asks for one of them.
    expect(own.map(({ macs }) => macs)).toEqual([...new Array(11).fill(2 * 197 * 197 * 192), 2 * 197 * 192]);
    expect(total.ms).toBeGreaterThan(1);
  });

  test.each([
    [{ precision: "f32" }, "ethos-u55-256", /^precision: expected int8 for ethos-u55-256, got f32$/],
    [{ bits: 16 }, "host", /^bits, activations: expected none for a CPU/],
  ] as const)("refuses %j of %s", (options, id, message) => {
    expect(() => simulate(buildModel("mobilenet-v2"), device(id), { input: [224, 224], ...options })).toThrow(message);
  });
});

describe("every network", () => {
  test.each(modelIds())("%s: no layer is free, all adds up", (id) => {
    const network = buildModel(id);
    const { task, input } = modelInfo(id);
    const size: readonly [number, number] = task === "classification" ? input : [48, 64];
    for (const precision of ["f32", "int8"] as const) {
      const { layers, total } = simulate(network, n1, { input: size, precision });
      for (const layer of layers) {
        expect(layer.cycles, layer.name).toBeGreaterThan(0);
        expect(layer.why).not.toMatch(/NaN|undefined|Infinity|\n|assumed/);
        expect(Object.keys(layer.cyclesByResource)).toContain(layer.bound);
        expect(layer.layers.length, layer.name).toBeGreaterThan(0);
      }
      expect(total.cycles).toBeCloseTo(
        layers.reduce((sum, { cycles }) => sum + cycles, 0),
        3,
      );
      expect(total.fps * total.ms).toBeCloseTo(1000, 6);
    }
  });
});

describe("devices", () => {
  test.each([
    ["cortex-a55", 2, 16],
    ["cortex-a76", 4, 32],
    ["cortex-a78", 4, 32],
    ["cortex-x1", 8, 64],
    ["cortex-a510", 4, 64],
    ["neoverse-n1", 4, 32],
    ["neoverse-v1", 8, 128],
    ["neoverse-n2", 4, 64],
    ["neoverse-v2", 8, 128],
  ])("%s: %i int8 MACs a cycle in WebAssembly, %i of its own", (id, webassembly, native) => {
    expect(deviceIds()).toContain(id);
    expect(deviceOptions(id)).toEqual({ systems: ["webassembly", "native"], memories: [], metrics: [] });
    expect(peakOf(device(id)).macsPerCycle).toBe(webassembly);
    expect(peakOf(device(id, { system: "native" })).macsPerCycle).toBe(native);
    expect((device(id) as Cpu).source).toMatch(/projected/);
  });

  it("the host says where it was measured", () => {
    expect(host.source).toMatch(/^measured on .+, node v\d/);
    expect(deviceOptions("host")).toEqual({ systems: [], memories: [], metrics: [] });
  });

  test.each([
    [["neoverse-n1", { memory: "sram-only" }], /^memory: expected none for neoverse-n1, got sram-only$/],
    [["neoverse-n1", { system: "arm" }], /^system: expected one of webassembly, native, got arm$/],
    [["host", { system: "native" }], /^system: expected none for host, got native$/],
    [["neoverse-n9"], /^device: expected one of .*neoverse-v2, host, got neoverse-n9$/],
  ] as const)("refuses %j", (args, message) => {
    expect(() => device(...(args as unknown as Parameters<typeof device>))).toThrow(message);
  });

  it("fields of a CPU are replaced as those of an NPU", () => {
    const own = parseOverrides(n1, '{"id": "mine", "l2": {"bytes": 524288}, "peak": {"int8": 32}}') as Cpu;
    expect(own).toMatchObject({ id: "mine", l2: { bytes: 524288, bytesPerCycle: 16 }, peak: { int8: 32, f32: 4 } });
    expect(() => parseOverrides(n1, '{"dramBytesPerSecond": -1}', "f")).toThrow(
      /^f: dramBytesPerSecond: expected a number above 0, got -1$/,
    );
    expect(() => parseOverrides(n1, '{"kernels": {"copy": {"costs": {"vectors": -1}}}}', "f")).toThrow(
      /^f: kernels\.copy\.costs\.vectors: expected a number of at least 0, got -1$/,
    );
    expect(() => parseOverrides(n1, '{"peak": {"int8": 0}}', "f")).toThrow(/^f: peak\.int8: expected a number above 0/);
  });
});

describe("files", () => {
  const { kind: _, ...fields } = n1;
  const file = (change: object = {}): string =>
    JSON.stringify({ format: "wasmograd-cpu", version: 1, device: { ...fields, ...change } });

  it("describe a CPU", () => {
    expect(parseCpu(file())).toEqual(n1);
    expect(parseCpu(file({ id: "mine" })).id).toBe("mine");
  });

  test.each([
    ["{", /^cpu\.json: expected JSON: /],
    ["[]", /^cpu\.json: expected format wasmograd-cpu, version 1, got undefined, undefined$/],
    ['{"format": "wasmograd-cpu", "version": 2}', /got "wasmograd-cpu", 2$/],
    ['{"format": "wasmograd-cpu", "version": 1}', /^cpu\.json: device: expected an object, got undefined$/],
    [file({ kind: "ethos-u" }), /^cpu\.json: device\.kind: expected "cpu", got "ethos-u"$/],
    [file({ cores: 4 }), /^cpu\.json: device: expected fields id, source, clockHz, .*, got "cores"$/],
    [file({ clockHz: undefined }), /^cpu\.json: device\.clockHz: expected a number above 0, got undefined$/],
    [file({ peak: { int8: 0, f32: 1 } }), /^cpu\.json: device\.peak\.int8: expected a number above 0, got 0$/],
    [file({ l2: { bytes: 1, bytesPerCycle: -4 } }), /device\.l2\.bytesPerCycle: expected a number above 0, got -4$/],
    [file({ dramBytesPerSecond: "20" }), /device\.dramBytesPerSecond: expected a number above 0, got "20"$/],
    [file({ callCycles: -1 }), /device\.callCycles: expected a number of at least 0, got -1$/],
    [file({ kernels: [] }), /^cpu\.json: kernels: expected an object, got \[\]$/],
    [
      file({ kernels: { copy: { fraction: 0, costs: {} } } }),
      /kernels\.copy\.fraction: expected a number above 0, got 0$/,
    ],
    [
      file({ kernels: { copy: { fraction: 1, costs: { v: -1 } } } }),
      /kernels\.copy\.costs\.v: expected a number of at/,
    ],
  ])("refuse %.60s in one line", (text, message) => {
    let thrown: Error | undefined;
    try {
      parseCpu(text, "cpu.json");
    } catch (error) {
      thrown = error as Error;
    }
    expect(thrown?.message).toMatch(message);
    expect(thrown?.message).not.toContain("\n");
  });
});
