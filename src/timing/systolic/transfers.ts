/**
 * Systolic arrays: what each fold fetches and writes. An operand stays where it is as long as half of its memory holds it; otherwise it
 * comes again. Which axis the folds go along first is chosen by time. Ours; SCALE-Sim traces every address instead.
 */
import { check } from "../../errors.ts";
import type { Systolic } from "../devices/description.ts";
import type { WindowOperation } from "../operation.ts";
import { type Folds, foldCycles, foldsOf, type Mapping, mappingOf, matrixProduct } from "./mapping.ts";
import { type FoldSequence, type FoldTransfers, type PortTransfer, pipelineCycles } from "./pipeline.ts";

/** Sums that are not complete, in bytes. */
const SUM_BYTES = 4;

/** An operand, in bytes. */
interface Operand {
  /** The axis of folds that its parts belong to; "both": each fold has a part of its own. */
  readonly along: "rows" | "columns" | "both";
  /** Of the part that belongs to a fold of so many used rows and columns. */
  readonly bytes: (rows: number, columns: number) => number;
  /** All parts find room in half of the memory. */
  readonly stays: boolean;
  readonly halfBytes: number;
}

interface Operands {
  readonly input: Operand;
  readonly filter: Operand;
  /** Of the fold at `row` along the rows. */
  readonly output: (row: number, used: Used, rowsInner: boolean) => OutputBytes;
}

type Used = readonly [rows: number, columns: number];

/** Sums that had no room are read again to be added to. */
interface OutputBytes {
  readonly written: number;
  readonly readAgain: number;
}

function operandsOf(
  array: Systolic,
  operation: WindowOperation,
  mapping: Mapping,
  folds: Folds,
  encoded: number,
): Operands {
  const { dataflow, sram } = array;
  const { pixels, window, filters } = matrixProduct(operation);
  const bytes = operation.bits / 8;
  const [ih, iw, depth] = operation.input.shape;
  const channels = operation.kind === "depthwise" ? 1 : depth;
  const half = { input: sram.inputBytes / 2, filter: sram.filterBytes / 2, output: sram.outputBytes / 2 };
  const map = ih * iw * channels * bytes;
  const kernelRows = Math.ceil(operation.kernel[0] / operation.spread);
  const kernelColumns = Math.ceil(operation.kernel[1] / operation.spread);
  const stride = operation.stride[1] / operation.spread;
  const stays = map <= half.input;
  /** As many rows of the map as a window has: then what windows have in common comes once. */
  const lines = stays || kernelRows * iw * channels * bytes <= half.input;

  const inputBytes = (rows: number, columns: number): number => {
    if (dataflow === "os") {
      if (lines) return (map * rows) / pixels;
      const across = Math.ceil((rows - 1) * stride) + kernelColumns;
      return Math.min(map, Math.min(rows * window, kernelRows * across * channels) * bytes);
    }
    if (dataflow === "ws") {
      if (stays) return (map * rows) / window;
      const values = pixels * rows;
      return (lines ? Math.min(values, ih * iw * Math.min(rows, channels)) : values) * bytes;
    }
    return lines ? (map * rows * columns) / (window * pixels) : rows * columns * bytes;
  };
  const filterBytes = (rows: number, columns: number): number => {
    if (dataflow === "os") return columns * window * encoded;
    return (dataflow === "ws" ? rows * columns : rows * filters) * encoded;
  };
  const filterStays = window * filters * encoded <= half.filter;
  const last = folds.along[0] - 1;
  return {
    input: {
      along: dataflow === "is" ? "both" : "rows",
      bytes: inputBytes,
      stays,
      halfBytes: half.input,
    },
    filter: {
      along: dataflow === "os" ? "columns" : dataflow === "ws" ? "both" : "rows",
      bytes: filterBytes,
      stays: filterStays,
      halfBytes: half.filter,
    },
    output: (row, [rows, columns], rowsInner) => {
      if (dataflow === "os") return { written: rows * columns * bytes, readAgain: 0 };
      const values = mapping.steps * columns;
      // Sums go on from fold to fold along the window; they stay if there is room for those of all folds until it goes on.
      const waiting = rowsInner ? values : mapping.steps * mapping.columns;
      const kept = waiting * SUM_BYTES <= half.output;
      return {
        written: row === last ? values * bytes : kept ? 0 : values * SUM_BYTES,
        readAgain: row > 0 && !kept ? values * SUM_BYTES : 0,
      };
    },
  };
}

/** @throws WasmogradError ERR_UNSUPPORTED where half of a memory does not hold what a fold has in the cells, or one value of each lane */
function checkRoom(array: Systolic, { name, bits }: WindowOperation): void {
  const { rows, columns, dataflow, sram } = array;
  const bytes = bits / 8;
  const needed = {
    inputBytes: (dataflow === "is" ? rows * columns : rows) * bytes,
    filterBytes: dataflow === "ws" ? rows * columns : dataflow === "os" ? columns : rows,
    outputBytes: dataflow === "os" ? rows * columns * bytes : columns * SUM_BYTES,
  };
  for (const memory of ["inputBytes", "filterBytes", "outputBytes"] as const) {
    check(
      2 * needed[memory] <= sram[memory],
      "ERR_UNSUPPORTED",
      () =>
        `operation ${name}: expected sram.${memory} of at least ${2 * needed[memory]}, twice what one fold of ` +
        `${rows}x${columns} cells needs (${dataflow}), got ${sram[memory]}`,
    );
  }
}

/** The folds of a layer in one of two orders. @param rowsInner folds go along the rows first */
function sequenceOf(array: Systolic, mapping: Mapping, folds: Folds, operands: Operands, rowsInner: boolean) {
  const { rows, columns, wordsPerCycle } = array;
  const [foldRows, foldColumns] = folds.along;
  const [outers, inners] = rowsInner ? [foldColumns, foldRows] : [foldRows, foldColumns];
  const innerAxis = rowsInner ? "rows" : "columns";
  const cyclesOf = (bytes: number): number => Math.ceil(bytes / wordsPerCycle);
  const comes = ({ along, stays, halfBytes }: Operand, part: number, outer: number, inner: number): boolean => {
    if (along === "both") return true;
    if (along === innerAxis) return outer === 0 || !stays;
    return inner === 0 || part > halfBytes;
  };
  const moved = { input: 0, filter: 0, written: 0, readAgain: 0 };
  const at = (outer: number, inner: number, times: number): FoldTransfers => {
    const [row, column] = rowsInner ? [inner, outer] : [outer, inner];
    const used: Used = [
      Math.min(rows, mapping.rows - row * rows),
      Math.min(columns, mapping.columns - column * columns),
    ];
    const fetch = (name: "input" | "filter"): PortTransfer => {
      const operand = operands[name];
      const part = operand.bytes(...used);
      if (!comes(operand, part, outer, inner)) return { cycles: 0, ahead: 0 };
      moved[name] += part * times;
      return { cycles: cyclesOf(part), ahead: cyclesOf(Math.min(part, operand.halfBytes)) };
    };
    const { written, readAgain } = operands.output(row, used, rowsInner);
    moved.written += written * times;
    moved.readAgain += readAgain * times;
    const out = written + readAgain;
    const output = { cycles: cyclesOf(out), behind: cyclesOf(Math.min(out, array.sram.outputBytes / 2)) };
    return { input: fetch("input"), filter: fetch("filter"), output };
  };
  /** First, those between, which are alike, and last. */
  const spread = (count: number, of: (i: number, times: number) => FoldSequence): FoldSequence => {
    if (count <= 3) return Array.from({ length: count }, (_, i) => of(i, 1)).flat();
    return [...of(0, 1), { times: count - 2, body: of(1, count - 2) }, ...of(count - 1, 1)];
  };
  const group = spread(outers, (outer, outerTimes) =>
    spread(inners, (inner, times) => [at(outer, inner, outerTimes * times)]),
  );
  const { groups } = mapping;
  const sequence: FoldSequence = groups === 1 ? group : [{ times: groups, body: group }];
  const bytes: MovedBytes = {
    input: moved.input * groups,
    filter: moved.filter * groups,
    written: moved.written * groups,
    readAgain: moved.readAgain * groups,
  };
  return { sequence, bytes };
}

/** Between DRAM and memories. */
export interface MovedBytes extends OutputBytes {
  readonly input: number;
  readonly filter: number;
}

export interface ConvolutionFolds {
  readonly mapping: Mapping;
  readonly sequence: FoldSequence;
  /** Cycles of one fold by itself. */
  readonly foldCycles: number;
  /** With everything that is waited for. */
  readonly cycles: number;
  readonly bytes: MovedBytes;
}

/**
 * The folds of a convolution in the faster of both orders; of equally fast ones that which moves less.
 * @param encoded bytes of a weight as it is stored, 1 unless compressed
 * @throws WasmogradError ERR_UNSUPPORTED as `checkRoom`
 */
export function convolutionFolds(array: Systolic, operation: WindowOperation, encoded = 1): ConvolutionFolds {
  checkRoom(array, operation);
  const mapping = mappingOf(array.dataflow, matrixProduct(operation));
  const folds = foldsOf(array, mapping);
  const operands = operandsOf(array, operation, mapping, folds, encoded);
  const compute = foldCycles(array, mapping.steps);
  const [a, b] = [true, false].map((rowsInner) => {
    const planned = sequenceOf(array, mapping, folds, operands, rowsInner);
    return { mapping, ...planned, foldCycles: compute, cycles: pipelineCycles(compute, planned.sequence) };
  }) as [ConvolutionFolds, ConvolutionFolds];
  const moved = ({ bytes }: ConvolutionFolds): number => bytes.input + bytes.filter + bytes.written + bytes.readAgain;
  return a.cycles < b.cycles || (a.cycles === b.cycles && moved(a) <= moved(b)) ? a : b;
}
