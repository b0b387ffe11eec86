import { expect, test } from "vitest";
import { COCO_CLASSES, countLayers, detectorParts } from "../../src/detection/architecture.ts";
import { backboneOf, countDetector, detectorNetworks } from "../../src/detector/networks.ts";
import { backboneIds, convnextBackbone } from "../../src/models/convnext.ts";
import { buildModel } from "../../src/models/registry.ts";
import { countNetwork } from "../../src/network/counts.ts";
import { inferShapes } from "../../src/network/shapes.ts";
import { tinyBackbone } from "./tiny-detector.ts";

test("RAN-i-S: 28,324,164 + 3,351,255 + 15,699,911 = 47,375,330 parameters, as the released checkpoint's size confirms", () => {
  const parts = countDetector(detectorNetworks("ran-i-s"), [800, 1088]);
  expect(parts.map(({ name, params }) => [name, params])).toEqual([
    ["backbone", 28_324_164],
    ["rpn", 3_351_255],
    ["head", 15_699_911],
  ]);
  expect(parts.reduce((sum, { params }) => sum + params, 0)).toBe(47_375_330);
});

test.each(backboneIds())("%s: the classifier without its norm and its last layer, a map of stride 32", (id) => {
  const networks = detectorNetworks(id);
  const { channels } = networks;
  const classifier = countNetwork(buildModel(id), [224, 224]);
  const backbone = countNetwork(networks.backbone, [224, 224]);
  expect(classifier.params - backbone.params).toBe(2 * channels + (channels + 1) * 1000);
  expect(classifier.macs - backbone.macs).toBe(channels * 1000);
  const { layers, output } = networks.backbone;
  expect(inferShapes(networks.backbone, [64, 96]).get(output)).toEqual([2, 3, channels]);
  expect(buildModel(id).layers.slice(0, layers.length)).toEqual(layers);
});

test("joined layers hold what the parts hold, at any number of channels and classes", () => {
  for (const classes of [2, 21, COCO_CLASSES]) {
    const networks = detectorNetworks(tinyBackbone(), classes);
    const [, rpn, head] = countDetector(networks, [32, 64]);
    const parts = detectorParts(networks.channels, classes);
    expect(rpn!.params).toBe(countLayers(parts.rpn));
    expect(head!.params).toBe(countLayers(parts.head));
    expect(inferShapes(networks.rpn, [3, 4]).get(networks.rpn.output)).toEqual([3, 4, 75]);
    expect(inferShapes(networks.head, [1, 9]).get(networks.head.output)).toEqual([1, 9, 5 * classes]);
  }
});

test("what there is not", () => {
  expect(() => detectorNetworks("resnet18")).toThrow(
    "backbone: expected one of ran-i-t, ran-i-s, ran-i-b, convnext-t, convnext-s, convnext-b, got resnet18",
  );
  expect(() => convnextBackbone("toString")).toThrow(/^backbone: expected one of ran-i-t, .*, got toString$/);
  expect(() => detectorNetworks("ran-i-t", 1)).toThrow("classes: expected a whole number from 2, got 1");
  const grey = { name: "grey", layers: [{ op: "input", name: "x", channels: 1 }], output: "x" } as const;
  expect(() => detectorNetworks(grey)).toThrow("backbone: expected an input of 3 channels, got 1");
  expect(() => countDetector(detectorNetworks("ran-i-t"), [800, 1066])).toThrow(
    "input: expected sides that are multiples of 32, got 800x1066",
  );
  expect(backboneOf("ran-i-s-detector")).toBe("ran-i-s");
  expect(backboneOf("ran-i-s")).toBeUndefined();
});
