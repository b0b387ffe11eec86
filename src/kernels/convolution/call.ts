import type { KernelInstance } from "../load.ts";
import type { ConvGeometry } from "./geometry.ts";
import type { PackedConvolution } from "./packed.ts";
import {
  CONV_PARAMS_BYTES,
  type PixelBytes,
  writeConvParams,
  writePointers,
  writeRowRange,
  writeRows,
} from "./params.ts";
import { longRow, type ScratchLayout, scratchLayout } from "./scratch.ts";

/** A packed convolution made ready for one input size. `run` neither allocates nor validates. */
export class ConvolutionCall {
  readonly geometry: ConvGeometry;
  /** Bytes of working memory that `bind` expects. */
  readonly scratchBytes: number;
  readonly #kernels: KernelInstance;
  readonly #packed: PackedConvolution;
  readonly #scratch: ScratchLayout;
  readonly #params: number;
  readonly #pixel: PixelBytes;
  /** 1x1: pixels that are run as one row. */
  readonly #longRow: number | undefined;
  #input = 0;
  #output = 0;
  #residual = 0;

  constructor(kernels: KernelInstance, packed: PackedConvolution, geometry: ConvGeometry) {
    this.geometry = geometry;
    this.#kernels = kernels;
    this.#packed = packed;
    this.#scratch = scratchLayout(packed, geometry);
    this.scratchBytes = this.#scratch.bytes;
    this.#longRow = longRow(packed, geometry);
    const { spec } = packed;
    const { residual } = spec;
    // Of int8 layers those have it whose output is real.
    const bytes = "minimum" in spec ? 4 : 1;
    const residualChannels = residual ? (residual.broadcast ? 1 : geometry.oc) : 0;
    const mixed = bytes === 4 && spec.dtype === "s8" && residual?.multipliers;
    this.#pixel = {
      input: geometry.ic * (spec.dtype === "f32" ? 4 : 1),
      output: geometry.oc * bytes,
      residual: mixed ? 0 : residualChannels * bytes,
      byteResidual: mixed ? residualChannels : 0,
    };
    this.#params = kernels.memory.allocate(CONV_PARAMS_BYTES);
    kernels.memory.u8.fill(0, this.#params, this.#params + CONV_PARAMS_BYTES);
  }

  /** Fixes every pointer: `input`, `output` and, if the convolution has one, `residual` are NHWC tensors without gaps between rows. */
  bind(input: number, output: number, residual: number, scratch: number): void {
    const g = this.geometry;
    const pixel = this.#pixel;
    writeConvParams(this.#kernels.memory, this.#params, {
      ...this.#packed.constants,
      ...this.#scratch.fields(scratch),
      inputRowStride: g.iw * pixel.input,
      outputRowStride: g.ow * pixel.output,
      residualRowStride: g.ow * pixel.residual,
      byteResidualRowStride: g.ow * pixel.byteResidual,
      ih: g.ih,
      iw: g.iw,
      ow: g.ow,
      padTop: g.padTop,
      padLeft: g.padLeft,
    });
    this.place(input, output, residual);
  }

  /**
   * Moves the tensors: where row 0 of each lies, or would lie, as of a tensor that is held in part only rows that are there are touched.
   */
  place(input: number, output: number, residual: number): void {
    this.#input = input;
    this.#output = output;
    this.#residual = residual;
    writePointers(this.#kernels.memory, this.#params, input, output, residual);
  }

  /** Computes output rows [rowBegin, rowEnd), all by default. */
  run(rowBegin = 0, rowEnd = this.geometry.oh): void {
    if (this.#longRow !== undefined)
      this.#runPixels(rowBegin * this.geometry.ow, rowEnd * this.geometry.ow, this.#longRow);
    else this.#runRows(rowBegin, rowEnd);
  }

  #runRows(rowBegin: number, rowEnd: number): void {
    writeRowRange(this.#kernels.memory, this.#params, rowBegin, rowEnd);
    this.#kernels.exports[this.#packed.kernel](this.#params);
  }

  /** Pixels [begin, end) in rows of `columns`, and what is left in a shorter one. */
  #runPixels(begin: number, end: number, columns: number): void {
    const rows = Math.floor((end - begin) / columns);
    const rest = end - begin - rows * columns;
    if (rows > 0) this.#runLongRows(begin, rows, columns);
    if (rest > 0) this.#runLongRows(end - rest, 1, rest);
  }

  /** Addresses wrap modulo 2^32, as the kernels' do. */
  #runLongRows(first: number, rows: number, columns: number): void {
    const { memory } = this.#kernels;
    const pixel = this.#pixel;
    writeRows(memory, this.#params, columns, pixel);
    writePointers(
      memory,
      this.#params,
      this.#input + first * pixel.input,
      this.#output + first * pixel.output,
      this.#residual + first * (pixel.residual || pixel.byteResidual),
    );
    this.#runRows(0, rows);
  }

  dispose(): void {
    this.#kernels.memory.free(this.#params);
  }
}
