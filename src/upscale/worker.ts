/** The code of an upscaling thread: a network of its own, a tile at a time. Never imported; `threaded.ts` starts it by its URL. */
import { useModule } from "../kernels/load.ts";
import { type Service, serve } from "../worker/serve.ts";
import { createNetwork } from "./create-network.ts";
import { forEachRow, type PixelPort, pixelBytes } from "./pixel-port.ts";
import type { ThreadPart, ThreadSetup, ThreadTask } from "./thread-tasks.ts";
import { TileJob } from "./tile-job.ts";
import { takeTurns } from "./turns.ts";

serve<ThreadSetup, ThreadTask, ThreadPart>(async ({ module, options }): Promise<Service<ThreadTask, ThreadPart>> => {
  useModule(module);
  const { network, scale } = await createNetwork(options);
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
      const job = new TileJob(network, scale, form, source);
      try {
        for await (const _ of takeTurns(job.run(tile, port))) signal.throwIfAborted();
      } finally {
        job.dispose();
      }
    },
  };
});
