/** The same numbers as torchvision's own operators, where their golden outputs lie in test/golden. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { baseAnchors, gridAnchors } from "../../src/detection/anchors.ts";
import { type BoxWeights, clipBoxes, decodeBoxes } from "../../src/detection/boxes.ts";
import { nms } from "../../src/detection/nms.ts";
import { IMAGENET_DEVIATION, IMAGENET_MEAN } from "../../src/detection/prepare.ts";
import { paddedSize, resizedSize, resizeMap } from "../../src/detection/resize.ts";
import { roiAlign } from "../../src/detection/roi-align.ts";
import type { FeatureMap } from "../../src/network/description.ts";
import { type Box, distance, pack, unpack } from "./boxes.ts";

const folder = fileURLToPath(new URL("../golden/", import.meta.url));
const there = existsSync(`${folder}operators-nms.json`);
const golden = (name: string) => JSON.parse(readFileSync(`${folder}operators-${name}.json`, "utf8"));

type Pair = readonly [height: number, width: number];

/** A tensor [.., channels, height, width] of the goldens' hash, as a map. */
async function hashMap(name: string, shape: readonly number[]): Promise<FeatureMap<Float32Array>> {
  const module: string = `${folder}hash-weights.ts`;
  const { hashTensor } = await import(/* @vite-ignore */ module);
  const data: Float32Array = hashTensor(name, shape);
  const [channels, height, width] = shape.slice(-3) as [number, number, number];
  const at = (i: number) => (i % channels) * height * width + Math.floor(i / channels);
  return { shape: [height, width, channels], data: data.map((_, i) => data[at(i)]!) };
}

const largest = (actual: ArrayLike<number>, expected: readonly number[]): number => {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
};

describe.skipIf(!there)("torchvision's golden outputs", () => {
  it("anchors, to the bit", () => {
    const { sizes, ratios, cases } = golden("anchors");
    for (const { picture, map, anchors } of cases as { picture: Pair; map: Pair; anchors: Box[] }[]) {
      const input = { height: picture[0], width: picture[1] };
      expect(unpack(gridAnchors([...map, 1], input, baseAnchors(sizes, ratios)))).toEqual(anchors);
    }
  });

  it("decoded boxes: torchvision's in double, ours in f32", () => {
    const { boxes, offsets, cases } = golden("box-decoding");
    for (const { weights, decoded } of cases as { weights: BoxWeights; decoded: Box[] }[]) {
      // corners up to 12,000 pixels away; half an ulp there is 2^-11, and four operations round
      expect(distance(unpack(decodeBoxes(pack(offsets), pack(boxes), weights)), decoded)).toBeLessThan(2 ** -9);
    }
  });

  it("clipped boxes, to the bit", () => {
    const { picture, boxes, clipped } = golden("clip-boxes");
    const ours = pack(boxes);
    clipBoxes(ours, { height: picture[0], width: picture[1] });
    expect(unpack(ours)).toEqual(clipped);
  });

  it("suppression: the same indices in the same order", () => {
    for (const { boxes, scores, kept } of golden("nms").cases) {
      for (const [threshold, indices] of Object.entries(kept)) {
        expect([...nms(pack(boxes), Float32Array.from(scores), Number(threshold))]).toEqual(indices);
      }
    }
  });

  it("RoIAlign: torchvision's in double, ours in f32", async () => {
    const { input, spatialScale, samplingRatio, boxes, outputs } = golden("roi-align");
    const map = await hashMap(input.name, input.shape);
    const channels = map.shape[2];
    const ours = roiAlign(map, pack(boxes), { scale: spatialScale, samples: samplingRatio });
    const box = 49 * channels;
    for (const [n, expected] of (outputs as number[][]).entries()) {
      const reordered = expected.map((_, i) => ours[n * box + (i % 49) * channels + Math.floor(i / 49)]!);
      // positions below 17 cells in f32, values in -1..1
      expect(largest(reordered, expected)).toBeLessThan(1e-5);
    }
  });

  it("sizes, and pictures resized", async () => {
    const { sizes, small, cases } = golden("resize-rule");
    for (const { picture, resized, padded } of sizes as { picture: Pair; resized: Pair; padded: Pair }[]) {
      const size = resizedSize({ height: picture[0], width: picture[1] });
      expect([size.height, size.width]).toEqual(resized);
      expect(paddedSize(size)).toEqual({ height: padded[0], width: padded[1] });
    }
    for (const { input, resized, values } of cases as {
      input: { name: string; shape: number[] };
      resized: Pair;
      values: number[];
    }[]) {
      const { shape, data } = await hashMap(input.name, input.shape);
      const normalised = data.map((v, i) => ((v + 1) / 2 - IMAGENET_MEAN[i % 3]!) / IMAGENET_DEVIATION[i % 3]!);
      const size = resizedSize({ height: shape[0], width: shape[1] }, { shortSide: small.min, longSide: small.max });
      expect([size.height, size.width]).toEqual(resized);
      const ours = resizeMap({ shape, data: normalised }, size).data;
      const pixels = resized[0] * resized[1];
      const reordered = values.map((_, i) => ours[(i % pixels) * 3 + Math.floor(i / pixels)]!);
      expect(largest(reordered, values)).toBeLessThan(1e-6);
    }
  });
});
