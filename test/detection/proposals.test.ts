import { describe, expect, it } from "vitest";
import { ANCHORS_PER_CELL, gridAnchors } from "../../src/detection/anchors.ts";
import { type ProposalOptions, proposeBoxes, type RpnOutput } from "../../src/detection/proposals.ts";
import { randomMap, relativeError, seeded } from "../network/random-model.ts";
import { type Box, clip, decode, distance, naiveNms, unpack } from "./boxes.ts";

const PICTURE = { width: 120, height: 90 };
const INPUT = { width: 128, height: 96 };
const SHAPE = [3, 4, ANCHORS_PER_CELL] as const;

/** Deltas of about the given spread, and logits of which no two are equal in f32's sigmoid. */
function answer(seed: number, spread: number): RpnOutput {
  const next = seeded(seed);
  return {
    objectness: randomMap(next, SHAPE, -3, 3),
    deltas: randomMap(next, [SHAPE[0], SHAPE[1], 4 * ANCHORS_PER_CELL], -spread, spread),
  };
}

/** In the order of the paper's text: every box is decoded, then the best are taken. Double precision throughout. */
function naive({ objectness, deltas }: RpnOutput, options: Required<ProposalOptions>) {
  const { before, after, overlap, minSide, minScore } = options;
  const anchors = unpack(gridAnchors(SHAPE, INPUT));
  const all = anchors.map((anchor, i) => ({
    box: clip(decode(anchor, unpack(deltas.data)[i]!), PICTURE.width, PICTURE.height),
    score: 1 / (1 + Math.exp(-objectness.data[i]!)),
  }));
  const best = all.toSorted((a, b) => b.score - a.score).slice(0, before);
  const left = best.filter(
    ({ box: [x1, y1, x2, y2], score }) => x2 - x1 >= minSide && y2 - y1 >= minSide && score >= minScore,
  );
  const groups = left.map(() => 0);
  const boxes = left.map(({ box }) => box);
  const scores = left.map(({ score }) => score);
  const kept = naiveNms(boxes, scores, groups, overlap).slice(0, after);
  return { boxes: kept.map((i) => boxes[i]!), scores: kept.map((i) => scores[i]!) };
}

const defaults = { before: 1000, after: 1000, overlap: 0.7, minSide: 1e-3, minScore: 0 };

describe("proposeBoxes", () => {
  // Fixed seeds: an overlap within rounding error of the threshold could fall to either side, and for these none does.
  it.each([
    ["as torchvision has it", {}],
    ["fewer before", { before: 40 }],
    ["fewer after", { after: 7 }],
    ["a strict overlap", { overlap: 0.3 }],
    ["long sides only", { minSide: 30 }],
    ["high scores only", { minScore: 0.6 }],
  ] as const)("equals decoding everything first: %s", (_, options) => {
    for (let seed = 1; seed <= 10; seed++) {
      const output = answer(seed, seed % 2 === 0 ? 0.3 : 1.5);
      const { boxes, scores } = proposeBoxes(output, gridAnchors(SHAPE, INPUT), PICTURE, options);
      const expected = naive(output, { ...defaults, ...options });
      expect(expected.boxes.length).toBeGreaterThan(0);
      expect(distance(unpack(boxes), expected.boxes)).toBeLessThan(2e-4); // sides of up to 2000 before they are clipped
      expect(relativeError(scores, expected.scores)).toBeLessThan(2e-7);
    }
  });

  it("takes the anchor itself where the network predicts nothing, cell by cell, anchor by anchor", () => {
    const anchors = gridAnchors(SHAPE, INPUT);
    const objectness = { shape: SHAPE, data: new Float32Array(anchors.length / 4).fill(-20) };
    const deltas = { shape: [3, 4, 60] as const, data: new Float32Array(anchors.length) };
    const [cell, anchor] = [2 * 4 + 1, 6];
    objectness.data[cell * 15 + anchor] = 4;
    const { boxes } = proposeBoxes({ objectness, deltas }, anchors, PICTURE);
    const own = unpack(anchors)[cell * 15 + anchor] as Box;
    expect(unpack(boxes)[0]).toEqual(clip(own, PICTURE.width, PICTURE.height));
  });

  it("returns nothing when no box is large enough", () => {
    const { boxes, scores } = proposeBoxes(answer(1, 0.1), gridAnchors(SHAPE, INPUT), PICTURE, { minSide: 1000 });
    expect([boxes.length, scores.length]).toEqual([0, 0]);
  });

  it("refuses maps and anchors that do not belong together", () => {
    const { objectness, deltas } = answer(1, 1);
    const anchors = gridAnchors(SHAPE, INPUT);
    const run =
      (output: RpnOutput, boxes = anchors) =>
      () =>
        proposeBoxes(output, boxes, PICTURE);
    expect(run({ objectness, deltas: { shape: [3, 4, 59], data: new Float32Array(708) } })).toThrow(
      "deltas.shape: expected 60 channels, got 59",
    );
    expect(run({ objectness, deltas: { shape: [4, 3, 60], data: new Float32Array(720) } })).toThrow(
      "deltas: expected 3 x 4 cells as objectness, got 4 x 3",
    );
    expect(run({ objectness, deltas }, anchors.subarray(4))).toThrow("anchors: expected 180, one a logit, got 179");
    objectness.data[3] = Number.NaN;
    expect(run({ objectness, deltas })).toThrow("objectness.data[3]: expected a finite number, got NaN");
  });
});
