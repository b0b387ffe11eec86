import { expect, test } from "vitest";
import { loadDetectorWeights } from "../../src/detector/weights.ts";
import { serialiseSafetensors } from "../../src/formats/safetensors.ts";
import { CHANNELS, CLASSES, tinyFile, tinyNetworks, tinyTensors } from "./tiny-detector.ts";

const networks = tinyNetworks();
const load = (bytes: Uint8Array) => loadDetectorWeights(bytes, networks);

const officialCode = (name: string): string =>
  name
    .replace(/^backbone\.downsample_layers\.(\d)/, "backbone.downsample_$1")
    .replace(/^backbone\.stages\.(\d)/, "backbone.stage_$1")
    .replace("rpn.head.conv.", "rpn.head.conv.0.0.");

const torchvision = (name: string): string =>
  name
    .replace("box_head.fc1", "box_head.fc6")
    .replace("box_head.fc2", "box_head.fc7")
    .replace("class_scores", "cls_score")
    .replace("bbox_predictor", "bbox_pred");

const timm = (name: string): string =>
  name.startsWith("backbone.stages")
    ? name
        .replace(/^backbone\.stages\.(\d)/, "backbone.stages.$1.blocks")
        .replace("dwconv", "conv_dw")
        .replace("pwconv1", "mlp.fc1")
        .replace("pwconv2", "mlp.fc2")
    : name
        .replace("backbone.downsample_layers.0", "backbone.stem")
        .replace(/^backbone\.downsample_layers\.(\d)/, "backbone.stages.$1.downsample");

test("names of the official code, of torchvision and of wrappers give the same weights", () => {
  const own = load(tinyFile());
  for (const rename of [
    officialCode,
    torchvision,
    (name: string) => `module.${officialCode(torchvision(name))}`,
    timm,
  ]) {
    const found = load(tinyFile(rename));
    for (const part of ["backbone", "rpn", "head"] as const) {
      expect([...found[part].keys()].sort()).toEqual([...own[part].keys()].sort());
      for (const [name, { data }] of found[part]) {
        const expected = own[part].get(name)!.data;
        expect(data.length).toBe(expected.length);
        expect(data.every((value, i) => value === expected[i])).toBe(true);
      }
    }
  }
});

test("joined layers: one part's outputs before the other's, from the values of the file", () => {
  const { rpn, head } = load(tinyFile());
  const tensors = tinyTensors();
  const joinedData = (a: string, b: string) => [...tensors.get(a)!.data, ...tensors.get(b)!.data];
  for (const leaf of ["weight", "bias"]) {
    expect([...rpn.get(`rpn.head.outputs.${leaf}`)!.data]).toEqual(
      joinedData(`rpn.head.cls_logits.${leaf}`, `rpn.head.bbox_pred.${leaf}`),
    );
    const predictor = "roi_heads.box_predictor";
    expect([...head.get(`${predictor}.${leaf}`)!.data]).toEqual(
      joinedData(`${predictor}.class_scores.${leaf}`, `${predictor}.bbox_predictor.${leaf}`),
    );
  }
  expect(rpn.get("rpn.head.outputs.weight")!.shape).toEqual([75, 1, 1, CHANNELS]);
  expect(head.get("roi_heads.box_predictor.bias")!.shape).toEqual([5 * CLASSES]);
});

test("the head's first layer reads bins before channels, PyTorch's channels before bins; a file in OHWI is taken as it is", () => {
  const name = "roi_heads.box_head.fc1.weight";
  const stored = tinyTensors().get(name)!.data;
  const inputs = 49 * CHANNELS;
  const own = load(tinyFile()).head.get(name)!.data;
  for (const [o, bin, channel] of [
    [0, 0, 0],
    [0, 1, 0],
    [3, 48, CHANNELS - 1],
    [511, 17, 2],
  ] as const) {
    expect(own[o * inputs + bin * CHANNELS + channel]).toBe(stored[o * inputs + channel * 49 + bin]);
  }
  const ohwi = new Map(
    [...tinyTensors()].map(([key, { shape, data }]) => {
      const [out, i, h, w] = shape as [number, number, number, number];
      return [key, { shape: shape.length === 4 ? [out, h, w, i] : shape, data }];
    }),
  );
  const taken = load(serialiseSafetensors(ohwi, new Map([["layout", "OHWI"]])));
  expect(taken.head.get(name)!.data).toEqual(stored);
});

test("every fault at once, under the names of the file, in one line", () => {
  const wrong = tinyFile(
    undefined,
    new Map([
      ["rpn.head.bbox_pred.bias", undefined],
      ["backbone.head.weight", { shape: [2, 2], data: new Float32Array(4) }],
      ["roi_heads.box_head.fc1.bias", { shape: [3], data: new Float32Array(3) }],
      ["backbone.stages.0.0.gamma", { shape: [4], data: new Float32Array([1, Number.NaN, 1, 1]) }],
    ]),
  );
  expect(() => load(wrong)).toThrow(
    'weights of "detector on tiny": "backbone.stages.0.0.gamma" is NaN at index 1, expected finite values; ' +
      '"rpn.head.bbox_pred.bias" is missing, expected [60]; ' +
      '"roi_heads.box_head.fc1.bias" has shape [3], expected [512]; ' +
      '"backbone.head.weight" is not a weight of the network',
  );
  const twice = new Map([["roi_heads.box_head.fc6.bias", tinyTensors().get("roi_heads.box_head.fc1.bias")]]);
  expect(() => load(tinyFile(undefined, twice))).toThrow(
    'weights: expected "roi_heads.box_head.fc1.bias" once, got it twice',
  );
  expect(() => load(new Uint8Array(3))).toThrow(/^safetensors: [^\n]+$/);
});
