/**
 * What happens when, and on what: slices of work on the resources of a device. Every backend can fill one; traces and charts are written
 * from it. One whose model has no times within an operation takes `timelineOfLayers`.
 */
import type { SimulationReport } from "./report.ts";

/** Work on one resource, of one layer. */
export interface Slice {
  /** What is done: the layer's name, or that and which part of it. */
  readonly name: string;
  /** Name of the layer's report. */
  readonly layer: string;
  /** In cycles of the device's clock, from the beginning of the network. */
  readonly start: number;
  /** From its beginning to its end. */
  readonly cycles: number;
  /** Of these, those in which the resource works; the others it waits between the pieces of a run. At most `cycles`. */
  readonly busy: number;
  /** Identical pieces of work, such as blocks, that it stands for. */
  readonly pieces: number;
}

/** One resource: its slices by rising start, none of which overlaps another. */
export interface Lane {
  /** Key of `cyclesByResource` of the reports. */
  readonly resource: string;
  /** In words. */
  readonly title: string;
  /** By rising start. */
  readonly slices: readonly Slice[];
}

/** A quantity that steps from value to value. */
export interface Counter {
  /** In words. */
  readonly title: string;
  /** Of the values. */
  readonly unit: string;
  /** By rising cycle; each value holds until the next. */
  readonly samples: readonly { readonly cycle: number; readonly value: number }[];
}

/** When what happened. */
export interface Timeline {
  /** Its name. */
  readonly network: string;
  /** Its id. */
  readonly device: string;
  /** As of the report. */
  readonly mode: SimulationReport["mode"];
  /** Cycles a second. */
  readonly clockHz: number;
  /** From the beginning of the network to its end. */
  readonly cycles: number;
  /** One a resource. */
  readonly lanes: readonly Lane[];
  /** What changes over time, such as SRAM in use. */
  readonly counters: readonly Counter[];
}

/** A report, and when what happened. */
export interface Traced {
  /** What `simulate` returns. */
  readonly report: SimulationReport;
  /** The same with times. */
  readonly timeline: Timeline;
}

/** Resources in words; others are called by their keys. */
const TITLES: Readonly<Record<string, string>> = {
  dmaIn: "feature maps in",
  weightDma: "weight copies",
  weightStream: "weights in use",
  mac: "MAC units",
  mce: "MAC engine",
  output: "output unit",
  ple: "second engine",
  dmaOut: "feature maps out",
  sram: "SRAM port",
  onChipFlash: "on-chip flash",
  dram: "DRAM port",
  flash: "flash port",
  npu: "NPU",
  host: "host processor",
};

export const resourceTitle = (resource: string): string => TITLES[resource] ?? resource;

/**
 * The timeline of a report whose layers follow one another: one slice a layer and resource, from the layer's beginning on, or from the end
 * of the resource's slice before where that lasts longer than its layer.
 */
export function timelineOfLayers({ network, device, mode, clockHz, total, layers }: SimulationReport): Timeline {
  const lanes = new Map<string, Slice[]>();
  const ends = new Map<string, number>();
  let start = 0;
  for (const { name, cycles, cyclesByResource } of layers) {
    for (const [resource, busy] of Object.entries(cyclesByResource)) {
      if (busy <= 0) continue;
      const from = Math.max(start, ends.get(resource) ?? 0);
      ends.set(resource, from + busy);
      lanes.set(resource, [
        ...(lanes.get(resource) ?? []),
        { name, layer: name, start: from, cycles: busy, busy, pieces: 1 },
      ]);
    }
    start += cycles;
  }
  return {
    network,
    device,
    mode,
    clockHz,
    cycles: total.cycles,
    lanes: [...lanes].map(([resource, slices]) => ({ resource, title: resourceTitle(resource), slices })),
    counters: [],
  };
}
