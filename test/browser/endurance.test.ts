/** What a page that stays open needs: memory that does not grow, and threads that may die. */
import { existsSync, readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { hasChromium, withPage } from "./page.ts";

const SOURCE = `const picture = (width, height) => ({
  width, height, channels: 3, depth: 8,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24),
});`;

/** So that the heap is what is still referred to. */
const PRECISE = { flags: ["--js-flags=--expose-gc", "--enable-precise-memory-info"] };
const HEAP = "(gc(), gc(), performance.memory.usedJSHeapSize)";
/** Growth of the page's heap: less than one result of the small pictures, of 768 KiB, that somebody has kept. */
const HEAP_BOUND = 512 * 1024;
/** Growth of the page's process, its threads' heaps included: a fifth of the small results, had they been kept. */
const PROCESS_BOUND = 24 * 2 ** 20;

/** Resident bytes of the process that runs the page; undefined where the system does not say. */
async function processBytes(page: Page): Promise<number | undefined> {
  const session = await page.context().browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const pages = processInfo.filter(({ type, id }) => type === "renderer" && existsSync(`/proc/${id}/status`));
  const resident = pages.map(({ id }) => /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1]);
  return resident.length === 0 ? undefined : Math.max(...resident.map(Number)) * 1024;
}

const mebibytes = (bytes: readonly number[]): string => bytes.map((one) => (one / 2 ** 20).toFixed(2)).join(" ");

test.runIf(hasChromium)("200 pictures: memory does not grow", { timeout: 120_000 }, async () => {
  await withPage(async (page, complaints) => {
    await page.evaluate(`(async () => {
      ${SOURCE}
      const { createUpscaler } = await import("/index.js");
      const upscalers = [await createUpscaler({ threads: 1 }), await createUpscaler({ threads: 2 })];
      const [small, large] = [picture(320, 200), picture(1024, 512)];
      // Nineteen computed in the page and one by threads.
      globalThis.twenty = async () => {
        for (let i = 0; i < 19; i++) await upscalers[0].upscale(small);
        await upscalers[1].upscale(large);
        return { heap: ${HEAP}, wasm: upscalers[0].memoryBytes + upscalers[1].memoryBytes };
      };
    })()`);
    const heap: number[] = [];
    const wasm: number[] = [];
    const resident: number[] = [];
    for (let i = 0; i < 10; i++) {
      const found = (await page.evaluate("twenty()")) as { heap: number; wasm: number };
      // Idle threads would keep their garbage for long.
      await Promise.all(page.workers().map((worker) => worker.evaluate("gc()")));
      heap.push(found.heap);
      wasm.push(found.wasm);
      const bytes = await processBytes(page);
      if (bytes) resident.push(bytes);
    }
    console.log(`MiB after each 20 pictures: heap ${mebibytes(heap)}`);
    console.log(`WebAssembly ${mebibytes(wasm)}; process ${mebibytes(resident)}`);
    expect(heap[0]).toBeGreaterThan(0);
    expect(heap.at(-1)! - heap[0]!).toBeLessThan(HEAP_BOUND);
    expect(new Set(wasm).size).toBe(1);
    if (resident.length > 0) expect(resident.at(-1)! - resident[1]!).toBeLessThan(PROCESS_BOUND);
    expect(complaints).toEqual([]);
  }, PRECISE);
});

test.runIf(hasChromium)("upscalers that were disposed of hold nothing", { timeout: 120_000 }, async () => {
  await withPage(async (page) => {
    const heap = (await page.evaluate(`(async () => {
      ${SOURCE}
      const { createUpscaler } = await import("/index.js");
      const image = picture(160, 100);
      const heap = [];
      for (let i = 1; i <= 30; i++) {
        const upscaler = await createUpscaler({ threads: 1 });
        await upscaler.upscale(image);
        upscaler.dispose();
        if (i % 10 === 0) heap.push(${HEAP});
      }
      return heap;
    })()`)) as number[];
    console.log(`MiB after each 10 upscalers: heap ${mebibytes(heap)}`);
    expect(heap[2]! - heap[0]!).toBeLessThan(HEAP_BOUND);
  }, PRECISE);
});

test.runIf(hasChromium).each([
  ["that the page terminates", "started[0].terminate()"],
  ["that closes itself", "closeThread()"],
  ["that fails", "started[0].dispatchEvent(new ErrorEvent('error', { message: 'out of luck' }))"],
])("a thread %s midway: one line, and the next picture is right", { timeout: 60_000 }, async (_, kill) => {
  await withPage(async (page) => {
    await page.exposeFunction("closeThread", () => {
      // No answer comes from a thread that is closing.
      void page
        .workers()[0]!
        .evaluate("close()")
        .catch(() => {});
    });
    const found = (await page.evaluate(`(async () => {
      ${SOURCE}
      const started = [];
      globalThis.Worker = class extends Worker {
        constructor(...given) {
          super(...given);
          started.push(this);
          this.addEventListener("message", ({ data }) => (this.holdsLock ||= "lock" in data));
        }
      };
      const { createUpscaler } = await import("/index.js");
      const upscaler = await createUpscaler({ threads: 2 });
      const image = picture(1400, 900);
      let parts = 0;
      let killed = false;
      const message = await upscaler
        .upscale(image, {
          onProgress: () => {
            // Midway is after its start: before a thread holds its lock nobody can tell that it has ended.
            if (++parts < 3 || !started[0].holdsLock || killed) return;
            killed = true;
            ${kill};
          },
        })
        .then(() => "finished", ({ code, message }) => code + ": " + message);
      const result = await upscaler.upscale(image);
      const alone = await (await createUpscaler({ threads: 1 })).upscale(image);
      const equal = result.data.every((sample, i) => sample === alone.data[i]);
      return { message, started: started.length, equal, threads: upscaler.threads };
    })()`)) as { message: string; started: number; equal: boolean; threads: number };
    expect(found.message).toMatch(/^ERR_WORKER: a thread failed: [^\n]+$/);
    // Two, and one in the place of the first.
    expect(found).toMatchObject({ started: 3, equal: true, threads: 2 });
  });
});
