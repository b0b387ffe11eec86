/** The layers of classification networks in the engine: f32 against the float64 oracle, int8 bit for bit, strips against the whole. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { buildModel } from "../../src/models/registry.ts";
import type { Activation, FeatureMap, Layer, Model, Network } from "../../src/network/description.ts";
import { lowerMixed } from "../../src/network/passes/lower-mixed.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { quantise } from "../../src/quantization/quantise.ts";
import { quantizeValue } from "../../src/quantization/requantize.ts";
import { runReference, runReferenceF64, runReferenceQuantised } from "../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../network/random-model.ts";

const conv = (name: string, input: string, more: object = {}): Layer =>
  ({
    op: "conv2d",
    name,
    input,
    kernel: [3, 3],
    stride: 1,
    padding: "same",
    channels: 8,
    weights: `${name}.w`,
    bias: `${name}.b`,
    ...more,
  }) as Layer;
const norm = (name: string, input: string): Layer => ({
  op: "batch-norm",
  name,
  input,
  scale: `${name}.weight`,
  offset: `${name}.bias`,
  mean: `${name}.running_mean`,
  variance: `${name}.running_var`,
  epsilon: 1e-5,
});
const act = (name: string, input: string, activation: Activation): Layer => ({
  op: "activation",
  name,
  input,
  activation,
});
const net = (channels: number, ...layers: Layer[]): Network => ({
  name: "n",
  layers: [{ op: "input", name: "x", channels }, ...layers],
  output: layers.at(-1)!.name,
});

/** All operators of classifiers that int8 has, with a residual that keeps a normalisation from being folded. */
const everything = (activation: Activation): Network =>
  net(
    3,
    conv("stem", "x", { kernel: [7, 7], stride: 2, padding: 3, channels: 10 }),
    norm("stem.bn", "stem"),
    act("stem.act", "stem.bn", { kind: "relu" }),
    { op: "max-pool", name: "pool", input: "stem.act", kernel: [3, 3], stride: 2, padding: 1 },
    conv("dw", "pool", { kernel: [5, 5], channels: 10, depthwise: true }),
    norm("dw.bn", "dw"),
    act("dw.act", "dw.bn", activation),
    conv("project", "dw.act", { kernel: [1, 1], channels: 10 }),
    { op: "add", name: "sum", inputs: ["project", "pool"] },
    norm("pre", "sum"),
    act("pre.act", "pre", activation),
    conv("next", "pre.act", { channels: 10 }),
    { op: "add", name: "sum2", inputs: ["next", "sum"] },
    { op: "subsample", name: "short", input: "sum2", stride: 2, channels: 21, before: 5 },
    conv("strided", "sum2", { stride: 2, channels: 21 }),
    { op: "add", name: "sum3", inputs: ["strided", "short"] },
    { op: "channel-affine", name: "scaled", input: "sum3", scale: "gamma" },
    { op: "global-average-pool", name: "average", input: "scaled" },
    conv("head", "average", { kernel: [1, 1], padding: "valid", channels: 7 }),
  );

const ACTIVATIONS: readonly Activation[] = [
  { kind: "hard-swish" },
  { kind: "gelu" },
  { kind: "relu6" },
  { kind: "mixed", of: "hard-swish", amount: 0.3 },
];

async function checkF32(model: Model, input: FeatureMap<Float32Array>, bound: number): Promise<void> {
  const compiled = await compile(model);
  const expected = runReferenceF64(model, input).get(model.network.output)!;
  expect(relativeError(compiled.run(input).data, expected)).toBeLessThanOrEqual(bound);
  // A second run finds the same constants.
  expect(relativeError(compiled.run(input).data, expected)).toBeLessThanOrEqual(bound);
  compiled.dispose();
}

async function checkInt8(model: Model, input: FeatureMap<Float32Array>): Promise<void> {
  const quantised = quantise(model, calibrate(model, [input], runReference));
  const compiled = await compile(quantised);
  const params = compiled.inputQuantization!;
  const data = Int8Array.from(input.data, (value) => quantizeValue(value, params));
  const expected = runReferenceQuantised(quantised, { shape: input.shape, data });
  expect(compiled.runInt8({ shape: input.shape, data }).data).toEqual(expected.get(quantised.network.output));
  compiled.dispose();
}

describe("operators of classifiers", () => {
  it.each(ACTIVATIONS)("f32 is near the oracle and int8 equal to it, odd sizes, $kind", async (activation) => {
    for (const [height, width] of [
      [33, 41],
      [16, 17],
      [5, 1],
    ] as const) {
      const model = randomModel(everything(activation), height);
      const input = randomMap(seeded(width), [height, width, 3], -1, 1);
      await checkF32(model, input, 1e-5);
      await checkInt8(model, input);
    }
  });

  it("layer normalisation, layer scale and GELU, odd channels, as in ConvNeXt", async () => {
    const network = net(
      3,
      conv("stem", "x", { kernel: [4, 4], stride: 4, padding: "valid", channels: 13 }),
      { op: "layer-norm", name: "ln", input: "stem", scale: "ln.w", offset: "ln.b", epsilon: 1e-6 },
      conv("dw", "ln", { kernel: [7, 7], padding: 3, channels: 13, depthwise: true }),
      { op: "layer-norm", name: "ln2", input: "dw", scale: "ln2.w", offset: "ln2.b", epsilon: 1e-6 },
      conv("up", "ln2", { kernel: [1, 1], channels: 51 }),
      act("gelu", "up", { kind: "gelu" }),
      conv("down", "gelu", { kernel: [1, 1], channels: 13 }),
      { op: "channel-affine", name: "gamma", input: "down", scale: "gamma.w" },
      { op: "add", name: "y", inputs: ["gamma", "ln"] },
    );
    const model = randomModel(network);
    await checkF32(model, randomMap(seeded(4), [33, 30, 3], -1, 1), 1e-5);
    await checkInt8(model, randomMap(seeded(4), [33, 30, 3], -1, 1));
  });

  it("transposed convolution, f32 and int8", async () => {
    const up: Layer = {
      op: "conv2d-transpose",
      name: "up",
      input: "a",
      kernel: [9, 9],
      stride: 3,
      channels: 2,
      weights: "w",
      bias: "b",
    };
    const model = randomModel(net(1, conv("a", "x", { activation: { kind: "prelu", slope: "s" } }), up));
    const input = randomMap(seeded(9), [7, 10, 1], -1, 1);
    await checkF32(model, input, 1e-5);
    await checkInt8(model, input);
  });

  it("strips give the bits of the whole where maps stay maps", async () => {
    const network = net(
      2,
      conv("a", "x", { padding: 2, kernel: [5, 5] }),
      act("b", "a", { kind: "hard-swish" }),
      { op: "max-pool", name: "pool", input: "b", kernel: [3, 3], stride: 2, padding: 1 },
      { op: "subsample", name: "c", input: "pool", stride: 2, channels: 11, before: 1 },
      conv("d", "c", { depthwise: true, channels: 11, stride: 2 }),
      { op: "layer-norm", name: "y", input: "d", scale: "y.w", offset: "y.b", epsilon: 1e-6 },
    );
    const model = randomModel(network);
    const kernels = await instantiateKernels();
    const compiled = await compile(model, { kernels });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 40 }), (height, stripRows) => {
        const input = randomMap(seeded(height), [height, 9, 2], -1, 1);
        const whole = compiled.run(input);
        const plan = compiled.createPlan(height, 9, { stripRows });
        const data = new Float32Array(whole.data.length);
        compiled.runReal(plan, input.data, data);
        plan.dispose();
        expect(data).toEqual(whole.data);
      }),
      { numRuns: 40 },
    );
    compiled.dispose();
  });

  it("frees what it took, and refuses a padded 1x1", async () => {
    const kernels = await instantiateKernels();
    const model = randomModel(everything({ kind: "hard-swish" }));
    const input = randomMap(seeded(2), [20, 20, 3], -1, 1);
    const quantised = quantise(model, calibrate(model, [input], runReference));
    const both = async () => {
      for (const form of [model, quantised]) {
        const compiled = await compile(form, { kernels });
        compiled.run(input);
        compiled.dispose();
      }
    };
    await both();
    const { byteLength } = kernels.memory;
    // What stayed allocated would make memory grow sooner or later.
    const need = byteLength / 8;
    for (let i = 0; i < 10; i++) await both();
    kernels.memory.free(kernels.memory.allocate(need));
    expect(kernels.memory.byteLength).toBe(byteLength);
    const padded = randomModel(net(2, conv("a", "x", { kernel: [1, 1], padding: 1 })));
    await expect(compile(padded, { kernels })).rejects.toThrow('layer "a": there is no kernel for a padded 1x1');
  });
});

/** Whole networks, in int8: quantised networks give the oracle's bits. */
const SMALL = [
  ["resnet20-cifar", 32, 32],
  ["mobilenet-v2", 64, 33],
  ["ran-e-gt", 64, 64],
  ["ran-e-c", 33, 64],
  ["efficientnet-lite0-hswish", 64, 64],
  ["repvgg-a0", 32, 48],
  ["resnet18", 40, 33],
  ["fsrcnn", 13, 17],
] as const;

test.each(SMALL)(
  "%s at %ix%i in int8 is the oracle's, bit for bit",
  { timeout: 120_000 },
  async (id, height, width) => {
    const network = buildModel(id);
    const model = randomModel(network, 3);
    const channels = network.layers.flatMap((layer) => (layer.op === "input" ? [layer.channels] : []))[0]!;
    await checkInt8(model, randomMap(seeded(8), [height, width, channels], -1, 1));
  },
);

test("what prepare and lowerMixed leave has kernels", () => {
  const model = lowerMixed(prepare(randomModel(everything({ kind: "mixed", of: "gelu", amount: 0.5 }))));
  const ops = new Set(model.network.layers.map(({ op }) => op));
  expect([...ops].filter((op) => op === "batch-norm" || op === "conv2d-transpose" || op === "linear-block")).toEqual(
    [],
  );
});
