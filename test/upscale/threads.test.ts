/** Several threads, which only the built package has code for. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Channels, Depth, Image } from "../../src/image/types.ts";
import { createUpscaler as createFromSource } from "../../src/upscale/create-upscaler.ts";
import type { UpscaleProgress } from "../../src/upscale/upscaler.ts";
import { integers } from "../_helpers/random.ts";

const BUILT = new URL("../../dist/bundle/index.js", import.meta.url);
const { createUpscaler } = (await import(fileURLToPath(BUILT))) as { createUpscaler: typeof createFromSource };

function picture(width: number, height: number, channels: Channels = 3, depth: Depth = 8): Image {
  const values = integers(5, width * height * channels, 2 ** depth - 1);
  return { width, height, channels, depth, data: depth === 8 ? Uint8Array.from(values) : Uint16Array.from(values) };
}

describe("several threads", () => {
  test.each([
    [900, 640, 3, 8, undefined],
    [700, 800, 4, 16, undefined],
    [1300, 420, 1, 8, undefined],
    [800, 700, 2, 16, 200],
  ] as const)(
    "give the bits of one: %ix%i, %i channels, %i bits, tiles of %s",
    async (width, height, channels, depth, tileSize) => {
      const image = picture(width, height, channels, depth);
      using one = await createUpscaler({ threads: 1 });
      using two = await createUpscaler({ threads: 2 });
      const options = tileSize === undefined ? {} : { tileSize };
      const expected = await one.upscale(image, options);
      const seen: UpscaleProgress[] = [];
      const result = await two.upscale(image, { ...options, onProgress: (progress) => void seen.push(progress) });
      expect(Buffer.compare(bytes(result), bytes(expected))).toBe(0);
      // Every part once, the whole at the end.
      const area = seen.reduce((sum, { region }) => sum + region.width * region.height, 0);
      expect(area).toBe(4 * width * height);
      expect(seen.at(-1)).toMatchObject({ fraction: 1, tilesDone: seen[0]!.tiles });
      expect(seen[0]!.tiles).toBeGreaterThan(1);
      expect(two.memoryBytes).toBeGreaterThan(one.memoryBytes);
    },
  );

  test("two pictures at once share the threads", async () => {
    using two = await createUpscaler({ threads: 2 });
    using one = await createUpscaler({ threads: 1 });
    const images = [picture(800, 700), picture(720, 740)];
    const results = await Promise.all(images.map((image) => two.upscale(image)));
    for (const [i, image] of images.entries()) {
      expect(Buffer.compare(bytes(results[i]!), bytes(await one.upscale(image)))).toBe(0);
    }
  });

  test("aborted: rejects with the reason at once, and the threads are good for the next picture", async () => {
    using two = await createUpscaler({ threads: 2 });
    const image = picture(1200, 900);
    const expected = await two.upscale(image);
    const controller = new AbortController();
    const options = { signal: controller.signal, onProgress: () => controller.abort(new Error("enough")) };
    await expect(two.upscale(image, options)).rejects.toThrow("enough");
    expect(Buffer.compare(bytes(await two.upscale(image)), bytes(expected))).toBe(0);
  });

  test("what onProgress throws is what upscale rejects with", async () => {
    using two = await createUpscaler({ threads: 2 });
    const onProgress = (): void => {
      throw new Error("mine");
    };
    await expect(two.upscale(picture(900, 640), { onProgress })).rejects.toThrow("mine");
  });

  test("disposed of on the way: ERR_DISPOSED", async () => {
    const two = await createUpscaler({ threads: 2 });
    const onProgress = (): void => two.dispose();
    await expect(two.upscale(picture(900, 640), { onProgress })).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  });

  test("idle threads let a process end, working ones do not", () => {
    const script = `
      import { createUpscaler } from ${JSON.stringify(BUILT.href)};
      const upscaler = await createUpscaler({ threads: 2 });
      const [width, height] = [900, 640];
      const image = { width, height, channels: 3, depth: 8, data: new Uint8Array(width * height * 3) };
      const result = await upscaler.upscale(image);
      console.log(result.width);
    `;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      timeout: 30_000,
    });
    expect([child.status, child.stdout, child.stderr]).toEqual([0, "1800\n", ""]);
  });

  test("small pictures start no thread", async () => {
    using two = await createUpscaler({ threads: 2 });
    const before = two.memoryBytes;
    await two.upscale(picture(300, 200));
    expect(two.threads).toBe(2);
    expect(two.memoryBytes - before).toBeLessThan(2 ** 22);
  });
});

describe("where threads cannot be started, as from sources that were not built", () => {
  test("asked for: ERR_WORKER", async () => {
    using upscaler = await createFromSource({ threads: 2 });
    await expect(upscaler.upscale(picture(900, 640))).rejects.toMatchObject({ code: "ERR_WORKER" });
  });

  test("not asked for: does without, and says so", async () => {
    using upscaler = await createFromSource();
    using one = await createFromSource({ threads: 1 });
    const image = picture(900, 640);
    const result = await upscaler.upscale(image);
    expect(upscaler.threads).toBe(1);
    expect(Buffer.compare(bytes(result), bytes(await one.upscale(image)))).toBe(0);
  });

  test.each([0, 1.5, 1000, "2", null])("threads: %s is refused", async (threads) => {
    await expect(createFromSource({ threads: threads as never })).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });
});

const bytes = ({ data }: Image): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
