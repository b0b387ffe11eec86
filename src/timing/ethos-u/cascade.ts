/**
 * Ethos-U: chains of operations that are run stripe by stripe, so that only a few rows of what lies between them exist at a time. Which
 * chains, and how high the stripes are, restates the vendor's open compiler (3.10).
 */
import type { Shape } from "../../network/description.ts";
import { tensorsOf } from "../operation.ts";
import { type NpuOperation, roundUp, windowOf } from "./block.ts";
import type { LiveRange } from "./live-ranges.ts";
import type { EthosUOperation, EthosUProgram } from "./prepare.ts";

export interface Cascade {
  /** Indices of its first and last operation. */
  readonly start: number;
  readonly end: number;
  /** Output rows of each of its operations that are made at a time. */
  readonly rows: readonly number[];
  /** Of all feature maps between its operations. */
  readonly bufferBytes: number;
}

export interface CascadeBounds {
  /** SRAM that may be taken, in bytes. */
  readonly limit: number;
  /** Feature maps are in DRAM, and only what is between the operations of a cascade in SRAM. */
  readonly spills: boolean;
  /** Bytes of SRAM beside an operation's own feature maps. */
  readonly beside: readonly number[];
}

/** Rows of the input that a stripe of the output depends on. */
function inputRows(operation: NpuOperation, rows: number): number {
  const { kernel, stride, spread } = windowOf(operation);
  return Math.min(operation.input.shape[0], Math.ceil(((rows - 1) * stride[0] + kernel[0]) / spread));
}

/** The rows that a ring between two operations holds: whole stripes of what the second one reads. */
function ringBytes(producer: NpuOperation, rows: number, consumer: NpuOperation, consumerRows: number): number {
  const read = inputRows(consumer, consumerRows);
  const [height, width, depth]: Shape = producer.output.shape;
  return (Math.min(height, roundUp(rows + read, read)) * width * roundUp(depth, 16) * producer.bits) / 8;
}

/** The rows of one stripe, from the last operation upwards. */
function rowsAbove(operations: readonly NpuOperation[], last: number): number[] {
  const rows = [last];
  for (let i = operations.length - 1; i > 0; i--) {
    const above = operations[i - 1]!.output.shape[0];
    rows.unshift(Math.min(above, rows[0]! * windowOf(operations[i]!).stride[0]));
  }
  return rows;
}

function ringsOf(operations: readonly NpuOperation[], rows: readonly number[]): number {
  return operations.slice(1).reduce((sum, one, i) => sum + ringBytes(operations[i]!, rows[i]!, one, rows[i + 1]!), 0);
}

/** Least rows of each operation in the whole program: what the stride of the next one asks for. */
function leastRows(operations: readonly EthosUOperation[]): number[] {
  return operations.map((_, i) => {
    const next = operations[i + 1];
    return next && next.kind !== "host" ? windowOf(next).stride[0] : 1;
  });
}

function canCascade(operation: EthosUOperation, rows: number): operation is NpuOperation {
  if (operation.kind === "host" || operation.kind === "fully-connected") return false;
  if (operation.kind === "elementwise" && operation.second) return false;
  return rows < operation.output.shape[0];
}

/** Chains that save SRAM, with the lowest stripes. */
export function findCascades(
  { operations, output }: EthosUProgram,
  ranges: ReadonlyMap<string, LiveRange>,
  { limit, spills, beside }: CascadeBounds,
): Cascade[] {
  const rows = leastRows(operations);
  const bytes = (name: string): number => ranges.get(name)!.bytes;
  /** Of an operation that is in no cascade. */
  const alone = (i: number): number => {
    const { input, output: made } = operations[i]!;
    return bytes(input.name) + bytes(made.name) + beside[i]!;
  };
  const found: Cascade[] = [];
  let peak = limit;
  for (let start = 0; start < operations.length; start++) {
    const first = operations[start]!;
    if (!canCascade(first, rows[start]!)) {
      if (!spills) peak = Math.max(peak, alone(start));
      continue;
    }
    const above = (spills ? 0 : bytes(first.input.name)) + beside[start]!;
    let end = start;
    let rings = 0;
    let best = spills ? Number.POSITIVE_INFINITY : alone(start);
    let bestRings = 0;
    for (let i = start + 1; i < operations.length; i++) {
      const [before, current] = [operations[i - 1]! as NpuOperation, operations[i]!];
      const only = ranges.get(before.output.name)!.readers.length === 1 && before.output.name !== output.name;
      if (!only || current.input.name !== before.output.name || !canCascade(current, rows[i]!)) break;
      rings += ringBytes(before, rows[i - 1]!, current, rows[i]!);
      const uncascaded = alone(i);
      if (spills) {
        // Until an operation fits by itself, or the rings no longer do.
        if (uncascaded < limit || above + rings > limit) break;
        [end, bestRings] = [i, rings];
        continue;
      }
      if ((uncascaded < peak && best < peak) || above + rings > best) break;
      const size = above + rings + bytes(current.output.name);
      if (size < best || size < uncascaded) [end, best, bestRings] = [i, size, rings];
    }
    if (end > start) found.push({ start, end, rows: rows.slice(start, end + 1), bufferBytes: bestRings });
    if (!spills) peak = Math.max(peak, end > start ? best : alone(start));
    start = end;
  }
  return found;
}

/**
 * The same cascade with the highest stripes whose rings still fit: fewer, larger blocks.
 * @param weightBytes buffers of the weights of its operations
 */
export function growStripes(
  { operations }: EthosUProgram,
  ranges: ReadonlyMap<string, LiveRange>,
  cascade: Cascade,
  { limit, spills, beside }: CascadeBounds,
  weightBytes: number,
): Cascade {
  const chain = operations.slice(cascade.start, cascade.end + 1) as readonly NpuOperation[];
  const ends = spills
    ? 0
    : [chain[0]!.input.name, chain.at(-1)!.output.name].reduce((sum, name) => sum + ranges.get(name)!.bytes, 0);
  const fixed = ends + weightBytes + beside[cascade.start]!;
  let best = cascade;
  const most = Math.floor(chain.at(-1)!.output.shape[0] / 2);
  for (let last = cascade.rows.at(-1)! + 1; last <= most; last++) {
    const rows = rowsAbove(chain, last);
    const bufferBytes = ringsOf(chain, rows);
    if (fixed + bufferBytes > limit) break;
    best = { ...cascade, rows, bufferBytes };
  }
  return best;
}

/** Bytes beside an operation's own feature maps. */
export function besideOwn(
  { operations }: EthosUProgram,
  ranges: ReadonlyMap<string, LiveRange>,
  used: readonly number[],
): number[] {
  return operations.map((operation, i) => {
    const names = new Set([...tensorsOf(operation).slice(0, 1), operation.output].map(({ name }) => name));
    const own = [...names].reduce((sum, name) => sum + ranges.get(name)!.bytes, 0);
    return Math.max(0, used[i]! - own);
  });
}
