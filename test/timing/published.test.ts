/** The model against published figures; all of them, and ours, are estimates. docs/timing-model.md prints the table. */
import { describe, expect, test } from "vitest";
import { ranPublished, ranTable } from "../../scripts/timing-tables/published.ts";
import {
  fsrcnnOnN78,
  LARGE_ARENA_BYTES,
  RAN_DEVICES,
  ranSpeed,
  sesrOnN78,
  sesrWithSumOnN78,
} from "../../src/reproduction/hardware.ts";

const relative = (ours: number, published: number): number => Math.abs(ours / published - 1);

describe("Ethos-N78 against the SESR paper", () => {
  test("SESR-M5 x2, 1080p: 27.2 ms and 282 MB", () => {
    const { ms, dramBytes } = sesrOnN78([1080, 1920]).total;
    expect(relative(ms, 27.2)).toBeLessThanOrEqual(0.1);
    expect(relative(dramBytes, 282e6)).toBeLessThanOrEqual(0.15);
  });

  test("SESR-M5 x2, a tile of 400x300: 1.2 ms", () => {
    expect(relative(sesrOnN78([300, 400]).total.ms, 1.2)).toBeLessThanOrEqual(0.15);
  });

  test.each(["22.02", "25.03"])("the sum with the input costs time under metric %s", (metric) => {
    const [plain, whole] = [sesrOnN78([1080, 1920], 2, metric).total, sesrWithSumOnN78([1080, 1920], metric).total];
    expect(whole.ms).toBeGreaterThan(plain.ms);
    expect(whole.dramBytes).toBeGreaterThan(plain.dramBytes);
  });

  test("metric 25.03: 3x3 layers wait for the DRAM longest, then for the engine behind the convolutions", () => {
    const { layers } = sesrOnN78([1080, 1920], 2, "25.03");
    const inner = layers.filter(({ name }) => name.startsWith("blocks."));
    expect(inner.length).toBe(5);
    for (const { bound, cyclesByResource: busy } of inner) {
      expect(bound).toBe("dram");
      expect(busy.ple).toBeGreaterThan(busy.mce!);
    }
  });

  test("FSRCNN x2, 1080p: 167.4 ms (we are a fifth too fast) and 564 MB", () => {
    const { ms, dramBytes } = fsrcnnOnN78().total;
    expect(relative(ms, 167.4)).toBeLessThanOrEqual(0.2);
    expect(relative(dramBytes, 564e6)).toBeLessThanOrEqual(0.15);
  });
});

test("ResNet-18 on U55 with the arena of its figure, 2 MiB: 0.46", () => {
  const large = ranSpeed("resnet18", RAN_DEVICES.u55, { arenaBytes: LARGE_ARENA_BYTES });
  expect(large).toBeGreaterThan(ranSpeed("resnet18", RAN_DEVICES.u55));
  expect(Math.abs(large - 0.46)).toBeLessThanOrEqual(0.1);
});

describe.each(["u55", "u65"] as const)("the RAN table on %s", (npu) => {
  const charged = ranTable(npu);
  const clamped = ranTable(npu, { activations: "clamped" });

  test.each(["resnet18", "repvgg-a0"] as const)("%s within 0.10", (model) => {
    const published = ranPublished(model, npu);
    expect(Math.abs(charged.get(model)! - published)).toBeLessThanOrEqual(0.1);
    // Nothing in it is a table.
    expect(clamped.get(model)).toBeCloseTo(charged.get(model)!, 12);
  });

  test("hard-swish is free only where tables are not charged", () => {
    expect(clamped.get("efficientnet-lite0-hswish")).toBe(1);
    expect(charged.get("efficientnet-lite0-hswish")).toBeLessThan(0.75);
  });

  test("RAN-e: the published pair lies nearer to the reading without the cost of tables", () => {
    const away = (table: ReadonlyMap<string, number>): number =>
      (["ran-e-c", "ran-e-gt"] as const).reduce((sum, m) => sum + Math.abs(table.get(m)! - ranPublished(m, npu)), 0);
    expect(away(clamped)).toBeLessThan(away(charged));
  });
});
