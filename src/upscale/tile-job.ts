import type { CompiledNetwork } from "../engine/compiled-network.ts";
import type { Plan } from "../engine/plan.ts";
import { channelToPlane, pixelsToY, pixelsToYCbCr, planeToChannel, yCbCrToPixels, yToGrey } from "../image/color.ts";
import { PlaneResizer } from "../image/plane-resizer.ts";
import { hasAlpha, type Region, type Size } from "../image/types.ts";
import type { PixelView, PlaneView } from "../image/views.ts";
import { type PictureForm, type PixelPort, pixelBytes } from "./pixel-port.ts";
import type { Tile } from "./tiles.ts";

/** The network's luma is Y / 255. */
const PEAK = 255;

/** Rows of a tile beyond its strip that bicubic interpolation of chroma may ask for. */
const CHROMA_ROWS = 6;

/**
 * Upscales the tiles of one picture, strip by strip: luma through the network, chroma and alpha by bicubic interpolation, whose border is
 * the picture's and takes nothing of the margin that the network sees. Buffers hold a strip, so memory does not depend on the height.
 * Every sample is computed from the same inputs in the same order wherever tiles are cut. The job has a plan of its own, so that several
 * may take turns on one network.
 */
export class TileJob {
  readonly #network: CompiledNetwork;
  readonly #scale: number;
  readonly #form: PictureForm;
  readonly #plan: Plan;
  readonly #resizer: PlaneResizer | undefined;
  readonly #blocks: number[] = [];
  readonly #pixels: PixelView;
  readonly #planes: readonly [PlaneView, PlaneView, PlaneView];
  readonly #upscaledPixels: PixelView;
  readonly #upscaledPlanes: readonly [PlaneView, PlaneView, PlaneView];

  /** @param form of the whole input @param source the size of all tiles' sources */
  constructor(network: CompiledNetwork, scale: number, form: PictureForm, { width, height }: Size) {
    this.#network = network;
    this.#scale = scale;
    this.#form = form;
    const { channels, depth } = form;
    this.#plan = network.createPlan(height, width);
    try {
      const output = { width: form.width * scale, height: form.height * scale };
      this.#resizer = new PlaneResizer(network.kernels, { input: form, output, scale });
      const upscaledRows = this.#plan.largestWrite;
      const rows = Math.min(height, Math.max(this.#plan.largestRead, upscaledRows / scale + CHROMA_ROWS));
      // Planes have no padding between rows: that of the luma is the network's tensor.
      const plane = (columns: number, count: number): PlaneView => ({
        pointer: this.#allocate(columns * 4 * count),
        rowBytes: columns * 4,
      });
      const pixels = (columns: number, count: number): PixelView => ({
        pointer: this.#allocate(columns * pixelBytes(form) * count),
        rowBytes: columns * pixelBytes(form),
        channels,
        depth,
      });
      this.#pixels = pixels(width, rows);
      this.#planes = [plane(width, rows), plane(width, rows), plane(width, rows)];
      const columns = width * scale;
      this.#upscaledPixels = pixels(columns, upscaledRows);
      this.#upscaledPlanes = [plane(columns, upscaledRows), plane(columns, upscaledRows), plane(columns, upscaledRows)];
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #allocate(bytes: number): number {
    const pointer = this.#network.kernels.memory.allocate(bytes);
    this.#blocks.push(pointer);
    return pointer;
  }

  /** Computes one tile and writes its core; yields after each strip what has been written. */
  *run({ core, source }: Tile, port: PixelPort): Generator<Region, void> {
    const plan = this.#plan;
    for (let strip = 0; strip < plan.strips; strip++) {
      let written: Region | undefined;
      plan.runStrip(
        strip,
        (begin, end, pointer) => this.#readLuma(port, source, begin, end, pointer),
        (begin, end, pointer) => {
          written = this.#write(port, core, source, begin, end, pointer);
        },
      );
      if (written) yield written;
    }
  }

  #readLuma(port: PixelPort, { x, y, width }: Region, begin: number, end: number, pointer: number): void {
    const rows = { x, y: y + begin, width, height: end - begin };
    const [luma] = this.#planes;
    this.#readPixels(port, rows);
    // The luma of YCbCr and that of Y alone are the same bits.
    pixelsToY(this.#network.kernels, rows, this.#pixels, luma);
    this.#network.fromReal(luma.pointer, pointer, width * rows.height, PEAK);
  }

  /** Rows [begin, end) of the tile's upscaled luma, as the network left them at `pointer`, to pixels of the output. */
  #write(
    port: PixelPort,
    core: Region,
    source: Region,
    begin: number,
    end: number,
    pointer: number,
  ): Region | undefined {
    const { kernels } = this.#network;
    const scale = this.#scale;
    const top = source.y * scale;
    const first = Math.max(begin, core.y * scale - top);
    const last = Math.min(end, (core.y + core.height) * scale - top);
    if (first >= last) return undefined;
    const target: Region = { x: core.x * scale, y: top + first, width: core.width * scale, height: last - first };
    const columns = source.width * scale;
    const [y, cb, cr] = this.#upscaledPlanes;
    const rowBytes = this.#network.outputQuantization ? columns : columns * 4;
    this.#network.toReal(pointer + (first - begin) * rowBytes, y.pointer, columns * target.height, PEAK);
    const left = (core.x - source.x) * scale * 4;
    const luma = { pointer: y.pointer + left, rowBytes: y.rowBytes };
    const pixels: PixelView = { ...this.#upscaledPixels, rowBytes: target.width * pixelBytes(this.#form) };
    const colour = this.#form.channels >= 3;
    const alpha = hasAlpha(this.#form);
    const need = colour || alpha ? this.#chromaRows(port, source, target) : source;
    if (colour) {
      const [sourceY, sourceCb, sourceCr] = this.#planes;
      const planes = { y: sourceY.pointer, cb: sourceCb.pointer, cr: sourceCr.pointer, rowBytes: sourceY.rowBytes };
      pixelsToYCbCr(kernels, need, this.#pixels, planes);
      this.#resizer!.run(sourceCb, need, cb, target);
      this.#resizer!.run(sourceCr, need, cr, target);
      yCbCrToPixels(kernels, target, { y: luma.pointer, cb: cb.pointer, cr: cr.pointer, rowBytes: y.rowBytes }, pixels);
    } else {
      yToGrey(kernels, target, luma, pixels);
    }
    if (alpha) {
      const channel = this.#form.channels - 1;
      const [, plane] = this.#planes;
      channelToPlane(kernels, need, this.#pixels, channel, plane);
      this.#resizer!.run(plane, need, cb, target);
      planeToChannel(kernels, target, cb, pixels, channel);
    }
    const bytes = pixels.rowBytes * target.height;
    port.write(target, kernels.memory.u8.subarray(pixels.pointer, pixels.pointer + bytes));
    return target;
  }

  /** Reads the rows of the tile from which chroma is interpolated. */
  #chromaRows(port: PixelPort, source: Region, target: Region): Region {
    const { y, height } = this.#resizer!.inputRegion(target);
    const rows = { ...source, y, height };
    this.#readPixels(port, rows);
    return rows;
  }

  #readPixels(port: PixelPort, region: Region): void {
    const { pointer, rowBytes } = this.#pixels;
    port.read(region, this.#network.kernels.memory.u8.subarray(pointer, pointer + rowBytes * region.height));
  }

  dispose(): void {
    this.#plan.dispose();
    this.#resizer?.dispose();
    for (const pointer of this.#blocks) this.#network.kernels.memory.free(pointer);
    this.#blocks.length = 0;
  }
}

/**
 * A plane of luma in 0..255 (no gaps) through the network alone. The result is not rounded. Beside it, memory does not grow with the
 * height.
 */
export function runLuma(network: CompiledNetwork, luma: Float32Array, { width, height }: Size): Float32Array {
  const plan = network.createPlan(height, width);
  try {
    const result = new Float32Array(plan.outputShape[0] * plan.outputShape[1]);
    network.runReal(plan, luma, result, PEAK);
    return result;
  } finally {
    plan.dispose();
  }
}
