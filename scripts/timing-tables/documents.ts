/** The computed tables of docs/timing-model.md. */
import { readFileSync } from "node:fs";
import { markdown } from "../../src/reproduction/format.ts";
import { FULL_HD, fsrcnnOnN78, sesrOnN78, TILE } from "../../src/reproduction/hardware.ts";
import { reproduce } from "../../src/reproduction/reproduce.ts";
import { absolute, fillBlocks, table } from "../documents.ts";
import { publishedValue, RAN_MODELS, ranPublished, ranTable } from "./published.ts";

const DOCUMENT = "docs/timing-model.md";
const REPRODUCTION = "docs/reproduction.md";

function deviation(ours: number, published: number): string {
  const percent = 100 * (ours / published - 1);
  return `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(1)} %`;
}

function n78Table(): string {
  const row = (name: string, run: (metric: string) => ReturnType<typeof fsrcnnOnN78>, of: string): string[] => {
    const [older, newer] = [run("22.02").total, run("25.03").total];
    const ms = publishedValue(`n78-ms ${of}`);
    const megabytes = of === "tile" ? undefined : publishedValue(`n78-dram ${of}`);
    const ours = older.dramBytes / 1e6;
    return [
      name,
      `${ms} ms`,
      `${older.ms.toFixed(2)} ms`,
      deviation(older.ms, ms),
      megabytes === undefined ? "-" : `${megabytes} MB`,
      `${ours.toFixed(ours < 100 ? 1 : 0)} MB`,
      megabytes === undefined ? "-" : deviation(ours, megabytes),
      `${newer.ms.toFixed(2)} ms`,
    ];
  };
  return table(
    ["network", "published", "22.02", "deviation", "published DRAM", "ours", "deviation", "25.03"],
    [
      row("SESR-M5 x2, 1080p", (metric) => sesrOnN78(FULL_HD, 2, metric), "sesr-m5 2"),
      row("SESR-M5 x2, 400x300 tile", (metric) => sesrOnN78(TILE, 2, metric), "tile"),
      row("SESR-M5 x4, 1080p *", (metric) => sesrOnN78(FULL_HD, 4, metric), "sesr-m5 4"),
      row("FSRCNN x2, 1080p", fsrcnnOnN78, "fsrcnn 2"),
    ],
  );
}

function ranFigures(): string {
  const columns = (["u55", "u65"] as const).map((npu) => ({
    npu,
    charged: ranTable(npu, "as-described"),
    clamped: ranTable(npu, "clamped"),
  }));
  const rows = RAN_MODELS.map((model) => [
    `\`${model}\``,
    ...columns.flatMap(({ npu, charged, clamped }) => [
      ranPublished(model, npu).toFixed(2),
      charged.get(model)!.toFixed(2),
      clamped.get(model)!.toFixed(2),
    ]),
  ]);
  const device = (name: string): string[] => [`${name} published`, "as described", "clamped"];
  return table(["network", ...device("U55"), ...device("U65")], rows);
}

/** The document as it should be, by its path. */
export function timingDocuments(): ReadonlyMap<string, string> {
  const blocks = new Map([
    ["n78", n78Table()],
    ["ran", ranFigures()],
  ]);
  const filled = (path: string, parts: ReadonlyMap<string, string>): readonly [string, string] => [
    path,
    fillBlocks(path, readFileSync(absolute(path), "utf8"), parts),
  ];
  return new Map([filled(DOCUMENT, blocks), filled(REPRODUCTION, new Map([["reproduction", markdown(reproduce())]]))]);
}
