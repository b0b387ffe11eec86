import { afterAll, beforeAll, expect, test } from "vitest";
import { Detector } from "../../src/detection/detector.ts";
import type { PictureDetector } from "../../src/detector/assemble.ts";
import { createDetector } from "../../src/detector/create-detector.ts";
import { loadDetectorWeights } from "../../src/detector/weights.ts";
import { createImage, type Image } from "../../src/image/types.ts";
import type { FeatureMap, Network, Weights } from "../../src/network/description.ts";
import { inferShapes } from "../../src/network/shapes.ts";
import { randomSource } from "../../src/random.ts";
import { runReference } from "../../src/reference/run.ts";
import { CLASSES, tinyBackbone, tinyFile, tinyNetworks } from "./tiny-detector.ts";

/** Noise of two scales, so that maps of stride 32 differ. */
function picture(width: number, height: number, seed: number): Image {
  const random = randomSource(seed);
  const image = createImage(width, height, 3);
  const coarse = Array.from({ length: 1024 }, () => 200 * random.uniform());
  for (let i = 0; i < image.data.length; i++) {
    const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
    image.data[i] = coarse[((y >> 5) * 16 + (x >> 5) + 7 * (i % 3)) % 1024]! + 55 * random.uniform();
  }
  return image;
}

const options = { resize: { shortSide: 160, longSide: 256 }, proposals: { after: 40 }, batch: 16 };

/** The same detector by the reference implementation, with the joined layers cut apart by hand. */
function referenceDetector(): Detector {
  const networks = tinyNetworks();
  const weights = loadDetectorWeights(tinyFile(), networks);
  const run = (network: Network, values: Weights, x: FeatureMap<Float32Array>): FeatureMap<Float32Array> => ({
    shape: inferShapes(network, [x.shape[0], x.shape[1]]).get(network.output)!,
    data: runReference({ network, weights: values }, x).get(network.output)!,
  });
  const cut = ({ shape, data }: FeatureMap<Float32Array>, first: number) => {
    const depth = shape[2];
    const of = (from: number, to: number) => ({
      shape: [shape[0], shape[1], to - from] as const,
      data: data.filter((_, i) => i % depth >= from && i % depth < to),
    });
    return [of(0, first), of(first, depth)] as const;
  };
  return new Detector(
    (image) => run(networks.backbone, weights.backbone, image),
    (features) => {
      const [objectness, deltas] = cut(run(networks.rpn, weights.rpn, features), 15);
      return { objectness, deltas };
    },
    (bins) => {
      const [classes, deltas] = cut(run(networks.head, weights.head, bins), CLASSES);
      return { classes, deltas };
    },
    options,
  );
}

let detector: PictureDetector;
beforeAll(async () => {
  detector = await createDetector({ backbone: tinyBackbone(), classes: CLASSES, weights: tinyFile(), ...options });
});
afterAll(() => detector.dispose());

test.each([
  [256, 160],
  [100, 130],
  [70, 33],
])("%dx%d: what the reference implementation finds", (width, height) => {
  const image = picture(width, height, width);
  const found = detector.detect(image);
  const expected = referenceDetector().detect(image);
  expect(found.length).toBeGreaterThan(0);
  expect(found.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
  for (const [i, { box, score }] of found.entries()) {
    expect(Math.abs(score - expected[i]!.score)).toBeLessThan(1e-5);
    for (const [k, value] of box.entries()) expect(Math.abs(value - expected[i]!.box[k]!)).toBeLessThan(1e-2);
  }
});

test("memory stays as it is from the second picture of a size on", () => {
  const image = picture(256, 160, 3);
  const first = detector.detect(image);
  const { memoryBytes } = detector;
  for (let n = 0; n < 3; n++) expect(detector.detect(image)).toEqual(first);
  expect(detector.memoryBytes).toBe(memoryBytes);
});

test("errors are one line", async () => {
  const weights = tinyFile();
  const create = (given: object) => createDetector({ backbone: tinyBackbone(), classes: CLASSES, weights, ...given });
  await expect(create({ backbone: "vgg" })).rejects.toThrow(/^backbone: expected one of ran-i-t, .*, got vgg$/);
  await expect(create({ weights: "file" })).rejects.toThrow(
    "weights: expected the bytes of a safetensors file as a Uint8Array, got string",
  );
  await expect(create({ classes: 91 })).rejects.toThrow(/^weights of "detector on tiny": .*expected \[91,1,1,512\]/);
  await expect(create({ batch: 0 })).rejects.toThrow("batch: expected a whole number from 1, got 0");
  await expect(createDetector(undefined as never)).rejects.toThrow("options: expected an object, got undefined");
  expect(() => detector.detect({ ...picture(32, 32, 1), width: 0, height: 0, data: new Uint8Array(0) })).toThrow(
    "image.width: expected an integer from 1 to 1048576, got 0",
  );
  expect(() => detector.detect(picture(2, 2000, 1))).toThrow(/^size: expected sides that differ less than 256-fold/);
  const gone = await create({});
  gone.dispose();
  gone.dispose();
  expect(() => gone.detect(picture(64, 64, 1))).toThrow("this network was disposed of");
});
