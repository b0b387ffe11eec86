import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  area,
  clipBoxes,
  decodeBoxes,
  HEAD_WEIGHTS,
  iou,
  isLarge,
  PROPOSAL_WEIGHTS,
  takeBoxes,
} from "../../src/detection/boxes.ts";
import { seeded, uniform } from "../network/random-model.ts";
import { type Box, clip, decode, distance, encode, overlap, pack, realBoxes, unpack, wholeBoxes } from "./boxes.ts";

const seed = fc.integer({ min: 0, max: 1e6 });

describe("decodeBoxes", () => {
  it("undoes the encoding of any box against any other, for both sets of weights", () => {
    fc.assert(
      fc.property(seed, (start) => {
        const next = seeded(start);
        const references = realBoxes(next, 10, 600, 400);
        const boxes = realBoxes(next, 10, 600, 400).map(
          // no side grows past the limit of 62.5
          ([x1, y1, x2, y2], i): Box => {
            const [w, h] = [references[i]![2] - references[i]![0], references[i]![3] - references[i]![1]];
            return [x1, y1, Math.min(x2, x1 + 60 * w), Math.min(y2, y1 + 60 * h)];
          },
        );
        const deltas = boxes.map((box, i) => encode(references[i]!, box));
        for (const weights of [PROPOSAL_WEIGHTS, HEAD_WEIGHTS]) {
          const scaled = deltas.map((row) => row.map((value, k) => value * weights[k]!) as unknown as Box);
          // deltas up to some hundred (a small reference far away) are rounded to f32 before they are multiplied
          expect(distance(unpack(decodeBoxes(pack(scaled), pack(references), weights)), boxes)).toBeLessThan(2e-3);
        }
      }),
    );
  });

  it("decodes several predictions of one reference, each as if alone", () => {
    const next = seeded(5);
    const references = realBoxes(next, 7, 300, 200);
    const deltas = uniform(next, 7 * 3 * 4, -2, 2);
    const all = unpack(decodeBoxes(deltas, pack(references), HEAD_WEIGHTS, 3));
    const expected = unpack(deltas).map((row, i) => {
      const unscaled = row.map((value, k) => value / HEAD_WEIGHTS[k]!) as unknown as Box;
      return decode(references[Math.floor(i / 3)]!, unscaled);
    });
    expect(distance(all, expected)).toBeLessThan(2e-4);
  });

  it("lets no side grow more than 62.5-fold, and shrinks without limit", () => {
    const reference = Float32Array.of(0, 0, 16, 16);
    const decoded = unpack(decodeBoxes(Float32Array.of(0, 0, 1e30, -1e30), reference, PROPOSAL_WEIGHTS));
    // The limit log(62.5) = 4.1 is an f32, off by up to 2^-22, and so the growth by that part of it.
    expect(distance(decoded, [[-492, 8, 508, 8]])).toBeLessThan(508 * 2 ** -22 + 2 ** -15);
  });

  it("refuses lengths that do not fit and values that are not finite", () => {
    const run = (deltas: Float32Array, references: Float32Array) => () => decodeBoxes(deltas, references, HEAD_WEIGHTS);
    expect(run(new Float32Array(8), new Float32Array(4))).toThrow(
      expect.objectContaining({ code: "ERR_SHAPE", message: "deltas: expected 4 values (1 x 1 x 4), got 8" }),
    );
    expect(run(new Float32Array(4), new Float32Array(6))).toThrow(
      expect.objectContaining({ code: "ERR_SHAPE", message: "references: expected 4 values a box, got 6 in all" }),
    );
    expect(run(Float32Array.of(0, Number.NaN, 0, 0), new Float32Array(4))).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", message: "deltas[1]: expected a finite number, got NaN" }),
    );
  });
});

it("clips to the picture's edges", () => {
  fc.assert(
    fc.property(seed, (start) => {
      const boxes = realBoxes(seeded(start), 20, 90, 70);
      const clipped = pack(boxes);
      clipBoxes(clipped, { width: 60, height: 40 });
      expect(unpack(clipped)).toEqual(boxes.map((box) => clip(box, 60, 40)));
    }),
  );
  const infinite = Float32Array.of(-Infinity, -Infinity, Infinity, Infinity);
  clipBoxes(infinite, { width: 3, height: 2 });
  expect([...infinite]).toEqual([0, 0, 3, 2]);
  expect(() => clipBoxes(infinite, { width: 0, height: 2 })).toThrow("size: expected whole sides from 1, got 0 x 2");
});

it("calls a box large when both sides are", () => {
  const boxes = Float32Array.of(1, 1, 3, 2, 1, 1, 3, 1.5, 5, 5, 4, 9);
  expect([0, 1, 2].map((i) => isLarge(boxes, i, 1))).toEqual([true, false, false]);
  expect(isLarge(Float32Array.of(0, 0, 0.01, 1), 0, 0.01)).toBe(true); // 0.01 of f32 is not below itself
});

it("intersection over union: counted pixels, symmetric, 1 for a box with itself", () => {
  fc.assert(
    fc.property(seed, (start) => {
      const [a, b] = wholeBoxes(seeded(start), 2, 12) as [Box, Box];
      const inside = ([x1, y1, x2, y2]: Box, x: number, y: number) => x >= x1 && x < x2 && y >= y1 && y < y2;
      let [both, either] = [0, 0];
      for (let y = 0; y < 12; y++) {
        for (let x = 0; x < 12; x++) {
          if (inside(a, x, y) && inside(b, x, y)) both++;
          if (inside(a, x, y) || inside(b, x, y)) either++;
        }
      }
      const boxes = pack([a, b]);
      expect(iou(boxes, 0, boxes, 1)).toBe(Math.fround(both / either));
      expect(iou(boxes, 1, boxes, 0)).toBe(iou(boxes, 0, boxes, 1));
      expect(iou(boxes, 0, boxes, 0)).toBe(1);
      expect(overlap(a, b)).toBeCloseTo(both / either, 12);
      expect(area(boxes, 0)).toBe((a[2] - a[0]) * (a[3] - a[1]));
    }),
  );
});

it("takes rows in the order that is asked for", () => {
  expect([
    ...takeBoxes(
      Float32Array.from({ length: 12 }, (_, i) => i),
      [2, 0],
    ),
  ]).toEqual([8, 9, 10, 11, 0, 1, 2, 3]);
});
