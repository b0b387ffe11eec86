/** What the event simulation writes down: counts of each layer, and slices of each lane with runs of like pieces as one. */
import type { Lane, Slice } from "../timeline.ts";
import { resourceTitle } from "../timeline.ts";

/** Pieces of a job that are drawn one by one before the others are drawn as a run. */
const SINGLES = 2;

/** Counts of a layer before those of the lanes. */
const [CYCLES, WEIGHTS, MEMORY] = [0, 1, 2];
const FIXED = 3;

/** What one layer took. */
export interface LayerCounts {
  /** From the end of what was finished before to its own end: all layers' add up to the network's. */
  readonly cycles: number;
  /** Of these: nothing computed, as its weights were not there. */
  readonly waitsForWeights: number;
  /** Of these: nothing computed, as no input was there: memory latency, or the layer before. */
  readonly waitsForMemory: number;
  /** Cycles at work, of each lane. */
  readonly busy: readonly number[];
}

interface OpenSlice {
  readonly layer: number;
  readonly job: number;
  readonly start: number;
  end: number;
  busy: number;
  pieces: number;
  readonly single: boolean;
}

export class Recorder {
  /** Layer by layer: the fixed counts, then busy cycles and pieces of each lane. */
  private readonly counts: Float64Array;
  private readonly width: number;
  private readonly lanes: OpenSlice[][];

  private readonly layers: readonly string[];
  private readonly resources: readonly string[];
  private readonly drawn: boolean;

  /** @param drawn whether slices are kept, and not only counts */
  constructor(layers: readonly string[], resources: readonly string[], drawn: boolean) {
    this.layers = layers;
    this.resources = resources;
    this.drawn = drawn;
    this.width = FIXED + 2 * resources.length;
    this.counts = new Float64Array(layers.length * this.width);
    this.lanes = resources.map(() => []);
  }

  /** Time that passes while a layer is the first unfinished one. */
  pass(layer: number, cycles: number, waits: "weights" | "memory" | undefined): void {
    const at = layer * this.width;
    this.counts[at + CYCLES]! += cycles;
    if (waits) this.counts[at + (waits === "weights" ? WEIGHTS : MEMORY)]! += cycles;
  }

  /**
   * Work that is over. "singles": the first pieces of a job are drawn one by one; "run": all of a job as one; "port": all of a layer.
   */
  add(lane: number, work: Omit<OpenSlice, "single">, drawn: "singles" | "run" | "port"): void {
    this.count(lane, work.layer, work.busy, work.pieces);
    this.draw(lane, work, drawn);
  }

  /** Draws without counting: what several layers have moved through a port at a time is counted apart. */
  draw(lane: number, work: Omit<OpenSlice, "single">, drawn: "singles" | "run" | "port"): void {
    const { layer, job, start, end, busy, pieces } = work;
    if (!this.drawn || end <= start) return;
    const slices = this.lanes[lane]!;
    const last = slices.at(-1);
    // Jobs that follow each other without a gap to speak of are one run.
    const near = last !== undefined && (last.job === job || start - last.end <= end - start);
    const goesOn = last !== undefined && !last.single && last.layer === layer && (drawn === "port" || near);
    if (goesOn) {
      last.end = end;
      last.busy += busy;
      last.pieces += pieces;
      return;
    }
    const before = drawn === "singles" ? slices.slice(-SINGLES).filter((slice) => slice.job === job).length : SINGLES;
    slices.push({ layer, job, start, end, busy, pieces, single: before < SINGLES });
  }

  count(lane: number, layer: number, busy: number, pieces: number): void {
    const at = layer * this.width + FIXED + 2 * lane;
    this.counts[at]! += busy;
    this.counts[at + 1]! += pieces;
  }

  snapshot(): Float64Array {
    return this.counts.slice();
  }

  /**
   * What happened since a snapshot happens another `times`, within `cycles`.
   * @param starts where each lane's part of that time begins: with the piece that is under way, whose own time comes after it
   */
  repeat(since: Float64Array, times: number, cycles: number, starts: readonly number[], job: number): void {
    const { counts, width } = this;
    for (let lane = 0; this.drawn && lane < this.lanes.length; lane++) {
      const parts: { layer: number; busy: number; pieces: number }[] = [];
      for (let layer = 0, at = FIXED + 2 * lane; at < counts.length; layer++, at += width) {
        const busy = (counts[at]! - since[at]!) * times;
        if (busy > 0) parts.push({ layer, busy, pieces: Math.round((counts[at + 1]! - since[at + 1]!) * times) });
      }
      this.drawRun(lane, parts, starts[lane]!, cycles, job);
    }
    for (let i = 0; i < counts.length; i++) counts[i]! += times * (counts[i]! - since[i]!);
  }

  /** Layers that take turns within that time are drawn one after the other, each with its part of it. */
  private drawRun(
    lane: number,
    parts: readonly { layer: number; busy: number; pieces: number }[],
    start: number,
    cycles: number,
    job: number,
  ): void {
    const slices = this.lanes[lane]!;
    const all = parts.reduce((sum, { busy }) => sum + busy, 0);
    let at = start;
    for (const { layer, busy, pieces } of parts) {
      const end = at + (cycles * busy) / all;
      const last = slices.at(-1);
      if (last && last.layer === layer && !last.single && parts.length === 1) {
        last.end = end;
        last.busy += busy;
        last.pieces += pieces;
      } else slices.push({ layer, job, start: at, end, busy, pieces, single: false });
      at = end;
    }
  }

  countsOf(layer: number): LayerCounts {
    const { counts, width } = this;
    const at = layer * width;
    return {
      cycles: counts[at + CYCLES]!,
      waitsForWeights: counts[at + WEIGHTS]!,
      waitsForMemory: counts[at + MEMORY]!,
      busy: this.resources.map((_, lane) => counts[at + FIXED + 2 * lane]!),
    };
  }

  timeline(): Lane[] {
    const finish = ({ layer, start, end, busy, pieces }: OpenSlice): Slice => ({
      name: pieces > 1 ? `${this.layers[layer]!}, ${pieces} pieces` : this.layers[layer]!,
      layer: this.layers[layer]!,
      start,
      cycles: end - start,
      busy,
      pieces: Math.max(1, pieces),
    });
    return this.resources.flatMap((resource, lane) => {
      const slices = this.lanes[lane]!.map(finish);
      return slices.length === 0 ? [] : [{ resource, title: resourceTitle(resource), slices }];
    });
  }
}
