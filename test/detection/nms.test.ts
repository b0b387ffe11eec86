import fc from "fast-check";
import { expect, it } from "vitest";
import { batchedNms, byScore, nms } from "../../src/detection/nms.ts";
import { seeded } from "../network/random-model.ts";
import { naiveNms, overlap, pack, wholeBoxes } from "./boxes.ts";

const cases = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  count: fc.integer({ min: 0, max: 60 }),
  groups: fc.integer({ min: 1, max: 4 }),
  levels: fc.constantFrom(1, 4, 1000), // few levels of score: many ties
  threshold: fc.constantFrom(0, 0.3, 0.5, 0.7, 1),
});

it("keeps what the greedy rule over lists keeps, in its order, ties included", () => {
  fc.assert(
    fc.property(cases, ({ seed, count, groups, levels, threshold }) => {
      const next = seeded(seed);
      const boxes = wholeBoxes(next, count, 12);
      const scores = Float32Array.from(boxes, () => Math.floor(next() * levels) / levels);
      const group = Uint32Array.from(boxes, () => Math.floor(next() * groups));
      const kept = batchedNms(pack(boxes), scores, group, threshold);
      expect([...kept]).toEqual(naiveNms(boxes, [...scores], [...group], threshold));
      for (const i of kept) {
        for (const j of kept) {
          if (i !== j && group[i] === group[j]) {
            expect(Math.fround(overlap(boxes[i]!, boxes[j]!))).toBeLessThanOrEqual(threshold);
          }
        }
      }
      expect([...nms(pack(boxes), scores, threshold)]).toEqual(
        naiveNms(boxes, [...scores], new Array(count).fill(0), threshold),
      );
    }),
  );
});

it("keeps two boxes whose overlap is exactly the threshold", () => {
  const boxes = Float32Array.of(0, 0, 2, 1, 1, 0, 2, 1); // 1 of 2 pixels
  expect([...nms(boxes, Float32Array.of(0.5, 0.9), 0.5)]).toEqual([1, 0]);
  expect([...nms(boxes, Float32Array.of(0.5, 0.9), 0.499)]).toEqual([1]);
});

it("keeps boxes without an area: they overlap nothing", () => {
  expect([...nms(new Float32Array(8), Float32Array.of(1, 1), 0.5)]).toEqual([0, 1]);
});

it("orders by falling score, the lower index first", () => {
  expect([...byScore(Float32Array.of(1, 3, -0, 3, 0))]).toEqual([1, 3, 0, 2, 4]);
  expect([...byScore(Float32Array.of(1, 3, 2, 3), 2)]).toEqual([1, 3]);
});

it("refuses lengths, scores and thresholds that make no sense", () => {
  const run = (scores: Float32Array, threshold: number) => () => nms(new Float32Array(8), scores, threshold);
  expect(run(new Float32Array(3), 0.5)).toThrow(
    expect.objectContaining({ code: "ERR_SHAPE", message: "scores: expected 2, one a box, got 3" }),
  );
  expect(run(Float32Array.of(0, Number.NaN), 0.5)).toThrow(
    expect.objectContaining({ code: "ERR_ARGUMENT", message: "scores[1]: expected a finite number, got NaN" }),
  );
  expect(run(new Float32Array(2), 1.5)).toThrow(
    expect.objectContaining({ code: "ERR_ARGUMENT", message: "threshold: expected 0 to 1, got 1.5" }),
  );
});
