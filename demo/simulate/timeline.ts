/**
 * When which resource is busy. Closed formulas know for how long each is, within an operation, and not when: every operation begins where
 * the one before ends, and its resources with it. Where a metric gives an operation less time than a resource of it is busy (work on
 * neighbours overlaps), the span ends with the operation. A report with times of its own would be read here and nowhere else.
 */
import type { SimulationReport } from "../../src/timing/report.ts";

export interface Span {
  /** The resource. */
  readonly track: string;
  /** Index of the operation in the report. */
  readonly layer: number;
  /** Of the device's clock. */
  readonly start: number;
  readonly cycles: number;
  /** How long the resource is busy, which may be more. */
  readonly busyCycles: number;
}

export interface Timeline {
  readonly tracks: readonly string[];
  readonly spans: readonly Span[];
  readonly cycles: number;
}

export function timelineOf({ layers, total }: SimulationReport): Timeline {
  const busy = new Map<string, number>();
  const spans: Span[] = [];
  let start = 0;
  for (const [layer, { cyclesByResource, cycles }] of layers.entries()) {
    for (const [track, taken] of Object.entries(cyclesByResource)) {
      if (taken <= 0) continue;
      spans.push({ track, layer, start, cycles: Math.min(taken, cycles), busyCycles: taken });
      busy.set(track, (busy.get(track) ?? 0) + taken);
    }
    start += cycles;
  }
  const tracks = [...busy].sort(([, a], [, b]) => b - a).map(([track]) => track);
  return { tracks, spans, cycles: total.cycles };
}

/** The timeline in the format that Chrome's tracing page and Perfetto open: complete events, in microseconds. */
export function traceOf(report: SimulationReport): object {
  const { tracks, spans } = timelineOf(report);
  const us = (cycles: number): number => (cycles / report.clockHz) * 1e6;
  const names = tracks.map((track, tid) => ({ ph: "M", pid: 0, tid, name: "thread_name", args: { name: track } }));
  const events = spans.map(({ track, layer, start, cycles, busyCycles }) => {
    const { name, operation, shape, macs, bound, why } = report.layers[layer]!;
    const times = { ts: us(start), dur: us(cycles) };
    return {
      ph: "X",
      pid: 0,
      tid: tracks.indexOf(track),
      name,
      cat: operation,
      ...times,
      args: { shape, macs, busyCycles, bound, why },
    };
  });
  const { network, device, mode, clockHz } = report;
  return { displayTimeUnit: "ms", otherData: { network, device, mode, clockHz }, traceEvents: [...names, ...events] };
}
