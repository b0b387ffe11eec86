import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headWeightsFromTorch, roiAlign } from "../../src/detection/roi-align.ts";
import type { FeatureMap } from "../../src/network/description.ts";
import { randomMap, relativeError, seeded, uniform } from "../network/random-model.ts";
import { pack, realBoxes } from "./boxes.ts";

interface Bins {
  readonly scale: number;
  readonly pooled: number;
  readonly samples: number;
}

/** One bilinear sample by the rule at the border, in double precision. */
function sample({ shape: [h, w, c], data }: FeatureMap<Float32Array>, y: number, x: number, channel: number): number {
  if (y < -1 || y > h || x < -1 || x > w) return 0;
  const inside = (value: number, size: number) => Math.min(size - 1, Math.max(0, value));
  const [cy, cx] = [inside(y, h), inside(x, w)];
  const [fy, fx] = [Math.floor(cy), Math.floor(cx)];
  const at = (v: number, u: number) => data[(inside(v, h) * w + inside(u, w)) * c + channel]!;
  const [dy, dx] = [cy - fy, cx - fx];
  const above = at(fy, fx) * (1 - dx) + at(fy, fx + 1) * dx;
  const below = at(fy + 1, fx) * (1 - dx) + at(fy + 1, fx + 1) * dx;
  return above * (1 - dy) + below * dy;
}

/** Every bin of every box as the mean of its samples, one after the other. */
function naiveRoiAlign(
  features: FeatureMap<Float32Array>,
  boxes: Float32Array,
  { scale, pooled, samples }: Bins,
): number[] {
  const result: number[] = [];
  for (let n = 0; n < boxes.length; n += 4) {
    const [x1, y1, x2, y2] = [...boxes.subarray(n, n + 4)].map((v) => v * scale) as [number, number, number, number];
    const [width, height] = [Math.max(1, x2 - x1) / pooled, Math.max(1, y2 - y1) / pooled];
    for (let by = 0; by < pooled; by++) {
      for (let bx = 0; bx < pooled; bx++) {
        for (let channel = 0; channel < features.shape[2]; channel++) {
          let sum = 0;
          for (let sy = 0; sy < samples; sy++) {
            for (let sx = 0; sx < samples; sx++) {
              const y = y1 + (by + (sy + 0.5) / samples) * height;
              const x = x1 + (bx + (sx + 0.5) / samples) * width;
              sum += sample(features, y, x, channel);
            }
          }
          result.push(sum / samples ** 2);
        }
      }
    }
  }
  return result;
}

const small = fc.integer({ min: 1, max: 9 });

describe("roiAlign", () => {
  it("is the mean of bilinear samples: boxes anywhere on the map, 7 x 7 bins", () => {
    fc.assert(
      fc.property(small, small, fc.integer({ min: 1, max: 5 }), fc.nat(1e6), (h, w, c, seed) => {
        const next = seeded(seed);
        const features = randomMap(next, [h, w, c], -1, 1);
        // inside the map by a hair: on its edge a sample may fall to either side of the border by rounding
        const boxes = uniform(next, 24, 0, 1).map((v, i) => 0.01 + v * (32 * (i % 2 === 0 ? w : h) - 0.02));
        for (let i = 0; i < 24; i += 4) {
          for (const k of [i, i + 1]) {
            const [low, high] = [Math.min(boxes[k]!, boxes[k + 2]!), Math.max(boxes[k]!, boxes[k + 2]!)];
            // boxes are one cell at least, which must not reach past the map either
            boxes[k] = Math.min(low, 32 * (k % 2 === 0 ? w : h) - 32.01);
            boxes[k + 2] = high;
          }
        }
        const bins = { scale: 1 / 32, pooled: 7, samples: 2 };
        const result = roiAlign(features, boxes, bins);
        expect(result.length).toBe(6 * 49 * c);
        // positions below 10 in f32, four roundings of 2^-21 each, times a slope of up to 2 on both axes
        expect(relativeError(result, naiveRoiAlign(features, boxes, bins))).toBeLessThan(2e-5);
      }),
      { numRuns: 60 },
    );
  });

  it("follows the rule at the border: samples to one cell outside count, those further out are 0", () => {
    // Corners in quarters of a cell and a power of two of bins: every position is exact, so the border is too.
    const quarter = (low: number, high: number) => fc.integer({ min: low * 4, max: high * 4 }).map((v) => v / 4);
    const box = fc.tuple(quarter(-4, 12), quarter(-4, 12), quarter(-4, 12), quarter(-4, 12));
    fc.assert(
      fc.property(
        small,
        small,
        fc.array(box, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(1, 2, 4),
        fc.constantFrom(1, 2, 4),
        (h, w, list, pooled, samples) => {
          const features = randomMap(seeded(h * 10 + w), [h, w, 3], -1, 1);
          const boxes = Float32Array.from(list.flat(), (v) => v * 16);
          const bins = { scale: 1 / 16, pooled, samples };
          const expected = naiveRoiAlign(features, boxes, bins);
          const result = roiAlign(features, boxes, bins);
          expect(Math.max(...expected.map((v, i) => Math.abs(v - result[i]!)))).toBeLessThan(1e-6);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("reads a plane at the bins' centres", () => {
    const [h, w] = [12, 15];
    const data = Float32Array.from({ length: h * w }, (_, i) => 3 * Math.floor(i / w) - 2 * (i % w) + 5);
    const boxes = pack(realBoxes(seeded(2), 40, 200, 150).map(([x1, y1]) => [x1 + 40, y1 + 40, x1 + 140, y1 + 110]));
    const result = roiAlign({ shape: [h, w, 1], data }, boxes, { scale: 1 / 32 });
    let compared = 0;
    for (let n = 0; n < 40; n++) {
      const [x1, y1] = [boxes[4 * n]! / 32, boxes[4 * n + 1]! / 32];
      for (let bin = 0; bin < 49; bin++) {
        const y = y1 + ((Math.floor(bin / 7) + 0.5) * 70) / 32 / 7;
        const x = x1 + (((bin % 7) + 0.5) * 100) / 32 / 7;
        if (y > h - 1.5 || x > w - 1.5) continue; // flat beyond the last cell
        expect(Math.abs(result[49 * n + bin]! - (3 * y - 2 * x + 5))).toBeLessThan(5e-5);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(1000);
  });

  it("takes boxes under one cell as one cell, turned-over ones too", () => {
    const features = randomMap(seeded(4), [5, 5, 2]);
    const [tiny, turned, cell] = [
      [32, 64, 33, 65],
      [32, 64, 8, 8],
      [32, 64, 64, 96],
    ].map((box) => roiAlign(features, Float32Array.from(box), { scale: 1 / 32 }));
    expect(tiny).toEqual(cell);
    expect(turned).toEqual(cell);
  });

  it("treats every channel and every box as if alone", () => {
    const features = randomMap(seeded(6), [6, 7, 9]);
    const boxes = pack(realBoxes(seeded(7), 5, 200, 160));
    const all = roiAlign(features, boxes, { scale: 1 / 32 });
    for (let c = 0; c < 9; c++) {
      const one = { shape: [6, 7, 1] as const, data: features.data.filter((_, i) => i % 9 === c) };
      for (let n = 0; n < 5; n++) {
        const own = roiAlign(one, boxes.subarray(4 * n, 4 * n + 4), { scale: 1 / 32 });
        expect([...own]).toEqual(Array.from({ length: 49 }, (_, bin) => all[(n * 49 + bin) * 9 + c]));
      }
    }
    expect(roiAlign(features, new Float32Array(0), { scale: 1 / 32 }).length).toBe(0);
  });

  it("refuses what does not fit", () => {
    const map = { shape: [2, 2, 1] as const, data: new Float32Array(4) };
    const run = (features: FeatureMap<Float32Array>, boxes: Float32Array, scale: number) => () =>
      roiAlign(features, boxes, { scale });
    expect(run({ ...map, data: new Float32Array(3) }, new Float32Array(4), 1)).toThrow(
      "features.data: expected 4 values (2 x 2 x 1), got 3",
    );
    expect(run({ ...map, data: Float32Array.of(0, 0, Number.NaN, 0) }, new Float32Array(4), 1)).toThrow(
      "features.data[2]: expected a finite number, got NaN",
    );
    expect(run({ shape: [0, 2, 1], data: new Float32Array(0) }, new Float32Array(4), 1)).toThrow(
      "features.shape: expected three positive integers, got [0, 2, 1]",
    );
    expect(run(map, new Float32Array(5), 1)).toThrow("boxes: expected 4 values a box, got 5 in all");
    expect(run(map, Float32Array.of(0, 0, 1, Number.POSITIVE_INFINITY), 1)).toThrow(
      "boxes[3]: expected a finite number",
    );
    expect(run(map, new Float32Array(4), 0)).toThrow("scale: expected a positive number, got 0");
  });
});

describe("headWeightsFromTorch", () => {
  it("gives the same sums on [y, x, channel] as PyTorch's weights on [channel, y, x]", () => {
    const [channels, pooled, outputs] = [5, 3, 4];
    const bins = pooled * pooled;
    const next = seeded(9);
    const weights = uniform(next, outputs * channels * bins, -1, 1);
    const ours = uniform(next, bins * channels, -1, 1);
    const theirs = ours.map((_, i) => ours[(i % bins) * channels + Math.floor(i / bins)]!);
    const permuted = headWeightsFromTorch(weights, channels, pooled);
    const dot = (w: Float32Array, x: Float32Array, o: number) =>
      x.reduce((sum, value, i) => sum + value * w[o * x.length + i]!, 0);
    for (let o = 0; o < outputs; o++) expect(dot(permuted, ours, o)).toBeCloseTo(dot(weights, theirs, o), 12);
    expect([...permuted].sort()).toEqual([...weights].sort());
  });

  it("refuses rows of another length", () => {
    expect(() => headWeightsFromTorch(new Float32Array(50), 1)).toThrow(
      "weights: expected whole rows of 49 (1 x 7 x 7), got 50 values",
    );
  });
});
