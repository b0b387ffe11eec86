import type { CompiledNetwork } from "../engine/compiled-network.ts";
import { channelToPlane, pixelsToY, pixelsToYCbCr, planeToChannel, yCbCrToPixels, yToGrey } from "../image/color.ts";
import { PlaneResizer } from "../image/plane-resizer.ts";
import { hasAlpha, type Image, type Region } from "../image/types.ts";
import type { PixelView, PlaneView } from "../image/views.ts";
import type { Tile } from "./tiles.ts";

/** The network's luma is Y / 255. */
const PEAK = 255;

/** Bytes of working memory per source pixel beside the network's own, for pixels of `channels` x `bytes`: see TileJob's buffers. */
export function bufferBytesPerPixel(channels: number, bytes: number, scale: number): number {
  return channels * bytes * (1 + scale ** 2) + 3 * 4 * (1 + scale ** 2);
}

/**
 * Upscales the tiles of one picture: luma through the network, chroma and alpha by bicubic interpolation. Buffers are reserved once for
 * the tile size and freed by `dispose`. Every sample is computed from the same inputs in the same order wherever tiles are cut.
 */
export class TileJob {
  readonly #network: CompiledNetwork;
  readonly #scale: number;
  readonly #input: Image;
  readonly #output: Image;
  readonly #resizer: PlaneResizer | undefined;
  readonly #blocks: number[] = [];
  readonly #pixels: PixelView;
  readonly #planes: readonly [PlaneView, PlaneView, PlaneView];
  readonly #upscaledPixels: PixelView;
  readonly #upscaledPlanes: readonly [PlaneView, PlaneView, PlaneView];

  /** All tiles have sources of the size of the given one. */
  constructor(network: CompiledNetwork, scale: number, input: Image, output: Image, { source }: Tile) {
    this.#network = network;
    this.#scale = scale;
    this.#input = input;
    this.#output = output;
    const { channels, depth } = input;
    const { width, height } = source;
    try {
      this.#resizer = new PlaneResizer(network.kernels, { input, output, scale });
      // Planes of a tile have no padding between rows: that of the luma is the network's tensor.
      const rowBytes = width * 4;
      const plane = (factor: number): PlaneView => ({
        pointer: this.#allocate(rowBytes * height * factor ** 2),
        rowBytes: rowBytes * factor,
      });
      const pixelRowBytes = width * channels * (depth / 8);
      const pixels = (factor: number): PixelView => ({
        pointer: this.#allocate(pixelRowBytes * height * factor ** 2),
        rowBytes: pixelRowBytes * factor,
        channels,
        depth,
      });
      this.#pixels = pixels(1);
      this.#planes = [plane(1), plane(1), plane(1)];
      this.#upscaledPixels = pixels(scale);
      this.#upscaledPlanes = [plane(scale), plane(scale), plane(scale)];
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

  /** Computes one tile and writes its core into the output picture. */
  run({ core, source }: Tile): void {
    const { kernels } = this.#network;
    const scale = this.#scale;
    const [y, cb, cr] = this.#planes;
    this.#readPixels(source);
    const colour = this.#input.channels >= 3;
    if (colour) {
      const planes = { y: y.pointer, cb: cb.pointer, cr: cr.pointer, rowBytes: y.rowBytes };
      pixelsToYCbCr(kernels, source, this.#pixels, planes);
    } else {
      pixelsToY(kernels, source, this.#pixels, y);
    }
    const [upscaledY, upscaledCb, upscaledCr] = this.#upscaledPlanes;
    runLuma(this.#network, source, y.pointer, upscaledY.pointer);

    const target: Region = {
      x: core.x * scale,
      y: core.y * scale,
      width: core.width * scale,
      height: core.height * scale,
    };
    const skip = { columns: (core.x - source.x) * scale, rows: (core.y - source.y) * scale };
    const corner = (plane: PlaneView): PlaneView => ({
      pointer: plane.pointer + skip.rows * plane.rowBytes + skip.columns * 4,
      rowBytes: plane.rowBytes,
    });
    const pixels: PixelView = { ...this.#upscaledPixels, rowBytes: target.width * this.#pixelBytes };
    if (colour) {
      this.#resizer!.run(cb, source, corner(upscaledCb), target);
      this.#resizer!.run(cr, source, corner(upscaledCr), target);
      const planes = {
        y: corner(upscaledY).pointer,
        cb: corner(upscaledCb).pointer,
        cr: corner(upscaledCr).pointer,
        rowBytes: upscaledY.rowBytes,
      };
      yCbCrToPixels(kernels, target, planes, pixels);
    } else {
      yToGrey(kernels, target, corner(upscaledY), pixels);
    }
    if (hasAlpha(this.#input)) {
      const alpha = this.#input.channels - 1;
      channelToPlane(kernels, source, this.#pixels, alpha, cb);
      this.#resizer!.run(cb, source, corner(upscaledCb), target);
      planeToChannel(kernels, target, corner(upscaledCb), pixels, alpha);
    }
    this.#writePixels(pixels, target);
  }

  get #pixelBytes(): number {
    return this.#input.channels * (this.#input.depth / 8);
  }

  #readPixels({ x, y, width, height }: Region): void {
    const from = bytesOf(this.#input);
    const rowBytes = this.#input.width * this.#pixelBytes;
    const { u8 } = this.#network.kernels.memory;
    for (let row = 0; row < height; row++) {
      const start = (y + row) * rowBytes + x * this.#pixelBytes;
      u8.set(
        from.subarray(start, start + width * this.#pixelBytes),
        this.#pixels.pointer + row * this.#pixels.rowBytes,
      );
    }
  }

  #writePixels(pixels: PixelView, { x, y, width, height }: Region): void {
    const to = bytesOf(this.#output);
    const rowBytes = this.#output.width * this.#pixelBytes;
    const { u8 } = this.#network.kernels.memory;
    for (let row = 0; row < height; row++) {
      const start = pixels.pointer + row * pixels.rowBytes;
      to.set(u8.subarray(start, start + width * this.#pixelBytes), (y + row) * rowBytes + x * this.#pixelBytes);
    }
  }

  dispose(): void {
    this.#resizer?.dispose();
    for (const pointer of this.#blocks) this.#network.kernels.memory.free(pointer);
    this.#blocks.length = 0;
  }
}

function bytesOf({ data }: Image): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Luma in 0..255 at `from` (f32, width * height, no gaps) through the network to luma in 0..255 at `to`. An int8 network rounds its
 * result to whole levels, an f32 network does not.
 */
export function runLuma(
  network: CompiledNetwork,
  { width, height }: { readonly width: number; readonly height: number },
  from: number,
  to: number,
): void {
  const plan = network.plan(height, width);
  network.writeInput(plan, from, PEAK);
  plan.run();
  network.readOutput(plan, to, PEAK);
}
