/** The computed tables of docs/timing-model.md. */
import { readFileSync } from "node:fs";
import { markdown } from "../../src/reproduction/format.ts";
import {
  FULL_HD,
  fsrcnnOnN78,
  LARGE_ARENA_BYTES,
  type Mode,
  RAN_DEVICES,
  ranSpeed,
  sesrOnN78,
  sesrWithSumOnN78,
  TILE,
} from "../../src/reproduction/hardware.ts";
import { reproduce } from "../../src/reproduction/reproduce.ts";
import type { SimulationReport } from "../../src/timing/report.ts";
import { absolute, fillBlocks, table } from "../documents.ts";
import { armTable } from "./arm.ts";
import { cpuNetworksTable, HOST_MODULE, heldOutTable, hostModule, storedCalibration } from "./host.ts";
import { bothModes, COMPARED, publishedValue, RAN_MODELS, ranPublished, ranTable } from "./published.ts";

const DOCUMENT = "docs/timing-model.md";
const REPRODUCTION = "docs/reproduction.md";

function deviation(ours: number, published: number): string {
  const percent = 100 * (ours / published - 1);
  if (Math.abs(percent) < 0.05) return "0.0 %";
  return `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(1)} %`;
}

function n78Table(): string {
  /** @param of what is published; nothing where absent */
  const row = (name: string, run: (metric: string, mode?: Mode) => SimulationReport, of?: string): string[] => {
    const [older, newer] = [run("22.02").total, run("25.03").total];
    const ms = of === undefined ? undefined : publishedValue(`n78-ms ${of}`);
    const megabytes = of === undefined || of === "tile" ? undefined : publishedValue(`n78-dram ${of}`);
    const ours = older.dramBytes / 1e6;
    return [
      name,
      ms === undefined ? "-" : `${ms} ms`,
      `${older.ms.toFixed(2)} ms`,
      ms === undefined ? "-" : deviation(older.ms, ms),
      megabytes === undefined ? "-" : `${megabytes} MB`,
      `${ours.toFixed(ours < 100 ? 1 : 0)} MB`,
      megabytes === undefined ? "-" : deviation(ours, megabytes),
      `${newer.ms.toFixed(2)} ms`,
      `${run("22.02", "event").total.ms.toFixed(2)} ms`,
    ];
  };
  return table(
    ["network", "published", "22.02", "deviation", "published DRAM", "ours", "deviation", "25.03", "event"],
    [
      row("SESR-M5 x2, 1080p", (metric, mode) => sesrOnN78(FULL_HD, 2, metric, mode), "sesr-m5 2"),
      row("the same with its sum with the input", (metric, mode) => sesrWithSumOnN78(FULL_HD, metric, mode)),
      row("SESR-M5 x2, 400x300 tile", (metric, mode) => sesrOnN78(TILE, 2, metric, mode), "tile"),
      row("SESR-M5 x4, 1080p *", (metric, mode) => sesrOnN78(FULL_HD, 4, metric, mode), "sesr-m5 4"),
      row("FSRCNN x2, 1080p", fsrcnnOnN78, "fsrcnn 2"),
    ],
  );
}

function ranFigures(): string {
  const columns = (["u55", "u65"] as const).map((npu) => ({
    npu,
    charged: ranTable(npu),
    clamped: ranTable(npu, { activations: "clamped" }),
  }));
  const rows = RAN_MODELS.map((model) => [
    `\`${model}\``,
    ...columns.flatMap(({ npu, charged, clamped }) => [
      ranPublished(model, npu).toFixed(2),
      charged.get(model)!.toFixed(2),
      clamped.get(model)!.toFixed(2),
    ]),
  ]);
  const large = ranSpeed("resnet18", RAN_DEVICES.u55, { arenaBytes: LARGE_ARENA_BYTES }).toFixed(2);
  rows.unshift(["`resnet18`, 2 MiB", ranPublished("resnet18", "u55").toFixed(2), large, large, "-", "-", "-"]);
  const device = (name: string): string[] => [`${name} published`, "as described", "clamped"];
  return table(["network", ...device("U55"), ...device("U65")], rows);
}

function modesTable(): string {
  const rows = COMPARED.map((compared) => {
    const [model, input, id] = compared;
    const { analytic, event } = bothModes(compared);
    const ms = ({ total }: SimulationReport): string => `${total.ms.toFixed(2)} ms`;
    const what = [`\`${model}\` ${input.join("x")}`, `\`${id}\``];
    return [...what, ms(analytic), ms(event), deviation(event.total.ms, analytic.total.ms), event.total.bound];
  });
  return table(["network", "device", "analytic", "event", "difference", "bound by, most of the time"], rows);
}

/** The documents, and the module of the calibrated machine, as they should be, by their paths. */
export function timingDocuments(): ReadonlyMap<string, string> {
  const calibration = storedCalibration();
  const blocks = new Map([
    ["n78", n78Table()],
    ["ran", ranFigures()],
    ["modes", modesTable()],
    ["cpu-shapes", heldOutTable(calibration)],
    ["cpu-networks", cpuNetworksTable(calibration)],
    ["cpu-arm", armTable(calibration.device)],
  ]);
  const filled = (path: string, parts: ReadonlyMap<string, string>): readonly [string, string] => [
    path,
    fillBlocks(path, readFileSync(absolute(path), "utf8"), parts),
  ];
  return new Map([
    filled(DOCUMENT, blocks),
    filled(REPRODUCTION, new Map([["reproduction", markdown(reproduce())]])),
    [HOST_MODULE, hostModule(calibration)],
  ]);
}
