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
  "in a page: the bits of Node, by one thread and by Web Workers, without cross-origin isolation, under a strict policy",
  { timeout: 60_000 },
  async () => {
    const [width, height] = [900, 640];
    using upscaler = await createUpscaler({ threads: 1 });
    const expected = sha256((await upscaler.upscale(picture(width, height))).data);
    await withPage(async (page, complaints) => {
      // As text: what bundlers make of a function's imports means nothing in the page.
      const found = (await page.evaluate(`(async () => {
        const { createUpscaler } = await import("/index.js");
        const image = (${picture})(${width}, ${height});
        const digests = [];
        for (const threads of [1, 2]) {
          const upscaler = await createUpscaler({ threads });
          const { data } = await upscaler.upscale(image);
          const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
          digests.push(Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""));
          if (upscaler.threads !== threads) throw new Error("asked for " + threads + " threads, ran on " + upscaler.threads);
          upscaler.dispose();
        }
        return { digests, isolated: crossOriginIsolated };
      })()`)) as { digests: string[]; isolated: boolean };
      expect(found.isolated).toBe(false);
      expect(found.digests).toEqual([expected, expected]);
      expect(complaints).toEqual([]);
    });
  },
);
