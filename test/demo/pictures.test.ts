/** The demo's own work on pixels: what a window shows of a picture, and the PNG writer. */

import fc from "fast-check";
import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import type { View } from "../../demo/upscale/messages.ts";
import { encodePng } from "../../demo/upscale/png.ts";
import { paintArea, paintNearest, shown } from "../../demo/upscale/sampling.ts";
import type { Channels, Image, Region } from "../../src/image/types.ts";
import { integers } from "../_helpers/random.ts";

function picture(width: number, height: number, channels: Channels, seed = 1): Image {
  return { width, height, channels, depth: 8, data: Uint8Array.from(integers(seed, width * height * channels, 255)) };
}

const sides = fc.integer({ min: 1, max: 40 });
const views = fc.record({
  width: fc.integer({ min: 1, max: 30 }),
  height: fc.integer({ min: 1, max: 30 }),
  x: fc.double({ min: -20, max: 40, noNaN: true }),
  y: fc.double({ min: -20, max: 40, noNaN: true }),
  zoom: fc.constantFrom(0.13, 0.25, 0.5, 0.77, 1, 1.5, 2, 3, 8),
});
const whole = ({ width, height }: Image): Region => ({ x: 0, y: 0, width, height });

type Paint = (picture: Image, region: Region, view: View, rgba: Uint8ClampedArray) => void;
function painted(paint: Paint, image: Image, regions: readonly Region[], view: View): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(view.width * view.height * 4);
  for (const region of regions) paint(image, region, view, rgba);
  return rgba;
}

describe("a window onto a picture", () => {
  test("shows at each of its pixels the picture's nearest, and nothing beside the picture", () => {
    fc.assert(
      fc.property(sides, sides, fc.constantFrom<Channels>(3, 4), views, (width, height, channels, view) => {
        const image = picture(width, height, channels);
        const rgba = painted(paintNearest, image, [whole(image)], view);
        for (let y = 0; y < view.height; y++) {
          for (let x = 0; x < view.width; x++) {
            const column = Math.floor(view.x + (x + 0.5) / view.zoom);
            const row = Math.floor(view.y + (y + 0.5) / view.zoom);
            const inside = column >= 0 && column < width && row >= 0 && row < height;
            const pixel = [...rgba.subarray((y * view.width + x) * 4, (y * view.width + x) * 4 + 4)];
            const at = (row * width + column) * channels;
            const samples = inside ? [...image.data.subarray(at, at + channels), 255].slice(0, 4) : [0, 0, 0, 0];
            // Where a centre lies on an edge within rounding, either neighbour will do.
            const edge = [view.x + (x + 0.5) / view.zoom, view.y + (y + 0.5) / view.zoom].some(
              (z) => Math.abs(z - Math.round(z)) < 1e-9,
            );
            if (!edge) expect(pixel).toEqual(samples);
          }
        }
      }),
    );
  });

  test("parts of a picture, one after the other, are the picture: each pixel of the window belongs to one part", () => {
    fc.assert(
      fc.property(sides, sides, sides, views, (width, height, cut, view) => {
        const image = picture(width, height, 3);
        const rows = Math.min(cut, height);
        const parts = [
          { x: 0, y: 0, width, height: rows },
          { x: 0, y: rows, width, height: height - rows },
        ];
        for (const paint of [paintNearest, paintArea]) {
          expect(painted(paint, image, parts, view)).toEqual(painted(paint, image, [whole(image)], view));
        }
        const areas = parts.map((part) => shown(part, view)).map((target) => target.width * target.height);
        const all = shown(whole(image), view);
        expect(areas[0]! + areas[1]!).toBe(all.width * all.height);
      }),
    );
  });

  test("averages what it reduces: a flat picture stays flat, and a mean stays the mean", () => {
    const flat: Image = { ...picture(50, 40, 3), data: new Uint8Array(50 * 40 * 3).fill(137) };
    const view = { width: 13, height: 10, x: 0, y: 0, zoom: 0.26 };
    const rgba = painted(paintArea, flat, [whole(flat)], view);
    const samples = [...rgba].filter((_, i) => i % 4 < 3);
    expect(new Set(samples)).toEqual(new Set([137]));
    const image = picture(64, 32, 3);
    const half = painted(paintArea, image, [whole(image)], { width: 16, height: 8, x: 0, y: 0, zoom: 0.25 });
    const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    const shownMean = mean([...half].filter((_, i) => i % 4 < 3));
    expect(Math.abs(shownMean - mean(image.data))).toBeLessThan(0.5);
  });
});

test("what the PNG writer writes is read back sample for sample, and progress ends at 1", async () => {
  await fc.assert(
    fc.asyncProperty(
      sides,
      sides,
      fc.constantFrom<Channels>(1, 2, 3, 4),
      fc.nat(),
      async (width, height, channels, seed) => {
        const image = picture(width, height, channels, seed + 1);
        const seen: number[] = [];
        const file = await encodePng(image, (fraction) => seen.push(fraction));
        const read = decode(new Uint8Array(await file.arrayBuffer()), { checkCrc: true });
        expect([read.width, read.height, read.channels, read.depth]).toEqual([width, height, channels, 8]);
        expect(Buffer.compare(Buffer.from(read.data as Uint8Array), Buffer.from(image.data as Uint8Array))).toBe(0);
        expect(seen.at(-1)).toBe(1);
      },
    ),
    { numRuns: 40 },
  );
});

test("a picture of several batches is one PNG", async () => {
  const image = picture(1200, 900, 3);
  const read = decode(new Uint8Array(await (await encodePng(image)).arrayBuffer()), { checkCrc: true });
  expect(Buffer.compare(Buffer.from(read.data as Uint8Array), Buffer.from(image.data as Uint8Array))).toBe(0);
});
