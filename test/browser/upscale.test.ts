import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import { hasChromium, withPage } from "./page.ts";

/** The same function makes the picture here and in the page, where it arrives as text. */
function picture(width: number, height: number) {
  const data = new Uint8Array(width * height * 3);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state >>> 24;
  }
  return { width, height, channels: 3 as const, depth: 8 as const, data };
}

const sha256 = (data: ArrayLike<number>): string => createHash("sha256").update(Uint8Array.from(data)).digest("hex");

test.runIf(hasChromium)(
  "in a page: the bits of Node, by one thread and by Web Workers, without cross-origin isolation",
  { timeout: 60_000 },
  async () => {
    const [width, height] = [900, 640];
    using upscaler = await createUpscaler({ threads: 1 });
    const expected = sha256((await upscaler.upscale(picture(width, height))).data);
    await withPage(async (page) => {
      const found = await page.evaluate(
        async ({ make, size }) => {
          const { createUpscaler: create } = await import(/* @vite-ignore */ "/index.js" as string);
          const image = new Function(`return (${make})(${size})`)();
          const digests: string[] = [];
          for (const threads of [1, 2]) {
            const upscaling = await create({ threads });
            const { data } = await upscaling.upscale(image);
            const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
            digests.push(Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""));
            const { threads: used } = upscaling;
            if (used !== threads) throw new Error(`asked for ${threads} threads, ran on ${used}`);
            upscaling.dispose();
          }
          return { digests, isolated: crossOriginIsolated, shared: typeof SharedArrayBuffer };
        },
        { make: String(picture), size: `${width}, ${height}` },
      );
      expect(found.isolated).toBe(false);
      expect(found.digests).toEqual([expected, expected]);
    });
  },
);
