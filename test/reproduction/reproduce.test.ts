import { describe, expect, it } from "vitest";
import { buildModel, modelInfo } from "../../src/models/registry.ts";
import { countNetwork } from "../../src/network/counts.ts";
import { cells, markdown, rowsOf } from "../../src/reproduction/format.ts";
import { GROUPS, published } from "../../src/reproduction/published.ts";
import { reproduce } from "../../src/reproduction/reproduce.ts";

const report = reproduce();
const ours = (id: string): number[] => report.rows.filter((row) => row.id === id).map((row) => row.ours!);

describe("published figures", () => {
  it("are named once each and all have rows; all but one can be computed", () => {
    const ids = published().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(report.rows.map(({ id }) => id))).toEqual(new Set(ids));
    expect(report.rows.filter((row) => row.ours === null).map(({ id }) => id)).toEqual(["ran-i-cpu"]);
    for (const { ours: value, published, ratio } of report.rows) {
      if (value !== null) expect(ratio).toBe(value / published);
    }
  });

  it("that are counts agree to their printed digits or nearly so", () => {
    const counts = report.rows.filter(({ group, unit }) => (group === "sesr" || group === "ran") && unit !== "x");
    expect(counts.length).toBeGreaterThan(35);
    for (const { ratio, what } of counts) expect(Math.abs(ratio! - 1), what).toBeLessThanOrEqual(0.03);
  });

  it("of the abstracts: 2 to 330 times fewer multiply-accumulates, 3.13 times fewer multiplications", () => {
    expect(ours("sesr-most")[0]).toBeCloseTo(612_591_206_400 / 1_851_494_400, 9);
    expect(ours("sesr-fewest")[0]).toBeCloseTo(6_006_988_800 / 3_115_008_000, 9);
    expect(ours("winograd-reduction")[0]).toBeCloseTo(144 / 46, 4);
    expect(ours("winograd-f2")).toEqual([2.25]);
    const macs = (id: string): number => countNetwork(buildModel(id), modelInfo(id).input).macs;
    expect(ours("ran-i-saving")[0]).toBeCloseTo(macs("convnext-b") / macs("ran-i-b"), 12);
  });

  it("have a row for each reading where the paper does not say enough", () => {
    const readings = (id: string) => report.rows.filter((row) => row.id === id).map(({ reading }) => reading);
    expect(readings("n78-ms sesr-m5 4")).toEqual(["metric 22.02", "metric 25.03"]);
    expect(readings("u65 ran-e-gt")).toEqual(["hard-swish as a table", "hard-swish as ReLU6"]);
    expect(readings("u65 resnet18")).toEqual([undefined]);
    expect(readings("n78-fastest")).toHaveLength(4);
  });
});

describe("as text", () => {
  it("marks what is not confirmed", () => {
    for (const row of report.rows) expect(cells(row)[1]!.endsWith(" *")).toBe(!row.confirmed);
  });

  it("Markdown has every row, and every note that rows refer to", () => {
    const text = markdown(report);
    for (const [group, title] of Object.entries(GROUPS)) {
      expect(text).toContain(`## ${title}\n`);
      const section = text.slice(text.indexOf(title)).split("\n## ")[0]!;
      const body = section
        .split("\n")
        .filter((line) => line.startsWith("| "))
        .slice(1);
      expect(body).toHaveLength(rowsOf(report, group as keyof typeof GROUPS).length);
      for (const [, note] of section.matchAll(/\[(\d+)\] \|/g)) expect(section).toContain(`\n- [${note}] `);
    }
  });
});
