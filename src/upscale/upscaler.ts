import type { CompiledNetwork } from "../engine/compiled-network.ts";
import { check, checkObject, WasmogradError } from "../errors.ts";
import {
  checkImage,
  createImage,
  type Image,
  type ImageInput,
  MAX_SIDE,
  type Region,
  type Size,
} from "../image/types.ts";
import { instantiateKernels } from "../kernels/load.ts";
import { wasmOf } from "../kernels/wasm-options.ts";
import type { NetworkOptions, UpscalingNetwork } from "./create-network.ts";
import { picturePort } from "./pixel-port.ts";
import { type EnlargeTo, targetSize } from "./target-size.ts";
import { createPool, type UpscalePool, upscaleThreaded } from "./threaded.ts";
import { runLuma, TileJob } from "./tile-job.ts";
import { cutTiles, MARGIN, type Tile } from "./tiles.ts";
import { takeTurns } from "./turns.ts";

/** What `onProgress` is told. */
export interface UpscaleProgress {
  /** 0 < fraction <= 1; never decreases, the last is exactly 1. */
  readonly fraction: number;
  /** Tiles that are finished. */
  readonly tilesDone: number;
  /** All of them. */
  readonly tiles: number;
  /** The part of the result that has been finished since the last report, in its pixels. */
  readonly region: Region;
  /**
   * The result as far as it is finished, to be shown and not to be changed: the picture that the promise will give, or where a resize
   * follows, the one that will be resized.
   */
  readonly picture: Image;
  /** Since the call of `upscale`. */
  readonly elapsedMs: number;
}

/** Of `Upscaler.upscale`. */
export interface UpscaleOptions {
  /** Stops within some milliseconds; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told of every finished part: about every 10 ms, with threads more often. */
  readonly onProgress?: (progress: UpscaleProgress) => void;
  /**
   * Another size than the upscaler's factor gives: the network's result is resized to it, bicubic, with antialiasing where it shrinks. At
   * least the picture's size on one axis; proportions are not kept by themselves.
   */
  readonly to?: EnlargeTo;
  /** Edge of square tiles in input pixels, 16 or more; by default tiles are bands of the picture's height. Same bits. */
  readonly tileSize?: number;
}

const SMALLEST_TILE = 16;
/** Columns of a band at most, halo apart. */
const BAND = 640;
/** Input pixels for which starting a thread pays. */
const THREAD_PIXELS = 2 ** 18;

/** How many threads an upscaler may use, and what they need to make its network. */
export interface ThreadOptions {
  readonly count: number;
  /** Asked for by the user: that they cannot be started is then an error, and else a reason to do without. */
  readonly required: boolean;
  readonly options: NetworkOptions;
  /** Of a script that calls `serveUpscaler`; undefined for the library's own. */
  readonly workerUrl: URL | undefined;
}

/** A super-resolution network ready for pictures: see `createUpscaler`. */
export class Upscaler {
  /** Its id. */
  readonly model: string;
  /** The network's: 2 or 4. */
  readonly scale: number;
  /** What `upscale` enlarges by unless told otherwise. */
  readonly factor: number;
  /** What convolutions are computed in. */
  readonly precision: "f32" | "int8";
  readonly #network: CompiledNetwork;
  readonly #halo: number;
  readonly #threadOptions: ThreadOptions;
  #threads: number;
  #pool: Promise<UpscalePool> | undefined;
  #poolMemory = (): number => 0;
  #disposed = false;

  /** @internal `createUpscaler` makes them. */
  constructor({ network, model, scale, halo }: UpscalingNetwork, threads: ThreadOptions, factor: number = scale) {
    this.#network = network;
    this.model = model;
    this.scale = scale;
    this.factor = factor;
    this.precision = network.precision;
    this.#halo = halo;
    this.#threadOptions = threads;
    this.#threads = threads.count;
  }

  /** Threads for larger pictures. Falls to 1 when none were asked for and none can be started here. */
  get threads(): number {
    return this.#threads;
  }

  /** Threads that a picture of this size gets: starting one does not pay for a small picture. */
  threadsFor({ width, height }: Size): number {
    return Math.max(1, Math.min(this.#threads, Math.floor((width * height) / THREAD_PIXELS)));
  }

  /** Bytes of WebAssembly memory held at present, by all threads: the high-water mark, as such memory cannot shrink. */
  get memoryBytes(): number {
    return this.#network.memoryBytes + this.#poolMemory();
  }

  /**
   * Upscales a picture by `factor`, or to the size that `to` names: luma (BT.601) through the network, chroma and alpha by bicubic
   * interpolation. The network sees the picture with 3 copies of its border pixels on every side, so that a plain picture comes out plain
   * (`upscaleLuma` and `compile` run it without). Channels and depth stay what they were. The picture is read while it runs: leave its
   * samples alone until the promise settles. The result does not depend on the tile size, bit for bit. 16-bit pictures keep their depth,
   * with int8 precision too.
   *
   * @throws WasmogradError ERR_ARGUMENT, ERR_SHAPE, ERR_TOO_LARGE, ERR_OUT_OF_MEMORY, ERR_DISPOSED; the signal's reason when aborted
   */
  async upscale(input: ImageInput, options: UpscaleOptions = {}): Promise<Image> {
    checkObject("options", options);
    const { signal, onProgress, to = { scale: this.factor } } = options;
    checkCallbacks(signal, onProgress);
    const image = checkImage(input);
    const target = targetSize(image, to);
    signal?.throwIfAborted();
    this.#checkAlive();
    const output = await this.#enlarge(image, options);
    if (output.width === target.width && output.height === target.height) return output;
    // What few ask for is loaded when it is asked for.
    const { resizeSteadily } = await import("../image/resize-strips.ts");
    return resizeSteadily(
      await instantiateKernels(wasmOf(this.#threadOptions.options)),
      output,
      target,
      signal ? { signal } : {},
    );
  }

  /** By the network's factor. */
  async #enlarge(image: Image, options: UpscaleOptions): Promise<Image> {
    const output = this.#createOutput(image);
    const progress = new Progress(output, options.onProgress);
    const threads = this.threadsFor(image);
    if (threads > 1) {
      try {
        await this.#upscaleThreaded(image, output, threads, options, progress);
        return output;
      } catch (error) {
        const started = progress.begun || !(error instanceof WasmogradError) || error.code !== "ERR_WORKER";
        if (started || this.#threadOptions.required) throw error;
        this.#threads = 1;
      }
    }
    await this.#upscaleHere(image, output, options, progress);
    return output;
  }

  async #upscaleHere(input: Image, output: Image, options: UpscaleOptions, progress: Progress): Promise<void> {
    const { signal, tileSize } = options;
    const tiles = this.#tiles(input, 1, tileSize);
    progress.tiles = tiles.length;
    const job = new TileJob(this.#network, this.scale, input, tiles[0]!.source);
    const port = picturePort(input, output);
    try {
      for (const [i, tile] of tiles.entries()) {
        for await (const regions of takeTurns(job.run(tile, port))) {
          const last = regions.at(-1);
          const bottom = last ? last.y + last.height : 0;
          progress.tilesDone = bottom === (tile.core.y + tile.core.height) * this.scale ? i + 1 : i;
          progress.report(regions);
          signal?.throwIfAborted();
          this.#checkAlive();
        }
      }
    } finally {
      job.dispose();
    }
  }

  async #upscaleThreaded(
    input: Image,
    output: Image,
    threads: number,
    { signal, tileSize }: UpscaleOptions,
    progress: Progress,
  ): Promise<void> {
    const tiles = this.#tiles(input, threads, tileSize);
    progress.tiles = tiles.length;
    this.#pool ??= createPool(this.#threads, this.#threadOptions.options, this.#threadOptions.workerUrl);
    const pool = await this.#pool;
    signal?.throwIfAborted();
    this.#checkAlive();
    this.#poolMemory = () => pool.memoryBytes;
    await upscaleThreaded(pool, input, output, tiles, signal, (region, last) => {
      if (last) progress.tilesDone++;
      progress.report([region]);
    });
  }

  /**
   * The network alone on a plane of luma in 0..255 (BT.601 studio range, not rounded), as quality is measured on it: zero padding begins
   * at the plane's border.
   * @param data row by row, width * height values
   * @returns (scale * width) * (scale * height) values
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

  /** Bands of the whole height, cut into as many pieces as give every thread the same to do; or tiles of the given edge. */
  #tiles(size: Size, threads: number, edge?: number): readonly Tile[] {
    const around = { halo: this.#halo, margin: MARGIN };
    if (edge !== undefined) {
      const sound = Number.isInteger(edge) && edge >= SMALLEST_TILE;
      check(sound, "ERR_ARGUMENT", () => `tileSize: expected an integer from ${SMALLEST_TILE}, got ${String(edge)}`);
      return cutTiles(size, { width: edge, height: edge }, around);
    }
    const bands = Math.ceil(size.width / BAND);
    let pieces = 1;
    // Many tiles balance by themselves; pieces cost rows that are computed twice.
    while ((bands * pieces) % threads !== 0 && bands * pieces < 4 * threads) pieces++;
    return cutTiles(size, { width: BAND, height: Math.ceil(size.height / pieces) }, around);
  }

  #checkAlive(): void {
    check(!this.#disposed, "ERR_DISPOSED", () => "this upscaler was disposed of");
  }

  /** Frees its memory; an upscale that is under way stops with ERR_DISPOSED. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#network.dispose();
    // A pool that could not be made has been reported where it was asked for.
    this.#pool?.then(
      (pool) => pool.dispose(),
      () => {},
    );
  }
  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** What has been finished of one picture. */
class Progress {
  tiles = 0;
  tilesDone = 0;
  readonly #picture: Image;
  readonly #tell: UpscaleOptions["onProgress"];
  readonly #start = performance.now();
  #done = 0;

  constructor(picture: Image, tell: UpscaleOptions["onProgress"]) {
    this.#picture = picture;
    this.#tell = tell;
  }

  get begun(): boolean {
    return this.#done > 0;
  }

  /** Regions of one tile, from the top down. */
  report(regions: readonly Region[]): void {
    const [first] = regions;
    if (!first) return;
    const region = { ...first, height: regions.reduce((sum, { height }) => sum + height, 0) };
    this.#done += region.width * region.height;
    const { tiles, tilesDone } = this;
    const picture = this.#picture;
    const fraction = this.#done / (picture.width * picture.height);
    const elapsedMs = performance.now() - this.#start;
    this.#tell?.({ fraction, tilesDone, tiles, region, picture, elapsedMs });
  }
}

function checkCallbacks(signal: unknown, onProgress: unknown): void {
  const stops = signal === undefined || signal instanceof AbortSignal;
  check(stops, "ERR_ARGUMENT", () => `signal: expected an AbortSignal, got ${String(signal)}`);
  const calls = onProgress === undefined || typeof onProgress === "function";
  check(calls, "ERR_ARGUMENT", () => `onProgress: expected a function, got ${String(onProgress)}`);
}
