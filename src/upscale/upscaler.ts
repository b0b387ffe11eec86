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
import { runLuma, TileJob } from "./tile-job.ts";
import { cutTiles, type Tile } from "./tiles.ts";

export interface UpscaleProgress {
  /** 0 < fraction <= 1; never decreases, the last is exactly 1. */
  readonly fraction: number;
  readonly tilesDone: number;
  readonly tiles: number;
  /** The part of the result that has been finished since the last report, in its pixels. */
  readonly region: Region;
  readonly elapsedMs: number;
}

export interface UpscaleOptions {
  /** Stops within some milliseconds; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told after every tile, and within a tile about every 10 ms. */
  readonly onProgress?: (progress: UpscaleProgress) => void;
  /** Edge of square tiles in input pixels, 16 or more; by default tiles are bands of the picture's height. Same bits. */
  readonly tileSize?: number;
}

const SMALLEST_TILE = 16;
/** Columns of a band at most, halo apart. */
const BAND = 640;
/** How long to compute before timers, input and aborts get their turn. */
const TURN_MS = 10;

/** A super-resolution network ready for pictures: see `createUpscaler`. */
export class Upscaler {
  readonly model: string;
  readonly scale: number;
  readonly precision: "f32" | "int8";
  readonly #network: CompiledNetwork;
  readonly #halo: number;
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
    const tiles = this.#tiles(image, options.tileSize);
    const start = performance.now();
    const job = new TileJob(this.#network, this.scale, image, output, tiles[0]!);
    const samples = output.width * output.height;
    try {
      let done = 0;
      let turn = start;
      for (const [i, tile] of tiles.entries()) {
        let region: Region | undefined;
        const report = async (tilesDone: number): Promise<void> => {
          done += region!.width * region!.height;
          const elapsedMs = performance.now() - start;
          onProgress?.({ fraction: done / samples, tilesDone, tiles: tiles.length, region: region!, elapsedMs });
          region = undefined;
          await pause();
          signal?.throwIfAborted();
          this.#checkAlive();
          turn = performance.now();
        };
        for (const strip of job.run(tile)) {
          region = region ? { ...region, height: region.height + strip.height } : strip;
          const last = strip.y + strip.height === (tile.core.y + tile.core.height) * this.scale;
          if (!last && performance.now() - turn >= TURN_MS) await report(i);
        }
        await report(i + 1);
      }
      return output;
    } finally {
      job.dispose();
    }
  }

  /**
   * The network alone on a plane of luma in 0..255 (BT.601 studio range, not rounded), as quality is measured on it.
   * @throws WasmogradError ERR_SHAPE, ERR_OUT_OF_MEMORY, ERR_DISPOSED
   */
  upscaleLuma(data: Float32Array, size: Size): Float32Array {
    this.#checkAlive();
    const count = size.width * size.height;
    check(data.length === count, "ERR_SHAPE", () => `data: expected ${count} values, got ${data.length}`);
    return runLuma(this.#network, data, size);
  }

  #createOutput({ width, height, channels, depth }: Image): Image {
    const outWidth = width * this.scale;
    const outHeight = height * this.scale;
    check(Math.max(outWidth, outHeight) <= MAX_SIDE, "ERR_TOO_LARGE", () => {
      return `image: ${width} x ${height} at scale ${this.scale} has a side of more than ${MAX_SIDE} pixels`;
    });
    return createImage(outWidth, outHeight, channels, depth);
  }

  #tiles(size: Size, edge?: number): readonly Tile[] {
    // Strips go down the whole height, so that only columns are computed twice, where the picture is wide.
    if (edge === undefined) return cutTiles(size, { width: BAND, height: size.height }, this.#halo);
    const sound = Number.isInteger(edge) && edge >= SMALLEST_TILE;
    check(sound, "ERR_ARGUMENT", () => `tileSize: expected an integer from ${SMALLEST_TILE}, got ${String(edge)}`);
    return cutTiles(size, { width: edge, height: edge }, this.#halo);
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
