import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boxesToOriginal, paddedSize, resizedSize, resizeMap, resizeRows } from "../../src/detection/resize.ts";
import type { FeatureMap } from "../../src/network/description.ts";
import { randomMap, relativeError, seeded } from "../network/random-model.ts";

const side = fc.integer({ min: 1, max: 24 });

/** Every sample from its four neighbours, in double precision, with the edge repeated outwards. */
function naiveBilinear({ shape: [h, w, c], data }: FeatureMap<Float32Array>, height: number, width: number): number[] {
  const at = (y: number, x: number, k: number) =>
    data[(Math.min(h - 1, Math.max(0, y)) * w + Math.min(w - 1, Math.max(0, x))) * c + k]!;
  const result: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sy = ((y + 0.5) * h) / height - 0.5;
      const sx = ((x + 0.5) * w) / width - 0.5;
      const [fy, fx] = [Math.floor(sy), Math.floor(sx)];
      for (let k = 0; k < c; k++) {
        const above = at(fy, fx, k) * (1 - (sx - fx)) + at(fy, fx + 1, k) * (sx - fx);
        const below = at(fy + 1, fx, k) * (1 - (sx - fx)) + at(fy + 1, fx + 1, k) * (sx - fx);
        result.push(above * (1 - (sy - fy)) + below * (sy - fy));
      }
    }
  }
  return result;
}

describe("resizedSize", () => {
  it("is what torchvision 0.14.1 prints for these sizes (h x w)", () => {
    const cases = [
      [480, 640, 800, 1066],
      [427, 640, 799, 1199],
      [500, 375, 1066, 799],
      [33, 1000, 39, 1200],
      [800, 1200, 800, 1200],
    ] as const;
    for (const [height, width, ...expected] of cases) {
      const size = resizedSize({ height, width });
      expect([size.height, size.width]).toEqual(expected);
    }
  });

  it("brings the short side to the wanted length or the long one to the limit, less at most one pixel, never past either", () => {
    const length = fc.integer({ min: 100, max: 5000 });
    fc.assert(
      fc.property(length, length, (width, height) => {
        const size = resizedSize({ width, height });
        const [short, long] = [Math.min(size.width, size.height), Math.max(size.width, size.height)];
        expect(short).toBeLessThanOrEqual(800);
        expect(long).toBeLessThanOrEqual(1200);
        expect(short >= 799 || long >= 1199).toBe(true);
        // rounding down is all that changes the proportions
        const factor = Math.min(800 / Math.min(width, height), 1200 / Math.max(width, height));
        expect(Math.abs(size.width - width * factor)).toBeLessThan(1.001);
        expect(Math.abs(size.height - height * factor)).toBeLessThan(1.001);
      }),
    );
  });

  it("refuses a picture of which nothing would be left, and none at all", () => {
    expect(() => resizedSize({ width: 4000, height: 2 })).toThrow(
      "size: expected sides that differ less than 1200-fold, got 4000 x 2",
    );
    expect(() => resizedSize({ width: 0, height: 0 })).toThrow("size: expected whole sides from 1, got 0 x 0");
    expect(() => resizedSize({ width: Number.NaN, height: 5 })).toThrow(
      "size: expected whole sides from 1, got NaN x 5",
    );
  });
});

it("pads to the next multiples of 32", () => {
  expect(paddedSize({ width: 1199, height: 800 })).toEqual({ width: 1216, height: 800 });
  expect(paddedSize({ width: 1, height: 33 })).toEqual({ width: 32, height: 64 });
});

describe("resizeMap", () => {
  it("is bilinear between repeated edges, larger and smaller, with zeros beside", () => {
    fc.assert(
      fc.property(side, side, side, side, fc.integer({ min: 1, max: 4 }), fc.nat(1e6), (h, w, oh, ow, c, seed) => {
        const next = seeded(seed);
        const map = randomMap(next, [h, w, c], -2, 2);
        const expected = naiveBilinear(map, oh, ow);
        // positions below 24 from a quotient in f32 are off by up to 24 * 2^-24, times a slope of up to 4
        const resized = resizeMap(map, { width: ow, height: oh });
        expect(resized.shape).toEqual([oh, ow, c]);
        expect(relativeError(resized.data, expected)).toBeLessThan(1e-5);

        const padded = resizeMap(map, { width: ow, height: oh }, { width: ow + 3, height: oh + 2 });
        expect(padded.shape).toEqual([oh + 2, ow + 3, c]);
        for (let y = 0; y < oh + 2; y++) {
          for (let i = 0; i < (ow + 3) * c; i++) {
            const inside = y < oh && i < ow * c;
            expect(padded.data[y * (ow + 3) * c + i]).toBe(inside ? resized.data[y * ow * c + i] : 0);
          }
        }
      }),
    );
  });

  it("returns a picture of the same size to the bit", () => {
    const map = randomMap(seeded(1), [7, 5, 3]);
    expect(resizeMap(map, { width: 5, height: 7 })).toEqual(map);
  });

  it("reads every row at most once and in order", () => {
    fc.assert(
      fc.property(side, side, (height, to) => {
        const read: number[] = [];
        resizeRows({ width: 1, height, channels: 1, read: (y) => read.push(y) }, { width: 1, height: to });
        expect(read).toEqual([...new Set(read)].sort((a, b) => a - b));
      }),
    );
  });

  it("refuses lengths that do not fit", () => {
    const map = (length: number) => ({ shape: [2, 2, 1] as const, data: new Float32Array(length) });
    expect(() => resizeMap(map(3), { width: 1, height: 1 })).toThrow(
      expect.objectContaining({ code: "ERR_SHAPE", message: "map.data: expected 4 values (2 x 2 x 1), got 3" }),
    );
    expect(() => resizeMap(map(4), { width: 3, height: 3 }, { width: 2, height: 3 })).toThrow(
      "padded: expected at least 3 x 3, got 2 x 3",
    );
  });
});

it("brings boxes back to the original, each axis by its own ratio", () => {
  const back = boxesToOriginal(
    Float32Array.of(0, 0, 1199, 800, 599.5, 400, 10, 8),
    { width: 1199, height: 800 },
    {
      width: 640,
      height: 427,
    },
  );
  const expected = [0, 0, 640, 427, 320, 213.5, (10 * 640) / 1199, (8 * 427) / 800];
  expect(relativeError(back, expected)).toBeLessThan(2e-7);
});
