/** What the event simulation found out, as reports and timelines have it. */
import type { SimulationReport } from "../report.ts";
import type { Counter, Timeline } from "../timeline.ts";
import type { Program } from "./program.ts";
import type { LayerCounts } from "./recorder.ts";
import type { Outcome } from "./run.ts";

/** Cycles at work of each resource that works at all. */
export function busyOf({ machine }: Program, { busy }: LayerCounts): Record<string, number> {
  return Object.fromEntries(
    machine.lanes.flatMap((resource, lane) => (busy[lane]! > 0 ? [[resource, busy[lane]!]] : [])),
  );
}

export function timelineOf(
  report: SimulationReport,
  { lanes, cycles }: Outcome,
  counters: readonly Counter[] = [],
): Timeline {
  const { network, device, mode, clockHz } = report;
  return { network, device, mode, clockHz, cycles, lanes, counters };
}
