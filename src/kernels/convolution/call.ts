import type { KernelInstance } from "../load.ts";
import type { ConvGeometry } from "./geometry.ts";
import type { PackedConvolution } from "./packed.ts";
import { CONV_PARAMS_BYTES, writeConvParams, writePointers, writeRowRange } from "./params.ts";
import { type ScratchLayout, scratchLayout } from "./scratch.ts";

/** A packed convolution made ready for one input size. `run` neither allocates nor validates. */
export class ConvolutionCall {
  readonly geometry: ConvGeometry;
  /** Bytes of working memory that `bind` expects. */
  readonly scratchBytes: number;
  readonly #kernels: KernelInstance;
  readonly #packed: PackedConvolution;
  readonly #scratch: ScratchLayout;
  readonly #params: number;

  constructor(kernels: KernelInstance, packed: PackedConvolution, geometry: ConvGeometry) {
    this.geometry = geometry;
    this.#kernels = kernels;
    this.#packed = packed;
    this.#scratch = scratchLayout(packed, geometry);
    this.scratchBytes = this.#scratch.bytes;
    this.#params = kernels.memory.allocate(CONV_PARAMS_BYTES);
    kernels.memory.u8.fill(0, this.#params, this.#params + CONV_PARAMS_BYTES);
  }

  /** Fixes every pointer: `input`, `output` and, if the convolution has one, `residual` are NHWC tensors without gaps between rows. */
  bind(input: number, output: number, residual: number, scratch: number): void {
    const g = this.geometry;
    const bytes = this.#packed.spec.dtype === "f32" ? 4 : 1;
    const { residual: added } = this.#packed.spec;
    const residualChannels = added ? (added.broadcast ? 1 : g.oc) : 0;
    writeConvParams(this.#kernels.memory, this.#params, {
      ...this.#packed.constants,
      ...this.#scratch.fields(scratch),
      inputRowStride: g.iw * g.ic * bytes,
      outputRowStride: g.ow * g.oc * bytes,
      residualRowStride: g.ow * residualChannels * bytes,
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
    writePointers(this.#kernels.memory, this.#params, input, output, residual);
  }

  /** Computes output rows [rowBegin, rowEnd), all by default. */
  run(rowBegin = 0, rowEnd = this.geometry.oh): void {
    writeRowRange(this.#kernels.memory, this.#params, rowBegin, rowEnd);
    this.#kernels.exports[this.#packed.kernel](this.#params);
  }

  dispose(): void {
    this.#kernels.memory.free(this.#params);
  }
}
