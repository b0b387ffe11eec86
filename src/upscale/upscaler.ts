import type { CompiledNetwork } from "../engine/compiled-network.ts";
import { check, checkObject } from "../errors.ts";
import {
  checkImage,
  createImage,
  type Image,
  type ImageInput,
  MAX_SIDE,
  type Region,
  type Size,
} from "../image/types.ts";
import { pause } from "../pause.ts";
import { bufferBytesPerPixel, runLuma, TileJob } from "./tile-job.ts";
import { cutTiles, type Tile } from "./tiles.ts";

export interface UpscaleProgress {
  /** 0 < fraction <= 1; never decreases, the last is exactly 1. */
  readonly fraction: number;
  readonly tilesDone: number;
  readonly tiles: number;
  /** The part of the result that has just been finished, in its pixels. */
  readonly region: Region;
  readonly elapsedMs: number;
}

export interface UpscaleOptions {
  /** Stops between two tiles; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: UpscaleProgress) => void;
  /** Edge of a tile in input pixels, 16 or more; by default as large as fits the memory budget, at most 512. */
  readonly tileSize?: number;
}

/** Edge of the tile on which the network's memory per pixel is determined. */
const PROBE = 64;
const SMALLEST_TILE = 16;
const LARGEST_TILE = 512;
/** WebAssembly memory that tiles are sized to stay within, weights and everything else included. */
const MEMORY_BUDGET = 56 * 2 ** 20;

/** A super-resolution network ready for pictures: see `createUpscaler`. */
export class Upscaler {
  readonly model: string;
  readonly scale: number;
  readonly precision: "f32" | "int8";
  readonly #network: CompiledNetwork;
  readonly #halo: number;
  /** The network's working memory per input pixel, once known. */
  #networkBytes: number | undefined;
  #disposed = false;

  constructor(network: CompiledNetwork, options: { model: string; scale: number; halo: number }) {
    this.#network = network;
    this.model = options.model;
    this.scale = options.scale;
    this.precision = network.precision;
    this.#halo = options.halo;
  }

  /** Bytes of WebAssembly memory held at present: the high-water mark, as such memory cannot shrink. */
  get memoryBytes(): number {
    return this.#network.memoryBytes;
  }

  /**
   * Upscales a picture by `scale`: luma (BT.601) through the network, chroma and alpha by bicubic interpolation. Channels and depth stay
   * what they were. The picture is read while it runs: leave its samples alone until the promise settles. The result does not depend on the tile size, bit for bit. With int8 precision luma has 256 levels, also for 16-bit
   * pictures; f32 keeps their depth.
   *
   * @throws WasmogradError ERR_ARGUMENT, ERR_SHAPE, ERR_TOO_LARGE, ERR_OUT_OF_MEMORY, ERR_DISPOSED; the signal's reason when aborted
   */
  async upscale(input: ImageInput, options: UpscaleOptions = {}): Promise<Image> {
    checkObject("options", options);
    const { signal, onProgress } = options;
    checkCallbacks(signal, onProgress);
    const image = checkImage(input);
    signal?.throwIfAborted();
    this.#checkAlive();
    const output = this.#createOutput(image);
    const tiles = this.#tiles(image, image.channels, image.depth / 8, options.tileSize);
    const start = performance.now();
    const job = new TileJob(this.#network, this.scale, image, output, tiles[0]!);
    try {
      for (const [i, tile] of tiles.entries()) {
        signal?.throwIfAborted();
        this.#checkAlive();
        job.run(tile);
        onProgress?.({
          fraction: (i + 1) / tiles.length,
          tilesDone: i + 1,
          tiles: tiles.length,
          region: scaleRegion(tile.core, this.scale),
          elapsedMs: performance.now() - start,
        });
        await pause();
      }
      signal?.throwIfAborted();
      return output;
    } finally {
      job.dispose();
    }
  }

  /**
   * The network alone on a plane of luma in 0..255 (BT.601 studio range, not rounded), as quality is measured on it.
   * Whole planes only: memory grows with the size.
   */
  upscaleLuma(data: Float32Array, size: Size): Float32Array {
    this.#checkAlive();
    const count = size.width * size.height;
    check(data.length === count, "ERR_SHAPE", () => `data: expected ${count} values, got ${data.length}`);
    const { memory } = this.#network.kernels;
    const outputs = count * this.scale ** 2;
    const from = memory.allocate(count * 4);
    try {
      const to = memory.allocate(outputs * 4);
      try {
        memory.f32.set(data, from >> 2);
        runLuma(this.#network, size, from, to);
        return memory.f32.slice(to >> 2, (to >> 2) + outputs);
      } finally {
        memory.free(to);
      }
    } finally {
      memory.free(from);
    }
  }

  #createOutput({ width, height, channels, depth }: Image): Image {
    const outWidth = width * this.scale;
    const outHeight = height * this.scale;
    check(Math.max(outWidth, outHeight) <= MAX_SIDE, "ERR_TOO_LARGE", () => {
      return `image: ${width} x ${height} at scale ${this.scale} has a side of more than ${MAX_SIDE} pixels`;
    });
    return createImage(outWidth, outHeight, channels, depth);
  }

  #tiles(size: Size, channels: number, bytes: number, tileSize?: number): readonly Tile[] {
    if (tileSize !== undefined) {
      const sound = Number.isInteger(tileSize) && tileSize >= SMALLEST_TILE;
      check(
        sound,
        "ERR_ARGUMENT",
        () => `tileSize: expected an integer from ${SMALLEST_TILE}, got ${String(tileSize)}`,
      );
      return cutTiles(size, tileSize, this.#halo);
    }
    this.#networkBytes ??= this.#network.plan(PROBE, PROBE).arenaBytes / PROBE ** 2;
    const perPixel = this.#networkBytes + bufferBytesPerPixel(channels, bytes, this.scale);
    const edge = Math.floor(Math.sqrt(MEMORY_BUDGET / perPixel)) - 2 * this.#halo;
    return cutTiles(size, Math.max(SMALLEST_TILE, Math.min(LARGEST_TILE, edge)), this.#halo);
  }

  #checkAlive(): void {
    check(!this.#disposed, "ERR_DISPOSED", () => "this upscaler was disposed of");
  }

  /** Frees its memory; an upscale that is under way stops with ERR_DISPOSED. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#network.dispose();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function checkCallbacks(signal: unknown, onProgress: unknown): void {
  const stops = signal === undefined || signal instanceof AbortSignal;
  check(stops, "ERR_ARGUMENT", () => `signal: expected an AbortSignal, got ${String(signal)}`);
  const calls = onProgress === undefined || typeof onProgress === "function";
  check(calls, "ERR_ARGUMENT", () => `onProgress: expected a function, got ${String(onProgress)}`);
}

function scaleRegion({ x, y, width, height }: Region, scale: number): Region {
  return { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
}
