import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sesr } from "../../src/models/sesr.ts";
import type {
  Activation,
  Conv2dLayer,
  FeatureMap,
  Layer,
  Model,
  Network,
  Weight,
} from "../../src/network/description.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { type QuantisedFilter, type QuantisedModel, quantise } from "../../src/quantization/quantise.ts";
import type { Calibration } from "../../src/quantization/ranges.ts";
import { dequantizeValue, quantizeValue } from "../../src/quantization/requantize.ts";
import { runReference, runReferenceQuantised } from "../../src/reference/run.ts";
import { randomMap, randomModel, seeded } from "../network/random-model.ts";

const luma = { fixed: { x: { min: 0, max: 1 } } };
const input: Layer = { op: "input", name: "x", channels: 2 };
const conv = (name: string, more: Partial<Conv2dLayer> = {}): Conv2dLayer => ({
  op: "conv2d",
  name,
  input: "x",
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels: 2,
  weights: `${name}.w`,
  bias: `${name}.b`,
  ...more,
});
const act = (name: string, from: string, kind: "relu" | "relu6" | "prelu"): Layer => {
  const activation: Activation = kind === "prelu" ? { kind, slope: `${name}.slope` } : { kind };
  return { op: "activation", name, input: from, activation };
};
const clip = (name: string, from: string, min = 0, max = 1): Layer => ({ op: "clip", name, input: from, min, max });
const net = (...layers: Layer[]): Network => ({ name: "n", layers: [input, ...layers], output: layers.at(-1)!.name });

function quantiseInput(model: QuantisedModel, { shape, data }: FeatureMap<Float32Array>): FeatureMap<Int8Array> {
  const params = model.tensors.get(model.network.layers[0]!.name)!;
  return { shape, data: Int8Array.from(data, (v) => quantizeValue(v, params)) };
}

/** Of a convolution whose output is int8. */
const int8Filter = (model: QuantisedModel, layer: string) => model.filters.get(layer) as QuantisedFilter;

/** Calibrates on the picture itself and returns both runs. */
function bothRuns(model: Model, picture: FeatureMap<Float32Array>, options = {}) {
  const fused = prepare(model);
  const quantised = quantise(model, calibrate(model, [picture], runReference, options));
  const real = runReference(fused, picture);
  const int8 = runReferenceQuantised(quantised, quantiseInput(quantised, picture));
  return { quantised, real, int8 };
}

/** Largest error of a tensor in steps of its own scale; real values outside what int8 can hold count as saturated. */
function stepsOff({ quantised, real, int8 }: ReturnType<typeof bothRuns>, tensor: string): number {
  const { scale, zeroPoint } = quantised.tensors.get(tensor)!;
  const steps = (v: number) => Math.min(127 - zeroPoint, Math.max(-128 - zeroPoint, v / scale));
  const expected = real.get(tensor)!;
  return int8.get(tensor)!.reduce((max, q, i) => Math.max(max, Math.abs(q - zeroPoint - steps(expected[i]!))), 0);
}

describe("a quantised SESR", () => {
  const model = randomModel(sesr({ variant: "m3", scale: 2 }), 21);
  const picture = randomMap(seeded(22), [12, 10, 1], 16 / 255, 235 / 255);
  const runs = bothRuns(model, picture, luma);
  const { quantised, int8 } = runs;

  it.each([
    [2, 31],
    [4, 32],
  ] as const)("x%i gives the f32 picture within a few levels", (scale, seed) => {
    const both = bothRuns(randomModel(sesr({ variant: "m3", scale }), seed), picture, luma);
    const pixels = both.int8.get("y")!;
    const errors = both.real.get("y")!.map((v, i) => Math.abs(pixels[i]! + 128 - 255 * v));
    expect(Math.max(...errors)).toBeLessThanOrEqual(6);
    expect(errors.reduce((a, b) => a + b, 0) / errors.length).toBeLessThan(1.5);
  });

  it("stays within a few steps at every tensor", () => {
    expect(stepsOff(runs, "x")).toBeLessThanOrEqual(0.501);
    expect(stepsOff(runs, "first")).toBeLessThanOrEqual(2);
    for (const { name } of quantised.network.layers) expect(stepsOff(runs, name)).toBeLessThanOrEqual(6);
  });

  it("fixes the input's step so that the offset of 0.5 is 127 steps, and costs nothing", () => {
    const x = quantised.tensors.get("x")!;
    const centred = quantised.tensors.get("x.centred")!;
    expect(x).toEqual({ scale: 0.5 / 127, zeroPoint: -128 });
    expect(centred).toEqual({ scale: x.scale, zeroPoint: -1 });
    expect(int8.get("x.centred")).toBe(int8.get("x"));
  });

  it("ends in luma: scale 1/255, zero point -128, and no clip layer", () => {
    for (const tensor of ["cells", "y"])
      expect(quantised.tensors.get(tensor)).toEqual({ scale: 1 / 255, zeroPoint: -128 });
    expect(quantised.network.layers.map(({ name, op }) => `${name}: ${op}`)).toEqual([
      "x: input",
      "x.centred: offset",
      "first: conv2d",
      "blocks.0.prelu: conv2d",
      "blocks.1.prelu: conv2d",
      "features: conv2d",
      "cells: conv2d",
      "y: depth-to-space",
    ]);
    expect([...quantised.tensors.keys()]).toEqual(quantised.network.layers.map(({ name }) => name));
    expect(quantised.clips.size).toBe(0);
  });

  it("is the same from every form of the model", () => {
    const expanded = randomModel(sesr({ variant: "m3", scale: 2, form: "expanded" }), 5);
    const calibration = calibrate(expanded, [picture], runReference, luma);
    expect(quantise(expanded, calibration)).toEqual(quantise(prepare(expanded), calibration));
  });

  it("computes multipliers from the scales, rounded once", () => {
    const filter = int8Filter(quantised, "features");
    const scale = (tensor: string) => quantised.tensors.get(tensor)!.scale;
    const slopes = model.weights.get("blocks.2.slope")!.data;
    filter.multipliers.forEach((m, o) => {
      expect(m).toBe(Math.fround((scale("blocks.1.prelu") * filter.weightScales[o]!) / scale("features")));
      expect(filter.negativeMultipliers![o]).toBe(Math.fround(m * slopes[o]!));
    });
    expect(filter.residualMultipliers).toEqual(new Float32Array(16).fill(scale("first") / scale("features")));
    expect(int8Filter(quantised, "first").residualMultipliers).toBeUndefined();
  });
});

describe("operators that are not fused", () => {
  it.each<[string, Network]>([
    ["add", net(conv("c"), { op: "add", name: "s", inputs: ["c", "x"] }, { op: "add", name: "y", inputs: ["s", "c"] })],
    ["add of one channel", net(conv("c", { channels: 1 }), { op: "add", name: "y", inputs: ["c", "x"] })],
    ["relu", net(act("y", "x", "relu"))],
    ["relu6", net(act("y", "x", "relu6"))],
    ["prelu", net(conv("c"), { op: "add", name: "s", inputs: ["c", "x"] }, act("y", "s", "prelu"))],
    [
      "clip with another reader",
      net(conv("c"), clip("k", "c", -0.25, 0.25), { op: "add", name: "y", inputs: ["c", "k"] }),
    ],
    ["clip of the input", net(clip("y", "x", -0.5, 0.5))],
    [
      "two offsets",
      net({ op: "offset", name: "o", input: "x", value: 0.5 }, conv("c", { input: "o" }), {
        op: "offset",
        name: "y",
        input: "c",
        value: -0.25,
      }),
    ],
    ["stride 2 and valid", net(conv("c", { stride: 2 }), conv("y", { input: "c", padding: "valid", kernel: [2, 3] }))],
    [
      "no bias",
      net({
        op: "conv2d",
        name: "y",
        input: "x",
        kernel: [1, 1],
        stride: 1,
        padding: "same",
        channels: 8,
        weights: "w",
      }),
    ],
    ["depth-to-space", net(conv("c", { channels: 8 }), { op: "depth-to-space", name: "y", input: "c", block: 2 })],
  ])("%s: within 3 steps of f32 at every tensor", (_, network) => {
    const both = bothRuns(randomModel(network, 8), randomMap(seeded(9), [7, 6, 2], -1, 1));
    for (const { name } of both.quantised.network.layers) expect(stepsOff(both, name)).toBeLessThanOrEqual(3);
  });

  it.each<[string, Layer[]]>([
    ["conv -> relu", [conv("c"), act("y", "c", "relu")]],
    ["conv -> relu6", [conv("c"), act("y", "c", "relu6")]],
    ["conv -> prelu", [conv("c"), act("y", "c", "prelu")]],
    ["conv -> add -> relu", [conv("c"), { op: "add", name: "s", inputs: ["c", "x"] }, act("y", "s", "relu")]],
    ["conv -> add -> relu6", [conv("c"), { op: "add", name: "s", inputs: ["c", "x"] }, act("y", "s", "relu6")]],
    ["conv -> relu -> add", [conv("c"), act("r", "c", "relu"), { op: "add", name: "y", inputs: ["r", "x"] }]],
    ["conv -> prelu -> add", [conv("c"), act("r", "c", "prelu"), { op: "add", name: "y", inputs: ["x", "r"] }]],
    [
      "conv -> add of one channel",
      [conv("one", { channels: 1 }), conv("c", { bias: "c.b" }), { op: "add", name: "y", inputs: ["c", "one"] }],
    ],
  ])("%s fused: within 4 steps (the input is coarser than the output)", (_, layers) => {
    const both = bothRuns(randomModel(net(...layers), 10), randomMap(seeded(11), [7, 6, 2], -8, 8));
    expect(both.quantised.adds.size + both.quantised.activations.size).toBe(0);
    expect(stepsOff(both, "y")).toBeLessThanOrEqual(4);
  });
});

describe("clips", () => {
  const picture = randomMap(seeded(3), [5, 5, 2], -1, 1);

  it("inside the network become limits of the producer, which takes the clip's name", () => {
    const network = net(conv("c"), clip("k", "c", -0.25, 0.5), conv("y", { input: "k" }));
    const { quantised } = bothRuns(randomModel(network, 4), picture);
    expect(quantised.network.layers.map(({ name }) => name)).toEqual(["x", "k", "y"]);
    const params = quantised.tensors.get("k")!;
    const { qmin, qmax } = int8Filter(quantised, "k");
    expect([qmin, qmax]).toEqual([quantizeValue(-0.25, params), quantizeValue(0.5, params)]);
    expect(params.scale).toBeLessThanOrEqual(0.76 / 255);
  });

  it("of the output prescribe its range, whatever was observed", () => {
    const network = net(conv("c"), clip("k", "c", -1, 3), clip("y", "k", -3, 2));
    const { quantised } = bothRuns(randomModel(network, 4), picture);
    expect(quantised.network.layers.map(({ name }) => name)).toEqual(["x", "y"]);
    expect(quantised.tensors.get("y")!.scale).toBe(4 / 255);
    const { qmin, qmax } = int8Filter(quantised, "y");
    expect([qmin, qmax]).toEqual([-128, quantizeValue(2, quantised.tensors.get("y")!)]);
  });

  it("stay where another layer reads what they clip", () => {
    const network = net(conv("c"), clip("k", "c", -0.25, 0.25), { op: "add", name: "y", inputs: ["c", "k"] });
    const { quantised } = bothRuns(randomModel(network, 8), picture);
    expect(quantised.tensors.get("k")).toBe(quantised.tensors.get("c"));
    expect(quantised.clips.get("k")).toEqual({
      qmin: quantizeValue(-0.25, quantised.tensors.get("c")!),
      qmax: quantizeValue(0.25, quantised.tensors.get("c")!),
    });
  });

  it("set the limits of sums and activations too", () => {
    for (const layer of [{ op: "add", name: "s", inputs: ["x", "x"] } as const, act("s", "x", "prelu")]) {
      const { quantised } = bothRuns(randomModel(net(layer, clip("y", "s", -0.5, 0.5)), 8), picture);
      const limits = quantised.adds.get("y") ?? quantised.activations.get("y")!;
      expect(limits).toMatchObject({ qmin: -128, qmax: 127 });
      expect(quantised.clips.size).toBe(0);
    }
  });
});

describe("offsets", () => {
  it("are a whole number of steps, and zero is exact on both sides, whatever the range and value", () => {
    const real = fc.double({ min: -10, max: 10, noNaN: true });
    const value = real.filter((v) => Math.abs(v) > 0.5);
    fc.assert(
      fc.property(real, real, value, (a, b, offset) => {
        const network = net({ op: "offset", name: "y", input: "x", value: offset });
        const x = { min: Math.min(a, b), max: Math.max(a, b) };
        const { tensors } = quantise({ network, weights: new Map() }, { x });
        const [from, to] = [tensors.get("x")!, tensors.get("y")!];
        expect(to.scale).toBe(from.scale);
        expect((from.zeroPoint - to.zeroPoint) * from.scale).toBeCloseTo(offset, 9);
        for (const { zeroPoint } of [from, to]) {
          expect(zeroPoint).toBeGreaterThanOrEqual(-128);
          expect(zeroPoint).toBeLessThanOrEqual(127);
        }
        for (const end of [x.min, x.max]) {
          expect(Math.abs(dequantizeValue(quantizeValue(end, from), from) - end)).toBeLessThanOrEqual(
            from.scale * 0.501,
          );
        }
      }),
    );
  });
});

describe("biases and degenerate filters", () => {
  const one = (weight: number[], bias: number, more: Partial<Conv2dLayer> = {}): Model => {
    const weights = new Map<string, Weight>([
      ["y.w", { shape: [1, 1, 1, 2], data: Float32Array.from(weight) }],
      ["y.b", { shape: [1], data: Float32Array.of(bias) }],
    ]);
    return { network: net(conv("y", { kernel: [1, 1], channels: 1, ...more })), weights };
  };
  const ranges = (min: number, max: number): Calibration => ({ x: { min: -1, max: 1 }, y: { min, max } });

  it("are whole numbers of inputScale * weightScale", () => {
    const { scale } = quantise(one([127, 0], 0), ranges(-1, 1)).tensors.get("x")!;
    for (const steps of [0, 2.4, 2.6, -100.4, -100.6]) {
      const { bias, weightScales } = quantise(one([127, 0], steps * scale), ranges(-1, 1)).filters.get("y")!;
      expect([weightScales[0], bias[0]]).toEqual([1, Math.round(steps)]);
    }
  });

  it.each([
    ["zeros", [0, 0], 0.7],
    ["zeros, no bias", [0, 0], 0],
    ["a bias that is 10^9 times the weights", [1e-9, -1e-9], -0.7],
    ["weights below binary32's normal range", [1e-42, 0], 0.5],
    ["a large bias", [1, 1], 1e6],
  ])("a filter of %s still gives its bias", (_, weight, bias) => {
    const model = one(weight, bias);
    const quantised = quantise(model, ranges(Math.min(0, bias) - 3, Math.max(0, bias) + 3));
    const params = quantised.tensors.get("y")!;
    const x = { shape: [1, 1, 2] as const, data: Int8Array.of(50, 50) };
    const y = dequantizeValue(runReferenceQuantised(quantised, x).get("y")![0]!, params);
    const real = dequantizeValue(50, quantised.tensors.get("x")!);
    expect(Math.abs(y - (bias + real * (weight[0]! + weight[1]!)))).toBeLessThanOrEqual(params.scale);
  });
});

describe("quantise refuses", () => {
  const model = randomModel(net(conv("y")), 1);
  const sound: Calibration = { x: { min: -1, max: 1 }, y: { min: -1, max: 1 } };

  it.each<[string, Model, Calibration, string, string]>([
    [
      "a missing range",
      model,
      { x: sound.x! },
      "ERR_QUANTIZATION",
      "calibration: expected a range of tensor y, got none",
    ],
    [
      "an inherited range",
      randomModel(net(conv("toString")), 1),
      sound,
      "ERR_QUANTIZATION",
      "expected a range of tensor toString",
    ],
    [
      "a range upside down",
      model,
      { ...sound, y: { min: 1, max: 0 } },
      "ERR_QUANTIZATION",
      "calibration of y: expected finite min <= max",
    ],
    [
      "an output range far too fine",
      model,
      { ...sound, y: { min: 0, max: 1e-30 } },
      "ERR_QUANTIZATION",
      "layer y: expected a multiplier from 2^-60 to 2^60",
    ],
    ["wrong weights", { ...model, weights: new Map() }, sound, "ERR_WEIGHTS", '"y.w" is missing'],
    [
      "an offset smaller than a step",
      { network: net({ op: "offset", name: "y", input: "x", value: 0.001 }), weights: new Map() },
      sound,
      "ERR_QUANTIZATION",
      "tensor x: expected a range of at most 0.255 for its offset to be a whole number of steps, got 2",
    ],
    [
      "offsets that no step divides",
      {
        network: net(
          { op: "offset", name: "a", input: "x", value: 0.5 },
          { op: "offset", name: "b", input: "x", value: Math.SQRT1_2 },
          { op: "add", name: "y", inputs: ["a", "b"] },
        ),
        weights: new Map(),
      },
      sound,
      "ERR_QUANTIZATION",
      "tensor x: expected offsets that are multiples of",
    ],
    [
      "a residual before PReLU",
      randomModel(
        net(
          conv("y", {
            activation: { kind: "prelu", slope: "s" },
            residual: { tensor: "x", position: "before-activation" },
          }),
        ),
        1,
      ),
      sound,
      "ERR_UNSUPPORTED",
      "layer y: a residual before-activation with prelu has no int8 form",
    ],
    [
      "a residual after ReLU6",
      randomModel(
        net(conv("y", { activation: { kind: "relu6" }, residual: { tensor: "x", position: "after-activation" } })),
        1,
      ),
      sound,
      "ERR_UNSUPPORTED",
      "layer y: a residual after-activation with relu6 has no int8 form",
    ],
  ])("%s", (_, subject, calibration, code, message) => {
    expect(() => quantise(subject, calibration)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
