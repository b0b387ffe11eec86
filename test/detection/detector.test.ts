import { describe, expect, it } from "vitest";
import { Detector, type Head, type Rpn, roiScale } from "../../src/detection/detector.ts";
import { createImage, type Image } from "../../src/image/types.ts";
import type { FeatureMap } from "../../src/network/description.ts";

const COLOURS = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
] as const;

/** A grey picture with coloured rectangles. */
function scene(width: number, height: number, objects: readonly { box: readonly number[]; label: number }[]): Image {
  const image = createImage(width, height, 3);
  image.data.fill(128);
  for (const { box, label } of objects) {
    const [x1, y1, x2, y2] = box as [number, number, number, number];
    for (let y = y1; y < y2; y++) {
      for (let x = x1; x < x2; x++) image.data.set(COLOURS[label - 1]!, (y * width + x) * 3);
    }
  }
  return image;
}

/** The mean colour of every 32 x 32 pixels: a backbone that knows colours. */
function backbone({ shape: [height, width], data }: FeatureMap<Float32Array>): FeatureMap<Float32Array> {
  const [rows, columns] = [height / 32, width / 32];
  const mean = new Float32Array(rows * columns * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        mean[(Math.floor(y / 32) * columns + Math.floor(x / 32)) * 3 + c]! += data[(y * width + x) * 3 + c]! / 1024;
      }
    }
  }
  return { shape: [rows, columns, 3], data: mean };
}

const colourful = (r: number, g: number, b: number) => Math.max(r, g, b) - Math.min(r, g, b);

/** Wherever a cell is colourful it is sure of the 64 x 64 anchor around the cell's corner, which is where RoIAlign has the cell. */
const rpn: Rpn = ({ shape: [rows, columns], data }) => {
  const objectness = new Float32Array(rows * columns * 15).fill(-10);
  const deltas = new Float32Array(rows * columns * 60);
  const square = 5 + 1; // ratio 1, second size
  for (let cell = 0; cell < rows * columns; cell++) {
    const [r, g, b] = data.subarray(3 * cell, 3 * cell + 3) as unknown as [number, number, number];
    objectness[15 * cell + square] = colourful(r, g, b) > 1 ? 5 : -10;
  }
  return {
    objectness: { shape: [rows, columns, 15], data: objectness },
    deltas: { shape: [rows, columns, 60], data: deltas },
  };
};

/** Names the colour of the middle bin; halves the box (64 to a cell of 32) and moves it from the cell's corner over the cell. */
const head: Head = ({ shape: [count], data }) => {
  const classes = new Float32Array(count * 4);
  const deltas = new Float32Array(count * 16);
  for (let n = 0; n < count; n++) {
    const [r, g, b] = data.subarray((n * 49 + 24) * 3, (n * 49 + 25) * 3) as unknown as [number, number, number];
    classes.set([colourful(r, g, b) > 3 ? 0 : 20, 4 * r, 4 * g, 4 * b], 4 * n);
    for (let k = 0; k < 4; k++) deltas.set([2.5, 2.5, 5 * Math.log(0.5), 5 * Math.log(0.5)], 16 * n + 4 * k);
  }
  return {
    classes: { shape: [count, 1, 4], data: classes },
    deltas: { shape: [count, 1, 16], data: deltas },
  };
};

// 256 x 192 pixels stay as they are under this rule, and 128 x 96 are doubled.
const resize = { shortSide: 192, longSide: 256 };
// The fake networks are sure of themselves; without this the head is asked about everything.
const options = { resize, proposals: { minScore: 0.5 } };

describe("Detector", () => {
  it("finds coloured cells: boxes, labels, scores", () => {
    const objects = [
      { box: [64, 32, 96, 64], label: 2 },
      { box: [160, 96, 192, 128], label: 1 },
      { box: [32, 128, 64, 160], label: 3 },
    ];
    const found = new Detector(backbone, rpn, head, options).detect(scene(256, 192, objects));
    const byLabel = found.toSorted((a, b) => a.label - b.label);
    expect(byLabel.map(({ label }) => label)).toEqual([1, 2, 3]);
    for (const { box, label, score } of byLabel) {
      const expected = objects.find((object) => object.label === label)!.box;
      for (const [k, value] of box.entries()) expect(Math.abs(value - expected[k]!)).toBeLessThan(1e-3);
      expect(score).toBeGreaterThan(0.9);
      expect(score).toBeLessThanOrEqual(1);
    }
    expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
  });

  it("gives boxes of the picture that came, whatever the network saw", () => {
    const detector = new Detector(backbone, rpn, head, options);
    const [found] = detector.detect(scene(128, 96, [{ box: [32, 48, 48, 64], label: 3 }])); // cells of 32 after doubling
    expect(found!.label).toBe(3);
    for (const [k, value] of found!.box.entries()) expect(Math.abs(value - [32, 48, 48, 64][k]!)).toBeLessThan(1e-3);
  });

  it("gives the same in batches of any size", () => {
    const cells = [
      [1, 1],
      [3, 1],
      [5, 1],
      [2, 3],
      [4, 3],
    ] as const;
    const objects = cells.map(([x, y], i) => ({ box: [32 * x, 32 * y, 32 * x + 32, 32 * y + 32], label: 1 + (i % 3) }));
    const image = scene(256, 192, objects);
    const sizes: number[] = [];
    const counting: Head = (bins) => {
      sizes.push(bins.shape[0]);
      expect(bins.shape.slice(1)).toEqual([1, 49 * 3]);
      return head(bins);
    };
    const whole = new Detector(backbone, rpn, head, options).detect(image);
    const parts = new Detector(backbone, rpn, counting, { ...options, batch: 2 }).detect(image);
    expect(parts).toEqual(whole);
    expect(parts.length).toBe(5);
    expect(sizes).toEqual([2, 2, 1]);
  });

  it("finds nothing where nothing is, without asking the head about no boxes", () => {
    const detector = new Detector(backbone, rpn, head, { resize });
    expect(detector.detect(scene(256, 192, []))).toEqual([]);
    const never: Head = () => expect.fail("asked about no boxes");
    expect(new Detector(backbone, rpn, never, options).detect(scene(256, 192, []))).toEqual([]);
  });

  it("refuses pictures that are none, and networks that answer otherwise than agreed", () => {
    const image = scene(256, 192, [{ box: [64, 32, 96, 64], label: 2 }]);
    const detect =
      (parts: { backbone?: unknown; rpn?: unknown; head?: unknown }, picture: Image = image) =>
      () => {
        const all = { backbone, rpn, head, ...parts } as { backbone: typeof backbone; rpn: Rpn; head: Head };
        return new Detector(all.backbone, all.rpn, all.head, { resize }).detect(picture);
      };
    expect(detect({ rpn: 3 })).toThrow("rpn: expected a function, got number");
    expect(detect({}, { ...image, width: 0, height: 0, data: new Uint8Array(0) })).toThrow(
      "image.width: expected an integer from 1 to 1048576, got 0",
    );
    expect(detect({ backbone: () => ({ shape: [6, 8, 3], data: new Float32Array(144).fill(Number.NaN) }) })).toThrow(
      "features.data[0]: expected a finite number, got NaN",
    );
    expect(detect({ backbone: () => ({ shape: [6, 8, 3], data: new Float32Array(9) }) })).toThrow(
      "features.data: expected 144 values (6 x 8 x 3), got 9",
    );
    expect(detect({ rpn: () => ({ ...rpn(backbone({ shape: [32, 32, 3], data: new Float32Array(3072) })) }) })).toThrow(
      "anchors: expected 15, one a logit, got 720",
    );
    expect(detect({ backbone: () => undefined })).toThrow("features: expected an object, got undefined");
    expect(detect({ rpn: () => undefined })).toThrow("rpn's answer: expected an object, got undefined");
    expect(detect({ rpn: () => ({}) })).toThrow("objectness: expected an object, got undefined");
    expect(detect({ head: () => null })).toThrow("head's answer: expected an object, got null");
    const short: Head = (bins) => ({ ...head(bins), deltas: { shape: [0, 1, 16], data: new Float32Array(0) } });
    expect(detect({ head: short })).toThrow(/^head's answer, deltas: expected \d+ rows, one a proposal, got 0$/);
    expect(() => new Detector(backbone, rpn, head, { batch: 0 })).toThrow(
      "batch: expected a whole number from 1, got 0",
    );
  });
});

it("roiScale is 1/32 but for the narrowest pictures", () => {
  for (let height = 68; height <= 1200; height++) expect(roiScale(Math.ceil(height / 32), height)).toBe(1 / 32);
  expect([20, 40, 66].map((height) => roiScale(Math.ceil(height / 32), height))).toEqual([1 / 16, 1 / 16, 1 / 16]);
  expect([23, 32, 50, 64].map((height) => roiScale(Math.ceil(height / 32), height))).toEqual(new Array(4).fill(1 / 32));
});
