import type { WasmMemory } from "../memory.ts";

/**
 * The convolution descriptor of assembly/common/conv-params.ts: the same fields in the same order, four bytes each
 * (test/kernels/conv-params.test.ts compares the two files).
 */
export const CONV_PARAMS = [
  "input",
  "output",
  "filter",
  "bias",
  "multiplier",
  "negative",
  "residual",
  "scratch",
  "inputRowStride",
  "outputRowStride",
  "residualRowStride",
  "ih",
  "iw",
  "ic",
  "ow",
  "oc",
  "kh",
  "kw",
  "stride",
  "padTop",
  "padLeft",
  "rowBegin",
  "rowEnd",
  "inputZeroPoint",
  "qmax",
  "residualZeroPoint",
  "residualMultipliers",
  "residualBroadcast",
  "negativeBelow",
  "realOutput",
  "negativeSums",
  "byteResidualRowStride",
  "magicZero",
  "magicMin",
  "minimum",
  "maximum",
  "scratchRowStride",
  "tileColumns",
  "resultShift",
  "blockChannels",
  "blockFilterBytes",
  "narrowFilter",
  "scales",
  "planeTiles",
  "planeTilesStride",
  "products",
  "workspace",
  "patch",
  "sums",
] as const;

/** Bits of 1.5 * 2^23, whose addition rounds an f32 to an integer (assembly/common/requantize.ts). */
export const MAGIC_BITS = 0x4b400000;

export type ConvParam = (typeof CONV_PARAMS)[number];

const FLOATS: ReadonlySet<ConvParam> = new Set(["minimum", "maximum"]);
const INDEX = new Map(CONV_PARAMS.map((name, i) => [name, i]));

export const CONV_PARAMS_BYTES = CONV_PARAMS.length * 4;

const INPUT = INDEX.get("input")!;
const OUTPUT = INDEX.get("output")!;
const RESIDUAL = INDEX.get("residual")!;
const ROW_BEGIN = INDEX.get("rowBegin")!;
const ROW_END = INDEX.get("rowEnd")!;
const IW = INDEX.get("iw")!;
const OW = INDEX.get("ow")!;
const INPUT_ROW_STRIDE = INDEX.get("inputRowStride")!;
const OUTPUT_ROW_STRIDE = INDEX.get("outputRowStride")!;
const RESIDUAL_ROW_STRIDE = INDEX.get("residualRowStride")!;
const BYTE_RESIDUAL_ROW_STRIDE = INDEX.get("byteResidualRowStride")!;

/** Writes the tensors of the descriptor at `pointer`: once a strip, so without the detours of `writeConvParams`. */
export function writePointers(
  memory: WasmMemory,
  pointer: number,
  input: number,
  output: number,
  residual: number,
): void {
  const { i32 } = memory;
  const fields = pointer >> 2;
  i32[fields + INPUT] = input;
  i32[fields + OUTPUT] = output;
  i32[fields + RESIDUAL] = residual;
}

/** Writes the row range of the descriptor at `pointer`: before every run, so without the detours of `writeConvParams`. */
export function writeRowRange(memory: WasmMemory, pointer: number, rowBegin: number, rowEnd: number): void {
  const { i32 } = memory;
  i32[(pointer >> 2) + ROW_BEGIN] = rowBegin;
  i32[(pointer >> 2) + ROW_END] = rowEnd;
}

/** Bytes a pixel of the tensors of a convolution; 0 where there is no residual, which is of int8 or as the output. */
export interface PixelBytes {
  readonly input: number;
  readonly output: number;
  readonly residual: number;
  readonly byteResidual: number;
}

/** Writes the columns of a row and what follows from them, in every run of a 1x1 convolution: so without the detours of `writeConvParams`. */
export function writeRows(memory: WasmMemory, pointer: number, columns: number, pixel: PixelBytes): void {
  const { i32 } = memory;
  const fields = pointer >> 2;
  i32[fields + IW] = columns;
  i32[fields + OW] = columns;
  i32[fields + INPUT_ROW_STRIDE] = columns * pixel.input;
  i32[fields + OUTPUT_ROW_STRIDE] = columns * pixel.output;
  i32[fields + RESIDUAL_ROW_STRIDE] = columns * pixel.residual;
  i32[fields + BYTE_RESIDUAL_ROW_STRIDE] = columns * pixel.byteResidual;
}

/** Writes some fields of the descriptor at `pointer`. */
export function writeConvParams(
  memory: WasmMemory,
  pointer: number,
  fields: Readonly<Partial<Record<ConvParam, number>>>,
): void {
  for (const [name, value] of Object.entries(fields) as [ConvParam, number][]) {
    const index = (pointer >> 2) + INDEX.get(name)!;
    if (FLOATS.has(name)) memory.f32[index] = value;
    else memory.i32[index] = value;
  }
}
