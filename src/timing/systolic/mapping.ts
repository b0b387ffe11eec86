/**
 * Systolic arrays: how a convolution lies on rows and columns, and what a fold of it takes. A convolution is a product of matrices of
 * `pixels x window` and `window x filters`; a fold is as much of it as the array takes at once. Formulas: SCALE-Sim (arXiv 1811.02883).
 */
import type { Dataflow, Systolic } from "../devices/description.ts";
import type { WindowOperation } from "../operation.ts";

/** The matrices of a convolution; of a depthwise one, those of one channel, and how many there are. */
export interface MatrixProduct {
  /** Positions of the output. */
  readonly pixels: number;
  /** Products of one output: kernel height x width x input channels. */
  readonly window: number;
  readonly filters: number;
  readonly groups: number;
}

export interface Mapping {
  /** What is spread over the rows of the array, and over its columns. */
  readonly rows: number;
  readonly columns: number;
  /** What passes through, one value a cycle and lane. */
  readonly steps: number;
  readonly groups: number;
}

/** Zeros that a transposed convolution spreads its input with are products like others. */
export function matrixProduct(operation: WindowOperation): MatrixProduct {
  const [h, w, channels] = operation.output.shape;
  const taps = operation.kernel[0] * operation.kernel[1];
  return operation.kind === "depthwise"
    ? { pixels: h * w, window: taps, filters: 1, groups: channels }
    : { pixels: h * w, window: taps * operation.input.shape[2], filters: channels, groups: 1 };
}

export function mappingOf(dataflow: Dataflow, { pixels, window, filters, groups }: MatrixProduct): Mapping {
  if (dataflow === "os") return { rows: pixels, columns: filters, steps: window, groups };
  if (dataflow === "ws") return { rows: window, columns: filters, steps: pixels, groups };
  return { rows: window, columns: pixels, steps: filters, groups };
}

/** Folds along rows and columns, of one group. */
export interface Folds {
  readonly along: readonly [rows: number, columns: number];
  readonly count: number;
}

export function foldsOf(array: Systolic, mapping: Mapping): Folds {
  const along = [Math.ceil(mapping.rows / array.rows), Math.ceil(mapping.columns / array.columns)] as const;
  return { along, count: along[0] * along[1] };
}

/**
 * Cycles of one fold, however few of the cells it uses: `steps` values enter each lane, one cycle later from lane to lane, so that the last
 * cell has its last pair after steps + rows + columns - 2. What stays in the cells is shifted in before, a row a cycle; sums need no shifting.
 */
export function foldCycles({ rows, columns, dataflow }: Systolic, steps: number): number {
  return (dataflow === "os" ? 0 : rows) + steps + rows + columns - 2;
}

/** Cycles of all folds, one after the other, with everything at hand. */
export function arrayCycles(array: Systolic, mapping: Mapping): number {
  return mapping.groups * foldsOf(array, mapping).count * foldCycles(array, mapping.steps);
}

/** Cells that have work, of all, in the mean over the folds: 0..1. */
export function mappingEfficiency(array: Systolic, mapping: Mapping): number {
  const [rows, columns] = foldsOf(array, mapping).along;
  return (mapping.rows * mapping.columns) / (rows * array.rows * columns * array.columns);
}
