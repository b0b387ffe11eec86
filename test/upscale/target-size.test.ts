/** Sizes between the trained factors: what they are, and that the result is the network's, resized. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resize } from "../../src/image/resize.ts";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import { factorOf, fitInside, nearestScale, targetSize } from "../../src/upscale/target-size.ts";

const side = fc.integer({ min: 1, max: 4000 });
const size = fc.record({ width: side, height: side });

describe("sizes", () => {
  test("inside the box, touching it, of the picture's proportions as far as whole pixels allow", () => {
    fc.assert(
      fc.property(size, size, (input, box) => {
        const { width, height } = fitInside(input, box);
        expect(width >= 1 && height >= 1 && width <= box.width && height <= box.height).toBe(true);
        expect(width === box.width || height === box.height).toBe(true);
        const factor = Math.min(box.width / input.width, box.height / input.height);
        expect(Math.abs(width - Math.max(1, input.width * factor))).toBeLessThanOrEqual(0.5);
        expect(Math.abs(height - Math.max(1, input.height * factor))).toBeLessThanOrEqual(0.5);
      }),
    );
  });

  test("a factor rounds each side and never to less than the picture", () => {
    fc.assert(
      fc.property(size, fc.double({ min: 1, max: 16, noNaN: true }), (input, scale) => {
        const target = targetSize(input, { scale });
        expect(Math.abs(target.width - input.width * scale)).toBeLessThanOrEqual(0.5);
        expect(target.width >= input.width && target.height >= input.height).toBe(true);
        expect(Math.abs(factorOf(input, target) - scale)).toBeLessThanOrEqual(
          0.5 / Math.min(input.width, input.height),
        );
      }),
    );
  });

  test("the nearest trained factor is nearest in proportion", () => {
    expect([1, 2, 2.8, 2.83, 3, 4, 9].map((factor) => nearestScale(factor, [2, 4]))).toEqual([2, 2, 2, 4, 4, 4, 4]);
    expect(nearestScale(9, [2])).toBe(2);
    expect(nearestScale(Math.sqrt(8), [2, 4])).toBe(4);
  });

  test.each([
    [{ scale: 0.9 }, /^to.scale: expected a factor from 1 to 16, got 0.9$/],
    [{ scale: Number.NaN }, /^to.scale: expected a factor/],
    [{ width: 9, height: 9 }, /^to: expected a size from 10x10, which is the picture's, got 9x9$/],
    [{ width: 0, height: 20 }, /^to.width: expected an integer from 1/],
    [7, /^to: expected { width, height } or { scale }, got 7$/],
  ])("%j is refused", (to, message) => {
    expect(() => targetSize({ width: 10, height: 10 }, to as never)).toThrow(message);
  });
});

describe("pictures", () => {
  const channels = 3;
  const image = {
    width: 23,
    height: 17,
    channels,
    depth: 8,
    data: Uint8Array.from({ length: 23 * 17 * channels }, (_, i) => (i * 37) % 251),
  } as const;

  test("the network's result, resized", async () => {
    using upscaler = await createUpscaler({ scale: 2 });
    const twice = await upscaler.upscale(image);
    for (const to of [
      { width: 40, height: 21 },
      { width: 23, height: 100 },
    ]) {
      expect(await upscaler.upscale(image, { to, tileSize: 16 })).toEqual(await resize(twice, to));
    }
    expect(await upscaler.upscale(image, { to: { scale: 2 } })).toEqual(twice);
  });

  test("an upscaler of any factor", async () => {
    using upscaler = await createUpscaler({ scale: 1.5 });
    expect(upscaler).toMatchObject({ scale: 2, factor: 1.5 });
    const result = await upscaler.upscale(image);
    expect(result).toMatchObject({ width: 35, height: 26, channels, depth: 8 });
    const fractions: number[] = [];
    await upscaler.upscale(image, { onProgress: ({ fraction }) => fractions.push(fraction) });
    expect(fractions.at(-1)).toBe(1);
  });

  test("a constant picture stays constant, one of one pixel has any size", async () => {
    using upscaler = await createUpscaler({ scale: 3 });
    const flat = { ...image, data: new Uint8Array(image.data.length).fill(255) };
    const { data } = await upscaler.upscale(flat);
    expect(Math.min(...data)).toBeGreaterThanOrEqual(253);
    const dot = { width: 1, height: 1, channels: 1, depth: 8, data: new Uint8Array([9]) } as const;
    expect(await upscaler.upscale(dot, { to: { width: 5, height: 3 } })).toMatchObject({ width: 5, height: 3 });
  });

  test("wrong factors, and weights of one's own, which have but one", async () => {
    for (const scale of [0, 17, Number.NaN, "3"]) {
      await expect(createUpscaler({ scale: scale as number })).rejects.toThrow(
        /^scale: expected a factor from 1 to 16/,
      );
    }
    const own = createUpscaler({ scale: 3, weights: new Uint8Array(1) });
    await expect(own).rejects.toThrow(/^scale: expected 2 or 4 with weights of your own, got 3$/);
  });

  test("an abort during the resize", async () => {
    using upscaler = await createUpscaler();
    const controller = new AbortController();
    const onProgress = ({ fraction }: { fraction: number }): void => {
      if (fraction === 1) controller.abort(new Error("enough"));
    };
    const running = upscaler.upscale(image, { to: { scale: 3 }, signal: controller.signal, onProgress });
    await expect(running).rejects.toThrow("enough");
  });
});
