/** The computed tables of docs/timing-model.md. */
import { readFileSync } from "node:fs";
import { absolute, fillBlocks, table } from "../documents.ts";
import { armTable } from "./arm.ts";
import { cpuNetworksTable, HOST_MODULE, heldOutTable, hostModule, storedCalibration } from "./host.ts";
import { fsrcnnOnN78, RAN_MODELS, RAN_PUBLISHED, ranTable, sesrOnN78 } from "./published.ts";

const DOCUMENT = "docs/timing-model.md";

function deviation(ours: number, published: number): string {
  const percent = 100 * (ours / published - 1);
  return `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(1)} %`;
}

function n78Table(): string {
  const row = (
    name: string,
    run: (metric: string) => ReturnType<typeof fsrcnnOnN78>,
    published: { readonly ms: number; readonly megabytes?: number },
  ): string[] => {
    const [older, newer] = [run("22.02").total, run("25.03").total];
    const { ms, megabytes } = published;
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
      row("SESR-M5 x2, 1080p", (metric) => sesrOnN78([1080, 1920], 2, metric), { ms: 27.2, megabytes: 282 }),
      row("SESR-M5 x2, 400x300 tile", (metric) => sesrOnN78([300, 400], 2, metric), { ms: 1.2 }),
      row("SESR-M5 x4, 1080p *", (metric) => sesrOnN78([1080, 1920], 4, metric), { ms: 45.1, megabytes: 390 }),
      row("FSRCNN x2, 1080p", fsrcnnOnN78, { ms: 167.4, megabytes: 564 }),
    ],
  );
}

function ranFigures(): string {
  const columns = (["ethos-u55-256", "ethos-u65-512"] as const).map((id) => ({
    charged: ranTable(id, "as-described"),
    clamped: ranTable(id, "clamped"),
  }));
  const rows = RAN_MODELS.map((model) => [
    `\`${model}\``,
    ...columns.flatMap(({ charged, clamped }, i) => [
      RAN_PUBLISHED[model][i]!.toFixed(2),
      charged.get(model)!.toFixed(2),
      clamped.get(model)!.toFixed(2),
    ]),
  ]);
  const device = (name: string): string[] => [`${name} published`, "as described", "clamped"];
  return table(["network", ...device("U55"), ...device("U65")], rows);
}

/** The document, and the module of the calibrated machine, as they should be, by their paths. */
export function timingDocuments(): ReadonlyMap<string, string> {
  const calibration = storedCalibration();
  const blocks = new Map([
    ["n78", n78Table()],
    ["ran", ranFigures()],
    ["cpu-shapes", heldOutTable(calibration)],
    ["cpu-networks", cpuNetworksTable(calibration)],
    ["cpu-arm", armTable(calibration.device)],
  ]);
  return new Map([
    [DOCUMENT, fillBlocks(DOCUMENT, readFileSync(absolute(DOCUMENT), "utf8"), blocks)],
    [HOST_MODULE, hostModule(calibration)],
  ]);
}
