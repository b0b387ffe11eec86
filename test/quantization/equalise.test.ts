import { describe, expect, it } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { sesr } from "../../src/models/sesr.ts";
import type { FeatureMap, Layer, Model, Network } from "../../src/network/description.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { type Equalisation, equalise } from "../../src/quantization/equalise.ts";
import { type EqualisationOptions, findEqualisation } from "../../src/quantization/find-equalisation.ts";
import { type QuantisedFilter, quantise } from "../../src/quantization/quantise.ts";
import { dequantizeValue, quantizeValue } from "../../src/quantization/requantize.ts";
import { scalingGroups } from "../../src/quantization/scaling-groups.ts";
import { restoreModel, storeModel } from "../../src/quantization/stored-model.ts";
import { runReference, runReferenceQuantised } from "../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../network/random-model.ts";

const conv = (name: string, input: string, channels = 6): Layer => ({
  op: "conv2d",
  name,
  input,
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels,
  weights: `${name}.w`,
  ...(name === "b" ? {} : { bias: `${name}.b` }),
});
const act = (name: string, input: string, kind: "relu" | "prelu"): Layer => ({
  op: "activation",
  name,
  input,
  activation: kind === "prelu" ? { kind, slope: `${name}.slope` } : { kind },
});
const add = (name: string, a: string, b: string): Layer => ({ op: "add", name, inputs: [a, b] });
const net = (...layers: Layer[]): Network => ({
  name: "n",
  layers: [{ op: "input", name: "x", channels: 3 }, ...layers],
  output: layers.at(-1)!.name,
});

const NETWORKS: [string, Network][] = [
  ["SESR", sesr({ variant: "m3", scale: 2 })],
  ["SESR, expanded", sesr({ variant: "m3", scale: 4, form: "expanded" })],
  [
    "a residual after relu",
    net(
      conv("a", "x"),
      act("r", "a", "relu"),
      conv("b", "r"),
      act("q", "b", "relu"),
      add("s", "q", "r"),
      conv("y", "s"),
    ),
  ],
  [
    "sums and activations that do not fuse",
    net(
      conv("a", "x"),
      conv("b", "a"),
      add("s", "a", "b"),
      act("p", "s", "prelu"),
      add("t", "p", "s"),
      conv("y", "t", 2),
    ),
  ],
  [
    "residuals from the input, from one another and behind a sum",
    net(
      conv("a", "x", 3),
      add("r", "a", "x"),
      conv("b", "r"),
      act("p", "b", "relu"),
      conv("c", "p"),
      add("s", "c", "p"),
      conv("d", "s"),
      act("q", "d", "prelu"),
      add("t", "q", "s"),
      conv("y", "t", 2),
    ),
  ],
  ["a depthwise convolution", net(conv("a", "x"), { ...conv("d", "a"), depthwise: true } as Layer, conv("y", "d", 2))],
  ["two readers", net(conv("a", "x"), conv("b", "a", 2), conv("c", "a", 2), add("y", "b", "c"))],
];

/** Scales of every group, drawn from `draw`. */
function scalesOf(model: Model, draw: () => number): Equalisation {
  const groups = scalingGroups(prepare(model).network);
  expect(groups.length).toBeGreaterThan(0);
  return Object.fromEntries(
    groups.map(({ tensors, channels }) => [tensors.at(-1)!, Array.from({ length: channels }, draw)]),
  );
}

const channelsOf = (model: Model) => model.network.layers.flatMap((l) => (l.op === "input" ? [l.channels] : []))[0]!;
const outputOf = (model: Model, input: FeatureMap<Float32Array>) =>
  runReference(model, input).get(model.network.output)!;

describe("equalise", () => {
  it.each(NETWORKS)("%s: the same function, and the same bits where scales are powers of two", (_, network) => {
    const model = prepare(randomModel(network, 4));
    const input = randomMap(seeded(5), [9, 7, channelsOf(model)]);
    const expected = outputOf(model, input);
    const next = seeded(6);
    const binary = equalise(
      model,
      scalesOf(model, () => 2 ** Math.floor(next() * 12 - 6)),
    );
    expect(outputOf(binary, input)).toEqual(expected);
    const any = equalise(
      model,
      scalesOf(model, () => 0.05 + 3 * next()),
    );
    expect(any.weights).not.toEqual(model.weights);
    expect(relativeError(outputOf(any, input), expected)).toBeLessThan(1e-5);
  });

  const powers = (period: number) => Array.from({ length: 16 }, (_, c) => 2 ** ((c % period) - 2));
  it.each<[string, Equalisation]>([
    ["the output of a residual", { features: powers(5) }],
    ["what is its residual", { first: powers(5) }],
    ["both alike", { first: powers(5), features: powers(5) }],
    ["either by its own", { first: powers(3), features: powers(5) }],
  ])("divides the channels of the named tensors, and leaves the others alone: %s", (_, equalisation) => {
    const model = prepare(randomModel(sesr({ variant: "m3", scale: 2 }), 2));
    const input = randomMap(seeded(3), [6, 6, 1]);
    const before = runReference(model, input);
    const after = runReference(equalise(model, equalisation), input);
    for (const [name, values] of before) {
      const scales = equalisation[name];
      expect(after.get(name)).toEqual(scales ? values.map((v, i) => v / scales[i % 16]!) : values);
    }
  });

  it("divides every tensor that activations and sums of their own tie to the named one", () => {
    const model = randomModel(NETWORKS.find(([name]) => name.startsWith("sums and"))![1], 2);
    const input = randomMap(seeded(3), [6, 6, 3]);
    const scales = powers(5).slice(0, 6);
    const before = runReference(prepare(model), input);
    const after = runReference(equalise(model, { p: scales }), input);
    expect([...before.keys()]).toEqual(["x", "a", "s", "p", "t", "y"]);
    for (const [name, values] of before) {
      const scaled = ["s", "p", "t"].includes(name);
      expect(after.get(name)).toEqual(scaled ? values.map((v, i) => v / scales[i % 6]!) : values);
    }
  });

  describe("the scales of a residual", () => {
    const model = prepare(randomModel(sesr({ variant: "m3", scale: 2 }), 2));
    const scaleOf = ({ network }: Model) =>
      network.layers.flatMap((layer) => (layer.op === "conv2d" && layer.residual?.scale) || []);
    const [a, b] = [3, 5].map((period) => powers(period).map((s) => s / 3 + 0.1)) as [number[], number[]];

    it("are those of the residual over those of the output, rounded once", () => {
      const even = equalise(model, { first: a, features: b });
      expect(scaleOf(even)).toEqual(["features.residual"]);
      const { shape, data } = even.weights.get("features.residual")!;
      expect(shape).toEqual([16]);
      expect(data).toEqual(Float32Array.from(a, (s, c) => s / b[c]!));
      expect(equalise(model, { first: a }).weights.get("features.residual")!.data).toEqual(Float32Array.from(a));
      const inverse = Float32Array.from(b, (s) => 1 / s);
      expect(equalise(model, { features: b }).weights.get("features.residual")!.data).toEqual(inverse);
    });

    it("are not written where both are alike, and multiply those that are there", () => {
      const alike = equalise(model, { first: a, features: [...a] });
      expect(alike.network).toEqual(model.network);
      expect([...alike.weights.keys()]).toEqual([...model.weights.keys()]);
      const twice = equalise(equalise(model, { first: powers(3) }), { features: b });
      const once = equalise(model, { first: powers(3), features: b });
      expect(twice).toEqual(once);
    });

    it("go into the multipliers of int8, rounded once, and through storage", () => {
      const pictures = [randomMap(seeded(3), [12, 12, 1])];
      const even = equalise(model, { first: a, features: b });
      const quantised = quantise(even, calibrate(even, pictures, runReference));
      const [from, to] = ["first", "features"].map((name) => quantised.tensors.get(name)!.scale) as [number, number];
      const factors = even.weights.get("features.residual")!.data;
      const filter = quantised.filters.get("features") as QuantisedFilter;
      expect(filter.residualMultipliers).toEqual(factors.map((factor) => (from * factor) / to));
      expect(new Set(filter.residualMultipliers).size).toBeGreaterThan(8);
      expect(restoreModel(JSON.parse(JSON.stringify(storeModel(quantised))))).toEqual(quantised);
    });

    it("run in the engine as in the oracle, f32 and int8", async () => {
      const kernels = await instantiateKernels();
      const picture = randomMap(seeded(3), [13, 17, 1]);
      const even = equalise(model, { first: a, features: b });
      const real = await compile(even, { kernels });
      expect(relativeError(real.run(picture).data, outputOf(model, picture))).toBeLessThan(1e-5);
      const quantised = quantise(even, calibrate(even, [picture], runReference), { boundary: "f32" });
      const int8 = await compile(quantised, { kernels });
      expect(int8.run(picture).data).toEqual(runReferenceQuantised(quantised, picture).get("y"));
      real.dispose();
      int8.dispose();
    });

    it("are refused where the weight's name is taken, of a wrong length, zero, and at an end that stays real", () => {
      const { network, weights } = model;
      const renamed = network.layers.map((layer) =>
        layer.name === "first" ? { ...layer, bias: "features.residual" } : layer,
      );
      const taken = new Map([...weights].map(([name, w]) => [name === "first.bias" ? "features.residual" : name, w]));
      expect(() => equalise({ network: { ...network, layers: renamed }, weights: taken }, { first: a })).toThrow(
        expect.objectContaining({
          code: "ERR_NETWORK",
          message: 'layer "features": expected "features.residual" to be free for its residual\'s scales',
        }),
      );
      const even = equalise(model, { first: a });
      const withScale = (data: Float32Array) => ({
        ...even,
        weights: new Map([...even.weights, ["features.residual", { shape: [data.length], data }]]),
      });
      expect(() => quantise(withScale(new Float32Array(15)), {})).toThrow(
        expect.objectContaining({
          code: "ERR_WEIGHTS",
          message: expect.stringContaining('"features.residual" has shape [15], expected [16]'),
        }),
      );
      const ranges = calibrate(even, [randomMap(seeded(3), [12, 12, 1])], runReference);
      expect(() => quantise(withScale(new Float32Array(16)), ranges)).toThrow(
        expect.objectContaining({ code: "ERR_QUANTIZATION", message: expect.stringContaining("features") }),
      );
    });
  });

  it("without scales is the prepared model", () => {
    const model = randomModel(sesr({ variant: "m3", scale: 2, form: "expanded" }), 2);
    expect(equalise(model, {})).toEqual(prepare(model));
  });

  const model = randomModel(sesr({ variant: "m3", scale: 2 }), 1);
  const ones = Array.from({ length: 16 }, () => 1);
  it.each<[string, Equalisation, string, string]>([
    ["the input", { x: [1] }, "ERR_ARGUMENT", "equalisation: expected tensors whose channels can be scaled, got x"],
    ["a fused name", { "blocks.0": ones }, "ERR_ARGUMENT", "can be scaled, got blocks.0"],
    ["too few scales", { first: [1] }, "ERR_SHAPE", "equalisation of first: expected 16 scales, got 1"],
    ["no list", { first: 1 as never }, "ERR_SHAPE", "equalisation of first: expected 16 scales, got number"],
    ["zero", { first: [...ones.slice(1), 0] }, "ERR_QUANTIZATION", "positive finite scales, got 0 at index 15"],
    ["NaN", { first: [Number.NaN, ...ones.slice(1)] }, "ERR_QUANTIZATION", "got NaN at index 0"],
    ["holes", { first: [undefined as never, ...ones.slice(1)] }, "ERR_QUANTIZATION", "got undefined at index 0"],
  ])("refuses %s", (_, equalisation, code, message) => {
    expect(() => equalise(model, equalisation)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

it("equalise refuses two entries for tied tensors", () => {
  const tied = randomModel(NETWORKS.find(([name]) => name.startsWith("sums and"))![1], 2);
  const ones = Array.from({ length: 6 }, () => 1);
  expect(() => equalise(tied, { s: ones, p: ones })).toThrow(
    expect.objectContaining({
      code: "ERR_ARGUMENT",
      message: expect.stringContaining("equalisation of p: expected one entry"),
    }),
  );
});

describe("findEqualisation", () => {
  /** SESR whose channels differ in size by three octaves, as trained ones do. */
  const uneven = (() => {
    const model = prepare(randomModel(sesr({ variant: "m5", scale: 2 }), 7));
    const next = seeded(8);
    return equalise(
      model,
      scalesOf(model, () => 2 ** (3 * next())),
    );
  })();
  const pictures = [1, 2].map((seed) => randomMap(seeded(seed), [24, 24, 1]));
  const fixed = { x: { min: 0, max: 1 } };

  /** Sum of squared errors of int8 against f32 on a calibration picture, so that no value leaves its range. */
  function int8Error(model: Model): number {
    const quantised = quantise(model, calibrate(model, pictures, runReference, { fixed }));
    const { shape, data } = pictures[0]!;
    const params = quantised.tensors.get("x")!;
    const bytes = { shape, data: Int8Array.from(data, (v) => quantizeValue(v, params)) };
    const exact = outputOf(model, { shape, data: data.map((v) => dequantizeValue(quantizeValue(v, params), params)) });
    const output = quantised.tensors.get("y")!;
    const got = runReferenceQuantised(quantised, bytes).get("y")!;
    return exact.reduce((sum, v, i) => sum + (v - dequantizeValue(got[i]!, output)) ** 2, 0);
  }

  it("lessens the int8 error of uneven channels at every strength", () => {
    const error = (options: EqualisationOptions) =>
      int8Error(equalise(uneven, findEqualisation(uneven, pictures, runReference, options)));
    const none = int8Error(uneven);
    expect(error({ strength: 0.5 })).toBeLessThan(none * 0.8);
    expect(error({})).toBeLessThan(none * 0.7);
    expect(error({ strength: 1 })).toBeLessThan(none * 0.8);
  });

  it.each([1, 2, 3])("does not worsen the int8 error of a random SESR, seed %i", (seed) => {
    const model = randomModel(sesr({ variant: "m5", scale: 2 }), seed);
    const even = equalise(model, findEqualisation(model, pictures, runReference));
    expect(int8Error(even)).toBeLessThanOrEqual(int8Error(prepare(model)));
  });

  it("is plain data by the first tensor of each group; strength 0 changes nothing", () => {
    const found = findEqualisation(uneven, pictures, runReference);
    expect(Object.keys(found)).toEqual(["first", ...[0, 1, 2, 3].map((i) => `blocks.${i}.prelu`), "features"]);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    const none = findEqualisation(uneven, pictures, runReference, { strength: 0 });
    expect(equalise(uneven, none)).toEqual(uneven);
    const identity: Network = { name: "id", layers: [{ op: "input", name: "x", channels: 1 }], output: "x" };
    expect(findEqualisation({ network: identity, weights: new Map() }, pictures, runReference)).toEqual({});
  });

  it("refuses other strengths, no pictures and values that are not finite", () => {
    for (const strength of [-0.1, 1.1, Number.NaN]) {
      expect(() => findEqualisation(uneven, pictures, runReference, { strength })).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT", message: `strength: expected 0 to 1, got ${strength}` }),
      );
    }
    expect(() => findEqualisation(uneven, [], runReference)).toThrow(/inputs: expected at least one/);
    const nan = () => new Map([["first", Float32Array.of(Number.NaN)]]);
    expect(() => findEqualisation(uneven, pictures, nan)).toThrow(/tensor first: expected finite values, got NaN/);
  });
});
