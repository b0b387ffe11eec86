import { check } from "../errors.ts";
import type { KernelInstance } from "../kernels/load.ts";
import { type Border, inputRange, type ResizeAxis, resizeAxis } from "./resize-axis.ts";
import type { Region, Size } from "./types.ts";
import { type PlaneView, planeRowBytes } from "./views.ts";

export interface PlaneResizerOptions {
  readonly input: Size;
  readonly output: Size;
  /** Output samples per input sample on both axes; output / input of each axis by default. */
  readonly scale?: number;
  /**
   * Rounds (halves up) and clips to [0, limit] after each pass, as MATLAB does for integer classes; 0 (default): not at
   * all.
   */
  readonly limit?: number;
  readonly border?: Border;
}

interface Table extends ResizeAxis {
  /** In kernel memory. */
  readonly indicesPointer: number;
  readonly weightsPointer: number;
}

/**
 * Bicubic resize of f32 planes in kernel memory, MATLAB's imresize in f32 (same taps, same order of passes), in pieces
 * of any size: every output sample is computed from the same inputs in the same order whatever region it is asked for
 * in, so pieces join without seams, bit for bit. Holds tables and, from the first `run` on, scratch that grows only for
 * a larger region.
 */
export class PlaneResizer {
  readonly input: Size;
  readonly output: Size;
  readonly #kernels: KernelInstance;
  readonly #limit: number;
  readonly #vertical: Table;
  readonly #horizontal: Table;
  #scratch = { pointer: 0, bytes: 0 };
  #disposed = false;

  /** @throws WasmogradError ERR_OUT_OF_MEMORY */
  constructor(kernels: KernelInstance, { input, output, scale, limit = 0, border }: PlaneResizerOptions) {
    this.#kernels = kernels;
    this.input = input;
    this.output = output;
    this.#limit = limit;
    this.#vertical = upload(kernels, resizeAxis(input.height, output.height, scale, border));
    this.#horizontal = upload(kernels, resizeAxis(input.width, output.width, scale, border));
  }

  /** The part of the input from which a region of the output is computed. */
  inputRegion(region: Region): Region {
    const inside =
      region.x >= 0 &&
      region.y >= 0 &&
      region.width > 0 &&
      region.height > 0 &&
      region.x + region.width <= this.output.width &&
      region.y + region.height <= this.output.height;
    check(inside, "ERR_SHAPE", () => {
      return `region: expected a part of ${this.output.width} x ${this.output.height}, got ${describe(region)}`;
    });
    const columns = inputRange(this.#horizontal, region.x, region.x + region.width);
    const rows = inputRange(this.#vertical, region.y, region.y + region.height);
    return { x: columns.begin, y: rows.begin, width: columns.end - columns.begin, height: rows.end - rows.begin };
  }

  /**
   * Computes `region` of the output.
   * @param source  holds `sourceRegion` of the input, which contains `inputRegion(region)`
   * @param target  receives `region`: its pointer is the region's top left
   * @throws WasmogradError ERR_SHAPE, ERR_OUT_OF_MEMORY, ERR_DISPOSED
   */
  run(source: PlaneView, sourceRegion: Region, target: PlaneView, region: Region): void {
    check(!this.#disposed, "ERR_DISPOSED", () => "resizer: used after dispose()");
    const need = this.inputRegion(region);
    check(contains(sourceRegion, need), "ERR_SHAPE", () => {
      return `sourceRegion: expected to contain ${describe(need)}, got ${describe(sourceRegion)}`;
    });
    const top = source.pointer + (need.x - sourceRegion.x) * 4 + (need.y - sourceRegion.y) * source.rowBytes;
    const from = { pointer: top, rowBytes: source.rowBytes };
    if (this.#rowsFirst) {
      const between = this.#middle({ width: need.width, height: region.height }, need.width);
      this.#rows(from, need, between, region, need.width);
      this.#columns(between, need, target, region, region.height);
    } else {
      const between = this.#middle({ width: region.width, height: need.height }, need.width);
      this.#columns(from, need, between, region, need.height);
      this.#rows(between, need, target, region, region.width);
    }
  }

  /** Frees tables and scratch. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { memory } = this.#kernels;
    for (const table of [this.#vertical, this.#horizontal]) {
      memory.free(table.indicesPointer);
      memory.free(table.weightsPointer);
    }
    if (this.#scratch.bytes > 0) memory.free(this.#scratch.pointer);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** MATLAB takes the axis with the smaller scale first, and rows on a tie. */
  get #rowsFirst(): boolean {
    return this.#vertical.scale <= this.#horizontal.scale;
  }

  /** The plane between the passes; the columns kernel's scratch for `sourceColumns` lies in front of it. */
  #middle({ width, height }: Size, sourceColumns: number): PlaneView {
    const front = Math.ceil(sourceColumns / 4) * 64;
    const rowBytes = planeRowBytes(width);
    const bytes = front + rowBytes * height;
    const { memory } = this.#kernels;
    if (bytes > this.#scratch.bytes) {
      if (this.#scratch.bytes > 0) memory.free(this.#scratch.pointer);
      this.#scratch = { pointer: 0, bytes: 0 };
      this.#scratch = { pointer: memory.allocate(bytes), bytes };
    }
    return { pointer: this.#scratch.pointer + front, rowBytes };
  }

  #rows(from: PlaneView, need: Region, to: PlaneView, region: Region, columns: number): void {
    const { taps, indicesPointer, weightsPointer } = this.#vertical;
    const skip = region.y * taps * 4;
    this.#kernels.exports.f32_resize_rows(
      region.height,
      columns,
      from.pointer - need.y * from.rowBytes, // where row 0 would lie; the kernel's arithmetic wraps
      from.rowBytes,
      to.pointer,
      to.rowBytes,
      indicesPointer + skip,
      weightsPointer + skip,
      taps,
      this.#limit,
    );
  }

  #columns(from: PlaneView, need: Region, to: PlaneView, region: Region, rows: number): void {
    const { taps, indicesPointer, weightsPointer } = this.#horizontal;
    const skip = region.x * taps * 4;
    this.#kernels.exports.f32_resize_columns(
      rows,
      region.width,
      from.pointer,
      from.rowBytes,
      need.x,
      need.width,
      to.pointer,
      to.rowBytes,
      indicesPointer + skip,
      weightsPointer + skip,
      taps,
      this.#limit,
      this.#scratch.pointer,
    );
  }
}

function upload({ memory }: KernelInstance, axis: ResizeAxis): Table {
  const indicesPointer = memory.allocate(axis.indices.byteLength);
  const weightsPointer = memory.allocate(axis.weights.byteLength);
  memory.i32.set(axis.indices, indicesPointer / 4);
  memory.f32.set(axis.weights, weightsPointer / 4);
  return { ...axis, indicesPointer, weightsPointer };
}

function contains(outer: Region, inner: Region): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    outer.x + outer.width >= inner.x + inner.width &&
    outer.y + outer.height >= inner.y + inner.height
  );
}

function describe({ x, y, width, height }: Region): string {
  return `${width} x ${height} at (${x}, ${y})`;
}
