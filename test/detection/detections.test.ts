import { describe, expect, it } from "vitest";
import { HEAD_WEIGHTS } from "../../src/detection/boxes.ts";
import { type DetectionOptions, type HeadOutput, selectDetections, softmax } from "../../src/detection/detections.ts";
import { randomMap, relativeError, seeded } from "../network/random-model.ts";
import { type Box, clip, decode, distance, naiveNms, pack, realBoxes, unpack } from "./boxes.ts";

const PICTURE = { width: 100, height: 80 };
const CLASSES = 6;

function answer(seed: number, count: number, spread: number): { output: HeadOutput; proposals: Box[] } {
  const next = seeded(seed);
  return {
    output: {
      classes: randomMap(next, [count, 1, CLASSES], -spread, spread),
      deltas: randomMap(next, [count, 1, 4 * CLASSES], -6, 6),
    },
    proposals: realBoxes(next, count, 80, 60),
  };
}

function naive({ classes, deltas }: HeadOutput, proposals: readonly Box[], options: Required<DetectionOptions>) {
  const found: { box: Box; label: number; score: number }[] = [];
  for (const [n, proposal] of proposals.entries()) {
    const powers = [...classes.data.subarray(n * CLASSES, (n + 1) * CLASSES)].map(Math.exp);
    const sum = powers.reduce((a, b) => a + b);
    for (let label = 1; label < CLASSES; label++) {
      const row = unpack(deltas.data)[n * CLASSES + label]!;
      const unscaled = row.map((value, k) => value / HEAD_WEIGHTS[k]!) as unknown as Box;
      const box = clip(decode(proposal, unscaled), PICTURE.width, PICTURE.height);
      const score = powers[label]! / sum;
      const large = box[2] - box[0] >= options.minSide && box[3] - box[1] >= options.minSide;
      if (large && score > options.minScore) found.push({ box, label, score });
    }
  }
  const boxes = found.map(({ box }) => box);
  const scores = found.map(({ score }) => score);
  const labels = found.map(({ label }) => label);
  return naiveNms(boxes, scores, labels, options.overlap)
    .slice(0, options.most)
    .map((i) => found[i]!);
}

const defaults = { minScore: 0.05, overlap: 0.5, minSide: 1e-2, most: 100 };

describe("selectDetections", () => {
  // Fixed seeds: see proposals.test.ts.
  it.each([
    ["as torchvision has it", {}],
    ["high scores only", { minScore: 0.25 }],
    ["a loose overlap", { overlap: 0.9 }],
    ["long sides only", { minSide: 25 }],
    ["few", { most: 5 }],
  ] as const)("equals the rule applied to a list of candidates: %s", (_, options) => {
    for (let seed = 1; seed <= 10; seed++) {
      const { output, proposals } = answer(seed, 40, seed % 2 === 0 ? 1 : 4);
      const { boxes, labels, scores } = selectDetections(output, pack(proposals), PICTURE, options);
      const expected = naive(output, proposals, { ...defaults, ...options });
      expect(expected.length).toBeGreaterThan(0);
      expect([...labels]).toEqual(expected.map(({ label }) => label));
      expect(
        relativeError(
          scores,
          expected.map(({ score }) => score),
        ),
      ).toBeLessThan(2e-7);
      expect(
        distance(
          unpack(boxes),
          expected.map(({ box }) => box),
        ),
      ).toBeLessThan(1e-4);
    }
  });

  it("never returns the background, however sure the head is of it", () => {
    const { output, proposals } = answer(3, 5, 1);
    for (let n = 0; n < 5; n++) output.classes.data[n * CLASSES] = 50;
    expect(selectDetections(output, pack(proposals), PICTURE).labels.length).toBe(0);
  });

  it("keeps equal boxes of different classes, and one of a class", () => {
    const proposals = pack([
      [10, 10, 40, 40],
      [10, 10, 40, 40],
    ]);
    const classes = { shape: [2, 1, 3] as const, data: Float32Array.of(0, 1, 1, 0, 1, 1) };
    const deltas = { shape: [2, 1, 12] as const, data: new Float32Array(24) };
    const { boxes, labels } = selectDetections({ classes, deltas }, proposals, PICTURE);
    expect([...labels]).toEqual([1, 2]);
    expect([...boxes]).toEqual([10, 10, 40, 40, 10, 10, 40, 40]);
  });

  it("refuses rows that do not belong together, and values that are not finite", () => {
    const { output, proposals } = answer(1, 4, 1);
    expect(() => selectDetections(output, pack(proposals.slice(1)), PICTURE)).toThrow(
      "classes: expected 3 x 1, a row for each proposal, got 4 x 1",
    );
    expect(() => selectDetections({ ...output, deltas: output.classes }, pack(proposals), PICTURE)).toThrow(
      "deltas.shape: expected 24 channels, got 6",
    );
    output.classes.data[1] = Number.POSITIVE_INFINITY;
    expect(() => selectDetections(output, pack(proposals), PICTURE)).toThrow(
      "classes.data[1]: expected a finite number, got Infinity",
    );
  });
});

it("softmax sums to 1, keeps differences of logits, and does not overflow", () => {
  const probabilities = softmax(Float32Array.of(1000, 1001, -1000));
  expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
  expect(probabilities[1]! / probabilities[0]!).toBeCloseTo(Math.E, 5);
  expect(probabilities[2]).toBe(0);
});
