/** A timeline as the trace-event JSON that Chrome's tracing page and Perfetto open: one thread a resource, one slice a piece or run. */
import type { Traced } from "./timeline.ts";

/** Complete slices ("X"), counters ("C") and names ("M"), as the trace-event format has them. Times are in microseconds. */
export type TraceEvent =
  | {
      readonly ph: "X";
      readonly name: string;
      readonly cat: string;
      readonly pid: number;
      readonly tid: number;
      readonly ts: number;
      readonly dur: number;
      readonly args: Readonly<Record<string, string | number>>;
    }
  | {
      readonly ph: "C";
      readonly name: string;
      readonly pid: number;
      readonly ts: number;
      readonly args: Readonly<Record<string, number>>;
    }
  | {
      readonly ph: "M";
      readonly name: "process_name" | "thread_name" | "thread_sort_index";
      readonly pid: number;
      readonly tid: number;
      readonly args: Readonly<Record<string, string | number>>;
    };

/** A file for chrome://tracing and Perfetto. */
export interface ChromeTrace {
  /** What the viewer shows. */
  readonly displayTimeUnit: "ms";
  /** Network, device, mode, clock and cycles. */
  readonly otherData: Readonly<Record<string, string | number>>;
  /** Names first. */
  readonly traceEvents: readonly TraceEvent[];
}

const PROCESS = 1;
/** The thread of the layers themselves: each from the end of the one before to its own. */
const LAYERS = 1;

/**
 * The trace of a simulation, to be stored as JSON. The slices of a resource's thread have its busy cycles in their arguments: they add up
 * to the report's `total.cyclesByResource`. Those of the thread "layers" add up to the total time.
 */
export function chromeTrace({ report, timeline }: Traced): ChromeTrace {
  const { network, device, mode, clockHz, lanes, counters, cycles } = timeline;
  const microseconds = (of: number): number => (of / clockHz) * 1e6;
  const events: TraceEvent[] = [
    { ph: "M", name: "process_name", pid: PROCESS, tid: 0, args: { name: `${network} on ${device}` } },
  ];
  const thread = (tid: number, name: string): void => {
    events.push({ ph: "M", name: "thread_name", pid: PROCESS, tid, args: { name } });
    events.push({ ph: "M", name: "thread_sort_index", pid: PROCESS, tid, args: { sort_index: tid } });
  };
  thread(LAYERS, "layers");
  let start = 0;
  for (const { name, operation, cycles: its, bound, why } of report.layers) {
    const times = { ts: microseconds(start), dur: microseconds(its) };
    const args = { operation, cycles: its, bound, why };
    events.push({ ph: "X", name, cat: "layer", pid: PROCESS, tid: LAYERS, ...times, args });
    start += its;
  }
  for (const [i, { resource, title, slices }] of lanes.entries()) {
    const tid = LAYERS + 1 + i;
    thread(tid, title);
    for (const slice of slices) {
      const times = { ts: microseconds(slice.start), dur: microseconds(slice.cycles) };
      const args = { layer: slice.layer, busyCycles: slice.busy, pieces: slice.pieces };
      events.push({ ph: "X", name: slice.name, cat: resource, pid: PROCESS, tid, ...times, args });
    }
  }
  for (const { title, unit, samples } of counters) {
    for (const { cycle, value } of samples) {
      events.push({ ph: "C", name: title, pid: PROCESS, ts: microseconds(cycle), args: { [unit]: value } });
    }
    events.push({ ph: "C", name: title, pid: PROCESS, ts: microseconds(cycles), args: { [unit]: 0 } });
  }
  return { displayTimeUnit: "ms", otherData: { network, device, mode, clockHz, cycles }, traceEvents: events };
}
