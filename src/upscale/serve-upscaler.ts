/**
 * The code of an upscaling thread: a network of its own, a tile at a time.
 * @module wasmograd/worker
 */

import type { Region } from "../image/types.ts";
import { type Service, serve } from "../worker/serve.ts";
import { createNetwork } from "./create-network.ts";
import { forEachRow, type PictureForm, type PixelPort, pixelBytes } from "./pixel-port.ts";
import type { ThreadPart, ThreadSetup, ThreadTask } from "./thread-tasks.ts";
import { TileJob } from "./tile-job.ts";
import { takeTurns } from "./turns.ts";

/**
 * Makes the worker that calls it a thread of an upscaler: all that a worker script of your own has to do, whose address `workerUrl` of
 * `createUpscaler` then names.
 *
 * @example
 * import { serveUpscaler } from "wasmograd/worker";
 * serveUpscaler();
 */
export function serveUpscaler(): void {
  serve(startService);
}

async function startService({ module, options }: ThreadSetup): Promise<Service<ThreadTask, ThreadPart>> {
  const { network, scale } = await createNetwork({ ...options, wasmModule: module });
  // Tiles of a picture are of one size, and pictures often are.
  let kept: { readonly key: string; readonly job: TileJob } | undefined;
  const jobFor = (form: PictureForm, { width, height }: Region): TileJob => {
    const key = [form.width, form.height, form.channels, form.depth, width, height].join();
    if (kept?.key === key) return kept.job;
    kept?.job.dispose();
    kept = undefined;
    kept = { key, job: new TileJob(network, scale, form, { width, height }) };
    return kept.job;
  };
  return {
    get memoryBytes() {
      return network.memoryBytes;
    },
    async run({ form, tile, pixels }, signal, part) {
      const bytes = pixelBytes(form);
      const { source } = tile;
      const input = new Uint8Array(pixels);
      const port: PixelPort = {
        read: (region, to) => {
          const inside = { ...region, x: region.x - source.x, y: region.y - source.y };
          forEachRow(inside, source.width * bytes, bytes, (at, start, length) => {
            to.set(input.subarray(at, at + length), start);
          });
        },
        write: (region, from) => {
          const copy = from.slice();
          part({ region, pixels: copy.buffer }, [copy.buffer]);
        },
      };
      for await (const _ of takeTurns(jobFor(form, source).run(tile, port))) signal.throwIfAborted();
    },
  };
}
