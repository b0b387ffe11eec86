import { describe, expect, it } from "vitest";
import { buildModel, modelIds, modelInfo } from "../../src/models/registry.ts";
import { countNetwork } from "../../src/network/counts.ts";
import { nonLinearUnits } from "../../src/network/non-linear-units.ts";
import { CLASSIFIERS } from "../_helpers/classifiers.ts";

const counted = (id: string) => countNetwork(buildModel(id), modelInfo(id).input);

describe("classification networks", () => {
  it.each(CLASSIFIERS)("%s has %i parameters and %i MACs at its default input", (id, params, macs) => {
    const counts = counted(id);
    expect(counts).toMatchObject({ params, macs });
    expect(counts.layers.at(-1)!.shape).toEqual([1, 1, id.endsWith("-cifar") ? 10 : 1000]);
  });

  it("are all in the table", () => {
    const known = modelIds().filter((id) => modelInfo(id).task === "classification");
    expect(CLASSIFIERS.map(([id]) => id).sort()).toEqual(known.sort());
  });

  it("RepVGG-A0 trains 9,108,968 parameters", () => {
    expect(countNetwork(buildModel("repvgg-a0", { form: "train" }), [224, 224]).params).toBe(9_108_968);
  });

  it.each([
    ["ran-e-gt", 4_447_952],
    ["ran-e-c", 4_595_472],
  ])("%s has %i weights", (id, weights) => {
    expect(counted(id).weights).toBe(weights);
  });
});

describe("RAN-e, row by row", () => {
  /** What the names of a row's layers begin with, weights and millions of MACs of ran-e-gt and of ran-e-c. */
  const ROWS: readonly [stem: string, gt: [number, number], c: [number, number]][] = [
    ["stem", [432, 5.419], [432, 5.419]],
    ["blocks.0.0.", [4_608, 57.803], [4_608, 57.803]],
    ["blocks.1.0.", [13_824, 43.352], [13_824, 43.352]],
    ["blocks.2.0.", [27_648, 21.676], [34_848, 59.835]],
    ["blocks.3.0.", [46_080, 36.127], [46_080, 36.127]],
    ["blocks.4.0.", [88_800, 39.984], [88_800, 39.984]],
    ["blocks.4.1.", [88_800, 17.405], [57_600, 11.29]],
    ["blocks.5.0.", [59_200, 11.603], [64_320, 12.607]],
    ["blocks.5.1.", [77_184, 15.128], [82_944, 16.257]],
    ["blocks.6.0.", [110_592, 21.676], [134_208, 26.305]],
    ["blocks.6.1.", [147_456, 28.901], [308_736, 60.512]],
    ["blocks.7.0.", [258_816, 27.133], [184_320, 9.032]],
    ["blocks.8.0.", [220_800, 10.819], [246_400, 12.074]],
    ["blocks.8.1.", [254_144, 12.453], [254_144, 12.453]],
    ["blocks.8.2.", [254_144, 12.453], [278_784, 13.66]],
    ["blocks.9.0.", [448_800, 21.991], [448_800, 21.991]],
    ["blocks.9.1.", [635_712, 31.15], [635_712, 31.15]],
    ["top.conv", [301_056, 14.752], [301_056, 14.752]],
    ["top.dw", [65_856, 3.227], [65_856, 3.227]],
    ["head", [1_344_000, 1.344], [1_344_000, 1.344]],
  ];

  it.each([
    ["ran-e-gt", 1],
    ["ran-e-c", 2],
  ] as const)("%s: weights and MACs of every row", (id, column) => {
    const { layers } = counted(id);
    const found = ROWS.map(([stem]) => {
      const own = layers.filter(({ name }) => name.startsWith(stem));
      const sum = (field: "weights" | "macs") => own.reduce((total, layer) => total + layer[field], 0);
      return [sum("weights"), Number((sum("macs") / 1e6).toFixed(3))];
    });
    expect(found).toEqual(ROWS.map((row) => row[column]));
  });
});

describe("super-resolution networks", () => {
  it.each([2, 3, 4] as const)("FSRCNN x%i has 12,464 weights, and each input value meets each tap once", (scale) => {
    const { weights, params, macs, layers } = countNetwork(buildModel("fsrcnn", { scale }), [30, 40]);
    expect(weights).toBe(12_464);
    expect(params).toBe(12_464 + 173 + 172); // biases and slopes
    expect(macs).toBe(12_464 * 30 * 40);
    expect(layers.at(-1)!.shape).toEqual([30 * scale, 40 * scale, 1]);
  });

  it.each([
    [2, 6.007],
    [4, 4.637],
  ] as const)(
    "FSRCNN x%i to 1280x720: the published figure counts the last layer at the output's size",
    (scale, giga) => {
      const { macs, layers } = countNetwork(buildModel("fsrcnn", { scale }), modelInfo("fsrcnn", { scale }).input);
      const last = layers.at(-1)!.macs;
      expect(Number(((macs - last + last * scale ** 2) / 1e9).toFixed(3))).toBe(giga);
      if (scale === 2) expect(macs).toBe(2_871_705_600);
    },
  );

  it("VDSR has 664,704 weights and 612.6 G MACs to 1280x720, in 20 convolutions", () => {
    const { weights, params, macs, layers } = counted("vdsr");
    expect([weights, params]).toEqual([664_704, 664_704]);
    expect(Number((macs / 1e9).toFixed(1))).toBe(612.6);
    expect(layers.filter(({ op }) => op === "conv2d")).toHaveLength(20);
  });
});

describe("NN-Mass and non-linear units", () => {
  it.each([
    ["convnext-t", 13_248, 8.58],
    ["convnext-s", 27_072, 14.0],
    ["convnext-b", 36_096, 18.67],
    ["ran-i-t", 14_710, 9.53],
    ["ran-i-s", 17_420, 11.29],
    ["ran-i-b", 28_154, 18.2],
  ])("%s: mass %i, %d M GELUs at 224x224", (id, mass, millions) => {
    expect(modelInfo(id).nnMass).toBe(mass);
    const network = buildModel(id);
    expect(Number((nonLinearUnits(network, [224, 224]) / 1e6).toFixed(2))).toBe(millions);
    // The GELUs have four times a block's channels, which count twice in the mass.
    const { layers } = countNetwork(network, [224, 224]);
    const gelus = layers.filter(({ op }) => op === "activation").map(({ shape }) => shape[2]);
    expect(gelus.reduce((a, b) => a + b)).toBe(2 * mass);
  });

  it("residual networks by the parent's forms, and null where there is none", () => {
    // ResNet-18: 64+64 twice, 64+128, 128+128, 128+256, 256+256, 256+512, 512+512.
    expect(modelInfo("resnet18").nnMass).toBe(2 * 128 + 192 + 256 + 384 + 512 + 768 + 1024);
    // Inverted bottlenecks that widen c channels by 6: (c + 12c) c / (2c + 6c) = 13 c / 8, if they have a residual.
    const residual = (c: number, n: number) => (13 / 8) * c * n;
    const expected = residual(24, 1) + residual(32, 2) + residual(64, 3) + residual(96, 2) + residual(160, 2);
    expect(modelInfo("mobilenet-v2").nnMass).toBeCloseTo(expected, 9);
    for (const id of ["sesr-m5", "fsrcnn", "vdsr", "repvgg-a0", "ran-e-gt"]) expect(modelInfo(id).nnMass).toBeNull();
  });

  it("a restructured activation counts unless it is the identity; fused ones count", () => {
    const mixed = (amount: number) => ({ kind: "mixed", of: "relu", amount }) as const;
    const units = (amount: number) =>
      nonLinearUnits(
        {
          name: "n",
          layers: [
            { op: "input", name: "x", channels: 2 },
            {
              op: "conv2d",
              name: "c",
              input: "x",
              kernel: [1, 1],
              stride: 2,
              padding: "same",
              channels: 3,
              weights: "w",
              activation: { kind: "relu6" },
            },
            { op: "activation", name: "y", input: "c", activation: mixed(amount) },
          ],
          output: "y",
        },
        [4, 6],
      );
    expect([units(0), units(0.1), units(1)]).toEqual([18, 36, 36]);
  });
});
