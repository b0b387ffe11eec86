/**
 * Ethos-U, event mode: which blocks of one job need which of the job before. The NPU runs jobs in order and lets up to three blocks of two
 * jobs overlap, as far as none reads what another has yet to write.
 */
import type { Shape } from "../../network/description.ts";
import { tensorsOf } from "../operation.ts";
import { keepsDepth, type NpuOperation, windowOf } from "./block.ts";

/** Part of an operation that is run in one go: rows and channels of its output, from and up to. */
export interface Part {
  readonly operation: NpuOperation;
  /** [height, width, depth] of a block. */
  readonly block: Shape;
  readonly rows: readonly [from: number, to: number];
  readonly channels: readonly [from: number, to: number];
}

/** Blocks of two jobs that the NPU has under way at most. */
export const MOST_OVERLAP = 3;

/** From and up to, in rows, columns and channels. */
type Region = readonly [
  rows: readonly [number, number],
  columns: readonly [number, number],
  channels: readonly [number, number],
];

function grid({ operation, block, rows, channels }: Part): {
  readonly deep: number;
  readonly wide: number;
  readonly high: number;
} {
  return {
    deep: Math.ceil((channels[1] - channels[0]) / block[2]),
    wide: Math.ceil(operation.output.shape[1] / block[1]),
    high: Math.ceil((rows[1] - rows[0]) / block[0]),
  };
}

const cut = (from: number, size: number, end: number): readonly [number, number] => [from, Math.min(from + size, end)];

/** Blocks follow one another in depth, then along rows, then down. */
function blockAt(part: Part, index: number): Region | undefined {
  const { deep, wide, high } = grid(part);
  if (index < 0 || index >= deep * wide * high) return undefined;
  const { block, rows, channels, operation } = part;
  return [
    cut(rows[0] + Math.floor(index / (deep * wide)) * block[0], block[0], rows[1]),
    cut((Math.floor(index / deep) % wide) * block[1], block[1], operation.output.shape[1]),
    cut(channels[0] + (index % deep) * block[2], block[2], channels[1]),
  ];
}

/** Padding before the first row or column that leaves the output its size. */
function padding(operation: NpuOperation, axis: 0 | 1): number {
  const { kernel, stride, spread } = windowOf(operation);
  const size = operation.input.shape[axis] * spread;
  const all = (operation.output.shape[axis] - 1) * stride[axis] + kernel[axis] - size;
  return Math.max(0, Math.floor(all / 2));
}

/** Rows or columns of the input behind those of the output. */
export function inputRange(
  operation: NpuOperation,
  [from, to]: readonly [number, number],
  axis: 0 | 1,
): readonly [number, number] {
  const { kernel, stride, spread } = windowOf(operation);
  const before = padding(operation, axis);
  const first = Math.floor((from * stride[axis] - before) / spread);
  const last = Math.ceil(((to - 1) * stride[axis] - before + kernel[axis]) / spread);
  return [Math.max(0, first), Math.min(operation.input.shape[axis], last)];
}

function inputOf(operation: NpuOperation, [rows, columns, channels]: Region): Region {
  const all = [0, operation.input.shape[2]] as const;
  return [inputRange(operation, rows, 0), inputRange(operation, columns, 1), keepsDepth(operation) ? channels : all];
}

const meets = (a: Region, b: Region): boolean => a.every(([from, to], axis) => from < b[axis]![1] && b[axis]![0] < to);

/** Blocks of the job before that may be unfinished when the next one begins, 0 to 3: this less one for each block of its own. */
export function overlapOf(before: Part, next: Part): number {
  const made = before.operation.output.name;
  if (!tensorsOf(next.operation).some(({ name }) => name === made)) return MOST_OVERLAP;
  const { deep, wide, high } = grid(before);
  let least = MOST_OVERLAP;
  for (let begun = 0; begun < MOST_OVERLAP; begun++) {
    const block = blockAt(next, begun);
    if (!block) break;
    const read = inputOf(next.operation, block);
    for (let unfinished = 0; unfinished < MOST_OVERLAP; unfinished++) {
      const written = blockAt(before, deep * wide * high - 1 - unfinished);
      if (written && meets(read, written)) least = Math.min(least, begun + unfinished);
    }
  }
  return least;
}
