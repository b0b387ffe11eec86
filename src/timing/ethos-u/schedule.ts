/** Ethos-U: decides block, memories and weight buffers of every operation of a program. */
import type { EthosU, MemoryArea } from "../devices/description.ts";
import { type HostOperation, tensorsOf } from "../operation.ts";
import type { EncodedSize } from "../weights.ts";
import { type Block, chooseBlock, type NpuOperation } from "./block.ts";
import { type LiveRange, liveRanges, usage } from "./live-ranges.ts";
import type { EthosUProgram } from "./prepare.ts";
import { chooseStaging } from "./staging.ts";
import { estimateStep, type Step, type StepEstimate } from "./step.ts";
import { BIAS_BYTES, type Placement } from "./transfers.ts";

export interface HostStep {
  readonly operation: HostOperation;
  readonly place: Placement;
}

export interface Scheduled {
  readonly step: Step | HostStep;
  /** Of what the NPU runs. */
  readonly estimate?: StepEstimate;
}

export interface Schedule {
  readonly steps: readonly Scheduled[];
  readonly sramPeakBytes: number;
}

const ALIGNMENT = 16;

/** The weight stream with its biases. */
function encodedBytes(operation: NpuOperation, size: EncodedSize): number {
  if (operation.kind === "elementwise" || !operation.filter) return 0;
  const { name, filter } = operation;
  return Math.ceil((size({ name, filter }) + filter.channels * BIAS_BYTES) / ALIGNMENT) * ALIGNMENT;
}

function areaOf({ system, memory }: EthosU, what: "features" | "constants"): MemoryArea {
  const where = memory[what];
  return where === "second" ? system.second.area : where;
}

/** The feature maps that may move into the cache: not those that the caller writes and reads. */
function movable({ input, output, operations }: EthosUProgram): Set<string> {
  const names = operations.map((operation) => operation.output.name);
  return new Set(names.filter((name) => name !== output.name && name !== input.name));
}

/**
 * Feature maps for the cache of a dedicated SRAM: those with most accesses per byte first, as long as they fit beside the weight buffers
 * at every time of their lives. (The vendor's compiler searches for the best set; this is ours.)
 */
function chooseCached(
  program: EthosUProgram,
  ranges: ReadonlyMap<string, LiveRange>,
  buffers: readonly number[],
  cacheBytes: number,
): Set<string> {
  const cached = new Set<string>();
  const candidates = [...movable(program)].map((name) => ranges.get(name)!);
  candidates.sort((a, b) => b.readers.length - a.readers.length || a.bytes - b.bytes || a.from - b.from);
  for (const { tensor } of candidates) {
    cached.add(tensor.name);
    const used = usage(program, ranges, (name) => cached.has(name));
    if (used.some((bytes, i) => bytes + buffers[i]! > cacheBytes)) cached.delete(tensor.name);
  }
  return cached;
}

/** Steps with their weight buffers, and what these take of the SRAM at each time. */
function stage(
  device: EthosU,
  program: EthosUProgram,
  blocks: readonly (Block | undefined)[],
  { placeOf, free, size }: { placeOf: (i: number) => Placement; free: (i: number) => number; size: EncodedSize },
): { steps: Scheduled[]; buffers: number[] } {
  let slack = 0;
  const buffers: number[] = [];
  const steps = program.operations.map((operation, i): Scheduled => {
    const place = placeOf(i);
    if (operation.kind === "host") {
      // The NPU waits, and its DMA with it.
      slack = 0;
      buffers.push(0);
      return { step: { operation, place } };
    }
    const block = blocks[i]!;
    const bytes = encodedBytes(operation, size);
    const staging = chooseStaging(device, operation, block, place, bytes, { slack, limit: free(i) });
    const step: Step = { operation, block, place, encodedBytes: bytes, ...(staging && { staging }) };
    const estimate = estimateStep(device, step, slack);
    slack = estimate.slack;
    buffers.push(staging?.bufferBytes ?? 0);
    return { step, estimate };
  });
  return { steps, buffers };
}

/**
 * Operations run in the program's order. Where feature maps live in SRAM, weight buffers take what these leave of the cache size; in a
 * dedicated SRAM buffers come first, and feature maps move in where there is room.
 * @throws WasmogradError ERR_UNSUPPORTED when an operation has no block that fits
 */
export function schedule(device: EthosU, program: EthosUProgram, size: EncodedSize): Schedule {
  const { operations } = program;
  const ranges = liveRanges(program);
  const blocks = operations.map((one) => (one.kind === "host" ? undefined : chooseBlock(device.core, one)));
  const features = areaOf(device, "features");
  const weights = areaOf(device, "constants");
  const cache = device.memory.cacheBytes ?? Number.POSITIVE_INFINITY;
  const placeBy =
    (area: (name: string) => MemoryArea) =>
    (i: number): Placement => {
      const operation = operations[i]!;
      const [input, second] = tensorsOf(operation).map(({ name }) => area(name)) as [MemoryArea, MemoryArea?];
      return { input, second: second ?? input, output: area(operation.output.name), weights };
    };
  if (features === "sram") {
    const used = usage(program, ranges, () => true);
    const free = (i: number): number => Math.max(0, cache - used[i]!);
    const { steps, buffers } = stage(device, program, blocks, { placeOf: placeBy(() => "sram"), free, size });
    return { steps, sramPeakBytes: Math.max(0, ...used.map((bytes, i) => bytes + buffers[i]!)) };
  }
  const first = stage(device, program, blocks, { placeOf: placeBy(() => features), free: () => cache, size });
  const cached = chooseCached(program, ranges, first.buffers, cache);
  const area = (name: string): MemoryArea => (cached.has(name) ? "sram" : features);
  const used = usage(program, ranges, (name) => cached.has(name));
  const free = (i: number): number => Math.max(0, cache - used[i]!);
  const { steps, buffers } = stage(device, program, blocks, { placeOf: placeBy(area), free, size });
  return { steps, sramPeakBytes: Math.max(0, ...used.map((bytes, i) => bytes + buffers[i]!)) };
}
