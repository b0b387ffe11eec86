import { describe, expect, it, test } from "vitest";
import type { EthosN, EthosU } from "../../src/timing/devices/description.ts";
import { parseOverrides, withOverrides } from "../../src/timing/devices/overrides.ts";
import { device, deviceIds } from "../../src/timing/devices/registry.ts";
import { peakOf } from "../../src/timing/simulate.ts";

describe("devices", () => {
  test.each([
    ["ethos-u55-32", 32],
    ["ethos-u55-64", 64],
    ["ethos-u55-128", 128],
    ["ethos-u55-256", 256],
    ["ethos-u65-256", 256],
    ["ethos-u65-512", 512],
    ["ethos-n78-1tops-2ple", 512],
    ["ethos-n78-2tops-4ple", 1024],
    ["ethos-n78-4tops-2ple", 2048],
    ["ethos-n78-4tops-4ple", 2048],
    ["ethos-n78-8tops-2ple", 4096],
  ])("%s has %i MACs a cycle", (id, macs) => {
    expect(peakOf(device(id)).macsPerCycle).toBe(macs);
  });

  it("U55 micro-blocks have the MACs of their name: 8 inputs each, in 4 cycles 32", () => {
    for (const id of deviceIds().filter((one) => one.startsWith("ethos-u"))) {
      const { core } = device(id) as EthosU;
      expect(core.microBlock.reduce((a, b) => a * b) * 8 * core.cores).toBe(core.macsPerCycle);
    }
  });

  it("bandwidth is the port's width times the clock, or a part of it", () => {
    const { system } = device("ethos-u55-256") as EthosU;
    expect([system.sram.bytesPerSecond / system.clockHz, system.second.bytesPerSecond / system.clockHz]).toEqual([
      8, 1,
    ]);
    const deep = device("ethos-u55-64", { system: "deep-embedded" }) as EthosU;
    expect(deep.system.second.bytesPerSecond / deep.system.clockHz).toBe(0.5);
    const u65 = device("ethos-u65-512") as EthosU;
    expect(u65.memory).toEqual({ id: "dedicated-sram", features: "second", constants: "second", cacheBytes: 393_216 });
  });

  test.each([
    [["ethos-u56"], /^device: expected one of ethos-u55-32, .*, got ethos-u56$/],
    [["ethos-u55-32", { system: "client-server" }], /^system: expected one of high-end-embedded, deep-embedded, got/],
    [["ethos-u55-32", { metric: "22.02" }], /^metric: expected none for ethos-u55-32, got 22\.02$/],
    [["ethos-n78-4tops-4ple", { metric: "1" }], /^metric: expected one of 22\.02, 25\.03, got 1$/],
    [["ethos-n78-4tops-4ple", { memory: "sram-only" }], /^memory: expected none for ethos-n78/],
  ] as const)("refuses %j", (args, message) => {
    expect(() => device(...(args as unknown as Parameters<typeof device>))).toThrow(message);
  });
});

describe("overrides", () => {
  const base = device("ethos-u55-256");

  it("replace nested fields and leave the rest", () => {
    const own = parseOverrides(base, '{"id": "mine", "system": {"clockHz": 4e8, "sram": {"burstBytes": 8}}}') as EthosU;
    expect(own).toMatchObject({ id: "mine", system: { clockHz: 4e8, sram: { burstBytes: 8, readLatency: 32 } } });
    expect(own.core).toEqual((base as EthosU).core);
    expect((base as EthosU).system.clockHz).toBe(5e8);
    expect((withOverrides(base, { memory: { cacheBytes: 1024 } }) as EthosU).memory.cacheBytes).toBe(1024);
    const n78 = withOverrides(device("ethos-n78-4tops-4ple"), { winograd: false, activationSaving: 0 }) as EthosN;
    expect([n78.winograd, n78.activationSaving]).toEqual([false, 0]);
  });

  test.each([
    ["[1]", /^own\.json: expected an object, got \[1\]$/],
    ["{", /^own\.json: expected JSON: /],
    ['{"clock": 1}', /^own\.json: expected fields id, core, system, memory, host, got "clock"$/],
    ['{"kind": "ethos-n"}', /^own\.json: expected fields id, /],
    ['{"system": {"clockHz": 0}}', /^own\.json: system\.clockHz: expected a number above 0, got 0$/],
    ['{"system": {"clockHz": "5"}}', /^own\.json: system\.clockHz: expected a number above 0, got "5"$/],
    [
      '{"system": {"sram": {"readLatency": -1}}}',
      /system\.sram\.readLatency: expected a number of at least 0, got -1$/,
    ],
    ['{"core": {"microBlock": [2, 2]}}', /core\.microBlock: expected 3 numbers, got \[2,2\]$/],
    ['{"core": {"waitsPerDepthStep": 1}}', /core\.waitsPerDepthStep: expected true or false, got 1$/],
    ['{"memory": {"constants": "rom"}}', /memory\.constants: expected onChipFlash or second, got "rom"$/],
    ['{"memory": {"features": "second"}}', /memory\.features: expected sram, as the second port has flash, got/],
    ['{"host": {"name": ""}}', /host\.name: expected a text, got ""$/],
  ])("refuse %s in one line", (text, message) => {
    expect(() => parseOverrides(base, text, "own.json")).toThrow(message);
  });
});
