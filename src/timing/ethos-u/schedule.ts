/** Ethos-U: decides block, memories and weight buffers of every operation of a program. */
import type { EthosU, MemoryArea } from "../devices/description.ts";
import { type HostOperation, tensorsOf } from "../operation.ts";
import type { EncodedSize } from "../weights.ts";
import { type Block, chooseBlock, type NpuOperation } from "./block.ts";
import { besideOwn, type Cascade, findCascades, growStripes } from "./cascade.ts";
import { type LiveRange, liveRanges, usage } from "./live-ranges.ts";
import type { EthosUOperation, EthosUProgram } from "./prepare.ts";
import { chooseStaging, wholeStaging } from "./staging.ts";
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

export const isHost = (step: Step | HostStep): step is HostStep => step.operation.kind === "host";

export interface Schedule {
  readonly steps: readonly Scheduled[];
  /** Chains that run stripe by stripe. */
  readonly cascades: readonly Cascade[];
  /** In use at each operation. */
  readonly sramBytes: readonly number[];
  readonly sramPeakBytes: number;
}

const ALIGNMENT = 16;

/** The weight stream with its biases. */
function encodedBytes(operation: NpuOperation, size: EncodedSize): number {
  if (operation.kind === "elementwise" || !operation.filter) return 0;
  const { name, layers, filter } = operation;
  return Math.ceil((size({ name, layers, filter }) + filter.channels * BIAS_BYTES) / ALIGNMENT) * ALIGNMENT;
}

function areaOf({ system, memory }: EthosU, what: "features" | "constants"): MemoryArea {
  const where = memory[what];
  return where === "second" ? system.second.area : where;
}

/** Operation i's cascade. */
const cascadeOf = (cascades: readonly Cascade[], i: number): Cascade | undefined =>
  cascades.find(({ start, end }) => start <= i && i <= end);

/** Feature maps between operations of one cascade. */
function between({ operations }: EthosUProgram, cascades: readonly Cascade[]): Set<string> {
  return new Set(cascades.flatMap(({ start, end }) => operations.slice(start, end).map(({ output }) => output.name)));
}

/**
 * Feature maps for the cache of a dedicated SRAM: those with most accesses per byte first, as long as they fit beside rings and weight
 * buffers at every time of their lives. (The vendor's compiler searches for the best set; this is ours.) What the caller writes or reads
 * stays where it is, and so does what a cascade makes.
 */
function chooseCached(
  program: EthosUProgram,
  ranges: ReadonlyMap<string, LiveRange>,
  cascades: readonly Cascade[],
  buffers: readonly number[],
  cacheBytes: number,
): Set<string> {
  const cached = new Set<string>();
  const free = program.operations.filter((_, i) => !cascadeOf(cascades, i)).map(({ output }) => output.name);
  const candidates = free.filter((name) => name !== program.output.name).map((name) => ranges.get(name)!);
  candidates.sort((a, b) => b.readers.length - a.readers.length || a.bytes - b.bytes || a.from - b.from);
  for (const { tensor } of candidates) {
    cached.add(tensor.name);
    const used = usage(program, ranges, (name) => cached.has(name), cascades);
    if (used.some((bytes, i) => bytes + buffers[i]! > cacheBytes)) cached.delete(tensor.name);
  }
  return cached;
}

interface Plan {
  readonly cascades: readonly Cascade[];
  readonly blocks: readonly (Block | undefined)[];
  readonly area: (name: string) => MemoryArea;
  /** Bytes that weight buffers may take at each operation. */
  readonly free: (i: number) => number;
}

function blocksOf(
  device: EthosU,
  operations: readonly EthosUOperation[],
  cascades: readonly Cascade[],
): (Block | undefined)[] {
  return operations.map((operation, i) => {
    if (operation.kind === "host") return undefined;
    const cascade = cascadeOf(cascades, i);
    return chooseBlock(device.core, operation, cascade?.rows[i - cascade.start]);
  });
}

interface Staged {
  readonly steps: Scheduled[];
  /** Bytes of weight buffers at each operation; operations of a cascade have all of theirs at once. */
  readonly buffers: number[];
}

/** Steps with their weight buffers, and what these take of the SRAM at each time. */
function stage(device: EthosU, { operations }: EthosUProgram, size: EncodedSize, plan: Plan): Staged {
  const weights = areaOf(device, "constants");
  const { cascades, blocks, area, free } = plan;
  const buffers: number[] = operations.map(() => 0);
  let slack = 0;
  const steps = operations.map((operation, i): Scheduled => {
    const [input, second] = tensorsOf(operation).map(({ name }) => area(name)) as [MemoryArea, MemoryArea?];
    const place: Placement = { input, second: second ?? input, output: area(operation.output.name), weights };
    if (operation.kind === "host") {
      // The NPU waits, and its DMA with it.
      slack = 0;
      return { step: { operation, place } };
    }
    const block = blocks[i]!;
    const bytes = encodedBytes(operation, size);
    const cascade = cascadeOf(cascades, i);
    const limit = Math.max(0, free(i) - buffers[i]!);
    const staging = cascade
      ? wholeStaging(device, operation, block, place, bytes, limit)
      : chooseStaging(device, operation, block, place, bytes, { slack, limit });
    const step: Step = { operation, block, place, encodedBytes: bytes, ...(staging && { staging }) };
    const estimate = estimateStep(device, step, slack);
    slack = estimate.slack;
    const taken = staging?.bufferBytes ?? 0;
    for (let at = cascade?.start ?? i; at <= (cascade?.end ?? i); at++) buffers[at]! += taken;
    return { step, estimate };
  });
  return { steps, buffers };
}

/**
 * Operations run in the program's order. Where feature maps live in SRAM and it is limited, chains that save SRAM become cascades, and
 * weight buffers take what is left. In a dedicated SRAM cascades come first, then weight buffers, then feature maps where there is room.
 * @throws WasmogradError ERR_UNSUPPORTED when an operation has no block that fits
 */
export function schedule(device: EthosU, program: EthosUProgram, size: EncodedSize): Schedule {
  const { operations } = program;
  const ranges = liveRanges(program);
  const features = areaOf(device, "features");
  const limit = device.memory.cacheBytes ?? Number.POSITIVE_INFINITY;
  const spills = features !== "sram";
  const whole = blocksOf(device, operations, []);
  const inSram = usage(program, ranges, () => !spills);
  const finished = ({ steps, buffers }: Staged, used: readonly number[], cascades: readonly Cascade[]): Schedule => {
    const sramBytes = used.map((bytes, i) => bytes + buffers[i]!);
    return { steps, cascades, sramBytes, sramPeakBytes: Math.max(0, ...sramBytes) };
  };
  if (!spills) {
    const unlimited = { cascades: [], blocks: whole, area: () => features, free: () => Number.POSITIVE_INFINITY };
    const all = finished(stage(device, program, size, unlimited), inSram, []);
    if (all.sramPeakBytes < limit) return all;
  }
  const bounds = { limit, spills, beside: spills ? inSram : besideOwn(program, ranges, inSram) };
  const lowest = findCascades(program, ranges, bounds);
  const settle = (cascades: readonly Cascade[], cached: ReadonlySet<string>) => {
    const rings = between(program, cascades);
    const area = (name: string): MemoryArea => (rings.has(name) || cached.has(name) ? "sram" : features);
    const used = usage(program, ranges, (name) => area(name) === "sram", cascades);
    const plan = { cascades, area, free: (i: number) => limit - used[i]! };
    return { used, staged: stage(device, program, size, { ...plan, blocks: blocksOf(device, operations, cascades) }) };
  };
  const first = settle(lowest, new Set());
  const cascades = lowest.map((one) => growStripes(program, ranges, one, bounds, first.staged.buffers[one.start]!));
  const second = settle(cascades, new Set());
  const cached = spills ? chooseCached(program, ranges, cascades, second.staged.buffers, limit) : new Set<string>();
  const { used, staged } = cached.size === 0 ? second : settle(cascades, cached);
  return finished(staged, used, cascades);
}
