import { describe, expect, it } from "vitest";
import { buildModel, FAMILIES, modelIds, modelInfo } from "../../src/models/registry.ts";
import { sesr, sesrById } from "../../src/models/sesr.ts";
import { weightShapes } from "../../src/network/weights.ts";

const SESR_IDS = ["sesr-m3", "sesr-m5", "sesr-m7", "sesr-m11", "sesr-xl"];

describe("registry", () => {
  it("knows the SESR family by id", () => {
    expect(modelIds().slice(0, 5)).toEqual(SESR_IDS);
    expect(buildModel("sesr-m5")).toEqual(sesr({ variant: "m5", scale: 2 }));
    const options = { scale: 4, form: "expanded" } as const;
    expect(buildModel("sesr-xl", options)).toEqual(sesr({ variant: "xl", ...options }));
    expect(sesrById("sesr-xl", options)).toEqual(buildModel("sesr-xl", options));
  });

  it("lists ids once, and networks bear them", () => {
    expect(new Set(modelIds()).size).toBe(modelIds().length);
    for (const id of modelIds()) expect(buildModel(id).name.replace(/-x\d$/, "")).toBe(id);
  });

  it("names the known ids when asked for another", () => {
    const message = `model: expected one of ${modelIds().join(", ")}, got sesr-m9`;
    expect(() => buildModel("sesr-m9")).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", message }));
    expect(() => buildModel("constructor")).toThrow("got constructor");
    const own = `model: expected one of ${SESR_IDS.join(", ")}, got resnet18`;
    expect(() => sesrById("resnet18")).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", message: own }));
  });

  it.each([
    ["resnet18", { scale: 2 }, "scale: expected none, as resnet18 has one only, got 2"],
    ["vdsr", { form: "train" }, "form: expected none, as vdsr has one only, got train"],
    ["sesr-m5", { scale: 3 }, "scale: expected 2 or 4 for sesr-m5, got 3"],
    ["fsrcnn", { scale: 5 }, "scale: expected 2 or 3 or 4 for fsrcnn, got 5"],
    ["repvgg-a0", { form: "expanded" }, "form: expected deployed or train for repvgg-a0, got expanded"],
  ])("%s refuses %o", (id, options, message) => {
    const error = expect.objectContaining({ code: "ERR_ARGUMENT", message });
    expect(() => buildModel(id, options as never)).toThrow(error);
    expect(() => modelInfo(id, options as never)).toThrow(error);
  });

  it("the default of every option is its first value", () => {
    for (const { ids, forms, scales } of FAMILIES) {
      const options = { ...(forms && { form: forms[0]! }), ...(scales && { scale: scales[0]! }) };
      for (const id of ids) {
        expect(buildModel(id, options)).toEqual(buildModel(id));
        expect(modelInfo(id, options)).toEqual(modelInfo(id));
      }
    }
  });

  it("default inputs", () => {
    expect(modelInfo("sesr-m5")).toMatchObject({ family: "SESR", task: "super-resolution", input: [360, 640] });
    expect(modelInfo("sesr-m5", { scale: 4 }).input).toEqual([180, 320]);
    expect(modelInfo("fsrcnn", { scale: 3 }).input).toEqual([240, 427]);
    expect(modelInfo("vdsr").input).toEqual([720, 1280]);
    expect(modelInfo("ran-i-s")).toMatchObject({ family: "RAN-i", task: "classification", input: [224, 224] });
    expect(modelInfo("resnet56-cifar").input).toEqual([32, 32]);
  });
});

/** Names and shapes (OHWI) as in the files that people have. */
describe("names of weights", () => {
  it.each<[string, object, Record<string, number[]>]>([
    [
      "resnet18",
      {},
      {
        "conv1.weight": [64, 7, 7, 3],
        "bn1.running_var": [64],
        "layer1.0.conv1.weight": [64, 3, 3, 64],
        "layer2.0.downsample.0.weight": [128, 1, 1, 64],
        "layer2.0.downsample.1.running_mean": [128],
        "layer4.1.bn2.bias": [512],
        "fc.weight": [1000, 1, 1, 512],
        "fc.bias": [1000],
      },
    ],
    [
      "mobilenet-v2",
      {},
      {
        "features.0.0.weight": [32, 3, 3, 3],
        "features.1.conv.0.0.weight": [32, 3, 3, 1],
        "features.1.conv.1.weight": [16, 1, 1, 32],
        "features.1.conv.2.running_mean": [16],
        "features.2.conv.0.0.weight": [96, 1, 1, 16],
        "features.2.conv.1.0.weight": [96, 3, 3, 1],
        "features.2.conv.2.weight": [24, 1, 1, 96],
        "features.17.conv.3.weight": [320],
        "features.18.0.weight": [1280, 1, 1, 320],
        "classifier.1.weight": [1000, 1, 1, 1280],
      },
    ],
    [
      "convnext-t",
      {},
      {
        "downsample_layers.0.0.weight": [96, 4, 4, 3],
        "downsample_layers.0.1.weight": [96],
        "downsample_layers.1.0.bias": [96],
        "downsample_layers.1.1.weight": [192, 2, 2, 96],
        "stages.2.8.dwconv.weight": [384, 7, 7, 1],
        "stages.2.8.norm.weight": [384],
        "stages.2.8.pwconv1.weight": [1536, 1, 1, 384],
        "stages.2.8.pwconv2.bias": [384],
        "stages.2.8.gamma": [384],
        "norm.weight": [768],
        "head.weight": [1000, 1, 1, 768],
      },
    ],
    [
      "repvgg-a0",
      { form: "train" },
      {
        "stage0.rbr_dense.conv.weight": [48, 3, 3, 3],
        "stage0.rbr_1x1.bn.running_var": [48],
        "stage3.13.rbr_identity.weight": [192],
        "linear.weight": [1000, 1, 1, 1280],
      },
    ],
    ["repvgg-a0", {}, { "stage0.rbr_reparam.weight": [48, 3, 3, 3], "stage4.0.rbr_reparam.bias": [1280] }],
    [
      "resnet20-cifar",
      {},
      {
        "conv1.weight": [16, 3, 3, 3],
        "layer2.0.conv1.weight": [32, 3, 3, 16],
        "layer3.2.bn2.running_mean": [64],
        "linear.weight": [10, 1, 1, 64],
      },
    ],
    [
      "ran-e-c",
      {},
      {
        "stem.weight": [16, 3, 3, 3],
        "blocks.0.0.pre_bn.weight": [16],
        "blocks.0.0.conv.weight": [32, 3, 3, 16],
        "blocks.6.1.a.expand.weight": [768, 1, 1, 128],
        "blocks.6.1.b.project_bn.bias": [128],
        "blocks.8.0.dw.weight": [640, 7, 7, 1],
        "top.conv.weight": [1344, 1, 1, 224],
        "top.dw_bn.running_var": [1344],
        "head.bias": [1000],
      },
    ],
    [
      "ran-e-gt",
      {},
      { "blocks.6.1.pre_bn.bias": [128], "blocks.6.1.conv1.weight": [64, 3, 3, 128], "blocks.6.1.bn2.weight": [128] },
    ],
    [
      "efficientnet-lite0",
      {},
      {
        "stem_bn.running_mean": [32],
        "blocks.0.0.dw.weight": [32, 3, 3, 1],
        "blocks.5.3.expand_bn.weight": [1152],
        "head_conv.weight": [1280, 1, 1, 320],
        "head.weight": [1000, 1, 1, 1280],
      },
    ],
  ])("%s %o", (id, options, expected) => {
    const shapes = weightShapes(buildModel(id, options));
    for (const [name, shape] of Object.entries(expected)) expect(shapes.get(name), name).toEqual(shape);
  });

  it("what is not there: the stem of RAN-e has no normalisation, the first inverted bottleneck no expansion", () => {
    const names = (id: string) => [...weightShapes(buildModel(id)).keys()];
    expect(names("ran-e-gt").filter((name) => name.startsWith("stem"))).toEqual(["stem.weight"]);
    expect(names("efficientnet-lite0").filter((name) => name.startsWith("blocks.0.0.expand"))).toEqual([]);
    expect(names("repvgg-a0").filter((name) => /bn|rbr_dense|1x1/.test(name))).toEqual([]);
  });
});
