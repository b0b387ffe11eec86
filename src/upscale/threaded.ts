/** A picture upscaled by several threads: tiles go out with their pixels, finished strips come back and are put in their place. */
import type { Image, Region } from "../image/types.ts";
import { compileKernels } from "../kernels/load.ts";
import { wasmOf } from "../kernels/wasm-options.ts";
import { WorkerPool } from "../worker/pool.ts";
import { startThread, type ThreadCode } from "../worker/thread.ts";
import type { NetworkOptions } from "./create-network.ts";
import { picturePort, pixelBytes } from "./pixel-port.ts";
import type { ThreadPart, ThreadSetup, ThreadTask } from "./thread-tasks.ts";
import type { Tile } from "./tiles.ts";

export type UpscalePool = WorkerPool<ThreadSetup, ThreadTask, ThreadPart>;

const OWN_CODE: ThreadCode = {
  get url() {
    return new URL("./worker.js", import.meta.url);
  },
  web: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
};

export async function createPool(
  threads: number,
  network: NetworkOptions,
  workerUrl: URL | undefined,
): Promise<UpscalePool> {
  const module = await compileKernels(wasmOf(network));
  const { wasmUrl: _url, wasmModule: _module, ...options } = network;
  const code = workerUrl ? { url: workerUrl, web: () => new Worker(workerUrl, { type: "module" }) } : OWN_CODE;
  return new WorkerPool(threads, (events) => startThread(code, events), { module, options });
}

/** Rejects with the first error; nothing is written to `output` after that. `written`: told of each strip, and whether it ends its tile. */
export async function upscaleThreaded(
  pool: UpscalePool,
  input: Image,
  output: Image,
  tiles: readonly Tile[],
  signal: AbortSignal | undefined,
  written: (region: Region, last: boolean) => void,
): Promise<void> {
  const scale = output.height / input.height;
  const { width, height, channels, depth } = input;
  const form = { width, height, channels, depth };
  const port = picturePort(input, output);
  const runs = tiles.map((tile) => {
    const open = (): { task: ThreadTask; transfer: ArrayBuffer[] } => {
      const pixels = new Uint8Array(tile.source.width * tile.source.height * pixelBytes(input));
      port.read(tile.source, pixels);
      return { task: { form, tile, pixels: pixels.buffer }, transfer: [pixels.buffer] };
    };
    const part = ({ region, pixels }: ThreadPart): void => {
      port.write(region, new Uint8Array(pixels));
      written(region, region.y + region.height === (tile.core.y + tile.core.height) * scale);
    };
    return pool.run({ open, part });
  });
  const stop = (reason: unknown): void => {
    for (const { cancel } of runs) cancel(reason);
  };
  const abort = (): void => stop(signal!.reason);
  signal?.addEventListener("abort", abort);
  try {
    await Promise.all(runs.map(({ finished }) => finished));
  } catch (error) {
    // One tile's failure stops the others, whose own rejections say nothing new.
    stop(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
