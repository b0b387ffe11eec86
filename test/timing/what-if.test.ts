import { describe, expect, it, test } from "vitest";
import { buildModel } from "../../src/models/registry.ts";
import { withOverrides } from "../../src/timing/devices/overrides.ts";
import { device } from "../../src/timing/devices/registry.ts";
import { simulate } from "../../src/timing/simulate.ts";
import { whatIf } from "../../src/timing/what-if.ts";

const rowsOf = (id: string, model: string, input: readonly [number, number]) => {
  const report = whatIf(buildModel(model), device(id), { input });
  return { ...report, by: new Map(report.rows.map((row) => [row.id, row])) };
};

describe("what-if", () => {
  it("has the unchanged total as its baseline, and rows that are simulations by themselves", () => {
    const network = buildModel("efficientnet-lite0-hswish");
    const target = device("ethos-u55-256");
    const input = [224, 224] as const;
    const { baseline, by } = rowsOf("ethos-u55-256", "efficientnet-lite0-hswish", input);
    expect(baseline).toEqual(simulate(network, target, { input }).total);
    const ms = (changes: object): number => simulate(network, withOverrides(target, changes), { input }).total.ms;
    expect(by.get("second-port-x2")!.ms).toBe(ms({ system: { second: { bytesPerSecond: 1e9 } } }));
    expect(by.get("sram-x0.5")!.ms).toBe(ms({ memory: { cacheBytes: 192 * 1024 } }));
    const relu6 = simulate(buildModel("efficientnet-lite0"), target, { input }).total.ms;
    expect(by.get("relu6")!.ms).toBeCloseTo(relu6, 9);
    for (const { ms: changed, deltaMs, ratio } of by.values()) {
      expect(deltaMs).toBeCloseTo(changed! - baseline.ms, 12);
      expect(ratio).toBeCloseTo(changed! / baseline.ms, 12);
    }
  });

  test.each([
    ["ethos-u55-128", "mobilenet-v2", ["bandwidth-x2", "second-port-x2", "macs-x2", "clock-x2"]],
    ["ethos-u65-512", "ran-e-gt", ["bandwidth-x2", "second-port-x2", "clock-x2", "relu6"]],
    ["systolic", "resnet18", ["bandwidth-x2"]],
    ["neoverse-n1", "convnext-t", ["bandwidth-x2", "l2-x2", "macs-x2", "clock-x2", "clamped"]],
  ] as const)("more never hurts: %s, %s", (id, model, improved) => {
    const { by } = rowsOf(id, model, [224, 224]);
    for (const change of improved) expect(by.get(change)!.ratio, change).toBeLessThanOrEqual(1 + 1e-12);
  });

  it("switches Winograd off on the N78, and sweeps tiles where the network can", () => {
    const input = [270, 480] as const;
    const { by } = rowsOf("ethos-n78-4tops-4ple", "sesr-m5", input);
    expect(by.get("winograd-off")!.ratio).toBeGreaterThanOrEqual(1);
    const tile = [128, 128] as const;
    const alone = simulate(buildModel("sesr-m5"), device("ethos-n78-4tops-4ple"), { input, tile });
    expect(by.get("tile-128")!.ms).toBe(alone.total.ms);
    expect([...by.keys()].filter((id) => id.startsWith("tile-"))).toEqual(["tile-64", "tile-128", "tile-256"]);
    expect(rowsOf("ethos-n78-4tops-4ple", "resnet18", [224, 224]).by.has("tile-64")).toBe(false);
  });

  it("asks a CPU for its other precision, and everything that it is asked for runs", () => {
    const { by, rows } = rowsOf("host", "sesr-m5", [180, 320]);
    const f32 = simulate(buildModel("sesr-m5"), device("host"), { input: [180, 320], precision: "f32" }).total.ms;
    expect(by.get("f32")!.ms).toBe(f32);
    expect(rows.every(({ error }) => error === undefined)).toBe(true);
  });

  it("says in its row what the device cannot", () => {
    const small = withOverrides(device("systolic"), { sram: { inputBytes: 64 } });
    const { rows } = whatIf(buildModel("resnet20-cifar"), small, { input: [32, 32] });
    const half = rows.find(({ id }) => id === "sram-x0.5")!;
    expect(half).toMatchObject({ ms: null, ratio: null, error: expect.stringMatching(/expected sram\.inputBytes of/) });
  });
});
