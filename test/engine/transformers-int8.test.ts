/** Layer normalisation, tokens and attention in int8: the engine bit for bit the oracle, and both near f32. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ATTENTION_MEMBERS, type AttentionOption } from "../../src/attention/family.ts";
import { gaugeFix } from "../../src/attention/gauge-fix.ts";
import { compile } from "../../src/engine/compile.ts";
import { convnextNetwork } from "../../src/models/convnext.ts";
import { visionTransformer } from "../../src/models/deit.ts";
import { crossCovarianceTransformer } from "../../src/models/xcit.ts";
import type { Layer, Model, Network } from "../../src/network/description.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { quantise } from "../../src/quantization/quantise.ts";
import { storeModel } from "../../src/quantization/stored-model.ts";
import { runReference, runReferenceQuantised } from "../../src/reference/run.ts";
import { bothInt8, cosine, quantisedOn, quantiseInput, realOutput, sqnr } from "../_helpers/int8.ts";
import { randomMap, randomModel, seeded } from "../network/random-model.ts";

const dense = (name: string, input: string, channels: number): Layer => ({
  op: "conv2d",
  name,
  input,
  kernel: [1, 1],
  stride: 1,
  padding: "valid",
  channels,
  weights: `${name}.w`,
  bias: `${name}.b`,
});
const norm = (name: string, input: string): Layer => ({
  op: "layer-norm",
  name,
  input,
  scale: `${name}.w`,
  offset: `${name}.b`,
  epsilon: 1e-6,
});
const net = (channels: number, ...layers: Layer[]): Network => ({
  name: "n",
  layers: [{ op: "input", name: "x", channels }, ...layers],
  output: layers.at(-1)!.name,
});
const inputChannels = ({ layers }: Network): number =>
  layers.flatMap((l) => (l.op === "input" ? [l.channels] : []))[0]!;

/** Pictures of one kind: what calibration sees, noise on a level, one level, and what lies far outside the calibrated range. */
const CONTENTS = ["seen", "flat", "constant", "beyond"] as const;
function picture(content: (typeof CONTENTS)[number], seed: number, shape: readonly [number, number, number]) {
  const map = randomMap(seeded(seed), shape, -1, 1);
  const of = {
    seen: (v: number) => v,
    flat: (v: number) => 0.7 + v / 50,
    constant: () => -0.3,
    beyond: (v: number) => 40 * v,
  };
  return { shape: map.shape, data: map.data.map(of[content]) };
}

async function checkBits(
  network: Network,
  size: readonly [number, number],
  seed: number,
  content: (typeof CONTENTS)[number],
): Promise<void> {
  const shape = [...size, inputChannels(network)] as const;
  const model = quantisedOn(randomModel(network, seed), [randomMap(seeded(seed), shape, -1, 1)]);
  const { engine, oracle } = await bothInt8(model, picture(content, seed + 1, shape));
  expect(engine).toEqual(oracle);
}

const sizes = { height: fc.integer({ min: 1, max: 7 }), width: fc.integer({ min: 1, max: 7 }) };
const content = fc.constantFrom(...CONTENTS);

describe("bit for bit the oracle", () => {
  it("attention, heads of their own and shared, of maps of any size, tokens alike, one token, values beyond the range", async () => {
    const attention = fc.record({
      ...sizes,
      heads: fc.constantFrom(1, 2, 4),
      own: fc.integer({ min: 1, max: 17 }),
      keyHeads: fc.constantFrom(1, 2, 4),
      valueHeads: fc.constantFrom(1, 2, 4),
      map: fc.constantFrom("softmax" as const, "xca" as const),
      seed: fc.nat(1e6),
      content,
    });
    await fc.assert(
      fc.asyncProperty(attention, async ({ height, width, heads, own, map, seed, content, ...shared }) => {
        const [keyHeads, valueHeads] = [Math.min(shared.keyHeads, heads), Math.min(shared.valueHeads, heads)];
        const temperature = map === "xca" ? { temperature: "t" } : {};
        const network = net(
          5,
          dense("q", "x", heads * own),
          dense("k", "x", keyHeads * own),
          dense("v", "x", valueHeads * own),
          { op: "attention", name: "y", q: "q", k: "k", v: "v", heads, keyHeads, valueHeads, map, ...temperature },
        );
        await checkBits(network, [height, width], seed, content);
      }),
      { numRuns: 120 },
    );
  });

  it("roles that share a tensor: Q = K, K = V, all three, the input itself", async () => {
    const roles = fc.constantFrom("qqv", "qkk", "qqq", "qxv", "xxx").map((names) => names.split(""));
    const map = fc.constantFrom("softmax" as const, "xca" as const);
    await fc.assert(
      fc.asyncProperty(
        roles,
        map,
        sizes.height,
        fc.nat(1e6),
        content,
        async ([q, k, v], map, height, seed, content) => {
          const made = ["q", "k", "v"].filter((role) => [q, k, v].includes(role));
          const temperature = map === "xca" ? { temperature: "t" } : {};
          const layer: Layer = { op: "attention", name: "y", q: q!, k: k!, v: v!, heads: 3, map, ...temperature };
          await checkBits(net(12, ...made.map((role) => dense(role, "x", 12)), layer), [height, 5], seed, content);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("tokens: positions computed and learnt, a class token, one query, the token put back and taken", async () => {
    const tokens = fc.record({ ...sizes, channels: fc.integer({ min: 1, max: 6 }), seed: fc.nat(1e6), content });
    await fc.assert(
      fc.asyncProperty(tokens, async ({ height, width, channels, seed, content }) => {
        const network = net(
          2 * channels,
          { op: "fourier-positions", name: "waves", input: "x", channels: 16 },
          dense("embedded", "waves", 2 * channels),
          { op: "add", name: "placed", inputs: ["x", "embedded"] },
          { op: "class-token", name: "tokens", input: "placed", weights: "cls" },
          { op: "positions", name: "learnt", input: "tokens", tokens: height * width + 1, weights: "pos" },
          norm("normed", "learnt"),
          { op: "take-token", name: "first", input: "normed" },
          { op: "attention", name: "asked", q: "first", k: "learnt", v: "normed", heads: 2, map: "softmax" },
          { op: "replace-token", name: "heard", inputs: ["normed", "asked"] },
          { op: "add", name: "sum", inputs: ["heard", "learnt"] },
          { op: "activation", name: "y", input: "sum", activation: { kind: "gelu" } },
        );
        await checkBits(network, [height, width], seed, content);
      }),
      { numRuns: 60 },
    );
  });

  it("layer normalisation of any width, in strips of a larger map too", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.nat(1e6), content, async (channels, seed, content) => {
        await checkBits(net(3, dense("a", "x", channels), norm("y", "a")), [5, 3], seed, content);
      }),
      { numRuns: 40 },
    );
    const network = net(3, dense("a", "x", 70), norm("b", "a"), dense("c", "b", 9), norm("y", "c"));
    const model = quantisedOn(randomModel(network, 3), [randomMap(seeded(1), [8, 9, 3], -1, 1)]);
    const input = quantiseInput(model, randomMap(seeded(2), [67, 9, 3], -1, 1));
    const compiled = await compile(model);
    const plan = compiled.createPlan(67, 9, { stripRows: 8 });
    expect(plan.strips).toBeGreaterThan(4);
    const y = new Int8Array(67 * 9 * 9);
    const { memory } = compiled.kernels;
    plan.run(
      (begin, end, to) => memory.i8.set(input.data.subarray(begin * 27, end * 27), to),
      (begin, end, from) => y.set(memory.i8.subarray(from, from + (end - begin) * 81), begin * 81),
    );
    expect(y).toEqual(runReferenceQuantised(model, input).get("y"));
    plan.dispose();
    compiled.dispose();
  });
});

const OTHERS: readonly AttentionOption[] = [{ v: "=k", o: "none" }, { grouping: 2 }];

const vit = (attention: AttentionOption): Network =>
  visionTransformer({
    name: "vit",
    channels: attention === "merged" ? 32 : 64,
    depth: 4,
    heads: attention === "merged" ? 1 : 4,
    patch: 4,
    input: [32, 32],
    classes: 100,
    attention,
  });
const xcit = (normsTokens: boolean, attention: AttentionOption = "standard"): Network =>
  crossCovarianceTransformer({ name: "xcit", channels: 64, depth: 2, heads: 4, normsTokens, classes: 100, attention });

interface Likeness {
  readonly cosine: number;
  readonly decibels: number;
}

/** Calibrated on three pictures, compared on two others: bits with the oracle, values with f32. */
async function likeness(model: Model, size: readonly [number, number]): Promise<Likeness> {
  const shape = [...size, inputChannels(model.network)] as const;
  const pictures = (...seeds: number[]) => seeds.map((seed) => randomMap(seeded(seed), shape, -1, 1));
  const quantised = quantisedOn(model, pictures(1, 2, 3));
  const results: { real: Float32Array; int8: Float32Array }[] = [];
  for (const picture of pictures(4, 5)) {
    const { engine, oracle } = await bothInt8(quantised, picture);
    expect(engine).toEqual(oracle);
    const real = runReference(prepare(model), picture).get(model.network.output)!;
    results.push({ real, int8: realOutput(quantised, engine) });
  }
  const [real, int8] = [results.flatMap((r) => [...r.real]), results.flatMap((r) => [...r.int8])];
  return { cosine: cosine(int8, real), decibels: sqnr(int8, real) };
}

describe("networks with random weights are bit for bit the oracle and near f32", () => {
  it.each([...ATTENTION_MEMBERS, ...OTHERS])("vision transformer, %j: cosine 0.999, 27 dB", async (member) => {
    const { cosine, decibels } = await likeness(randomModel(vit(member), 5), [32, 32]);
    expect(cosine).toBeGreaterThan(0.999);
    expect(decibels).toBeGreaterThan(27);
  });

  it.each([
    ["standard", true],
    ["standard", false],
    ["shared-qk", true],
    ["shared-kv", true],
    ["single", true],
    ["valueless", true],
  ] as const)(
    "cross-covariance transformer, %s, all tokens normalised %s: cosine 0.999, 27 dB",
    { timeout: 20_000 },
    async (member, normsTokens) => {
      const { cosine, decibels } = await likeness(randomModel(xcit(normsTokens, member), 5), [64, 48]);
      expect(cosine).toBeGreaterThan(0.999);
      expect(decibels).toBeGreaterThan(27);
    },
  );

  it("ConvNeXt, whose layer scales go into convolutions: cosine 0.999, 26 dB", async () => {
    const network = convnextNetwork("convnext", { depths: [1, 1, 1, 1], dims: [16, 24, 32, 40] });
    const { cosine, decibels } = await likeness(randomModel(network, 5), [64, 64]);
    expect(cosine).toBeGreaterThan(0.999);
    expect(decibels).toBeGreaterThan(26);
  });

  it("a vision transformer that gaugeFix has changed, its pivots written out: cosine 0.99", async () => {
    const { model } = gaugeFix(randomModel(vit("standard"), 5));
    expect((await likeness(model, [32, 32])).cosine).toBeGreaterThan(0.99);
  });
});

describe("clips behind these layers are their limits", () => {
  const shape = [3, 4, 8] as const;
  const clipped = (...layers: Layer[]): Network =>
    net(8, ...layers, { op: "clip", name: "y", input: layers.at(-1)!.name, min: -0.25, max: 0.5 });
  const attention: Layer = { op: "attention", name: "a", q: "x", k: "x", v: "x", heads: 2, map: "softmax" };
  it.each<[string, Network, boolean]>([
    ["layer-norm", clipped(norm("a", "x")), true],
    ["attention", clipped(attention), true],
    ["xca", clipped({ ...attention, map: "xca", temperature: "t" }), true],
    ["positions", clipped({ op: "positions", name: "a", input: "x", tokens: 12, weights: "p" }), true],
    [
      "replace-token",
      clipped({ op: "take-token", name: "t", input: "x" }, { op: "replace-token", name: "a", inputs: ["x", "t"] }),
      true,
    ],
    ["class-token", clipped({ op: "class-token", name: "a", input: "x", weights: "c" }), false],
    ["fourier-positions", clipped({ op: "fourier-positions", name: "a", input: "x", channels: 8 }), false],
  ])("%s", async (_, network, absorbed) => {
    const model = quantisedOn(randomModel(network, 4), [randomMap(seeded(2), shape, -1, 1)]);
    expect(model.network.layers.some(({ op }) => op === "clip")).toBe(!absorbed);
    const { engine, oracle } = await bothInt8(model, randomMap(seeded(3), shape, -3, 3));
    expect(engine).toEqual(oracle);
    const real = realOutput(model, engine);
    const half = model.tensors.get("y")!.scale / 2;
    expect(Math.min(...real)).toBeGreaterThanOrEqual(-0.25 - half);
    expect(Math.max(...real)).toBeLessThanOrEqual(0.5 + half);
    expect(Math.max(...real) - Math.min(...real)).toBeGreaterThan(0.5);
  });
});

test("a class token outside its input's range widens it: both are within half a step", () => {
  const network = net(4, dense("a", "x", 4), { op: "class-token", name: "y", input: "a", weights: "cls" });
  const model = randomModel(network, 2);
  const weights = new Map([...model.weights, ["cls", { shape: [4], data: Float32Array.of(-30, 1, 2, 50) }]]);
  const picture = randomMap(seeded(1), [3, 3, 4], -1, 1);
  const quantised = quantisedOn({ network, weights }, [picture]);
  expect(quantised.tensors.get("a")).toBe(quantised.tensors.get("y"));
  const { scale } = quantised.tensors.get("y")!;
  const real = runReference({ network, weights }, picture).get("y")!;
  const int8 = realOutput(quantised, runReferenceQuantised(quantised, quantiseInput(quantised, picture)).get("y")!);
  for (const [i, value] of int8.entries()) expect(Math.abs(value - real[i]!)).toBeLessThanOrEqual(0.6 * scale);
});

describe("refused in one line that names the layer", () => {
  const range = { min: -1, max: 1 };
  const refusal = (message: string, code = "ERR_UNSUPPORTED") => expect.objectContaining({ code, message });
  const attention = { op: "attention", name: "y", q: "x", k: "x", v: "x", heads: 1, map: "softmax" } as const;

  it("values of other widths than the queries'", () => {
    const model = randomModel(net(8, dense("v", "x", 12), { ...attention, v: "v", heads: 2 }));
    expect(() => quantise(model, { x: range, v: range, y: range })).toThrow(
      refusal("layer y: expected values of 4 channels a head in int8, got 6"),
    );
  });

  it("more channels than sums of int8 products can hold", () => {
    const wide = (channels: number, layer: Layer) => () =>
      quantise(randomModel(net(channels, layer)), { x: range, y: range });
    expect(wide(33026, attention)).toThrow(
      refusal("layer y: expected at most 33025 channels a head in int8, got 33026"),
    );
  });

  it("more keys than sums can hold, by the engine and the oracle", async () => {
    const cases = [
      [{}, 65793, range],
      [{ map: "xca", temperature: "t" }, 33025, { min: 0, max: 1 }],
    ] as const;
    for (const [more, most, range] of cases) {
      const model = quantise(randomModel(net(1, { ...attention, ...more })), { x: range, y: range });
      const message = `layer y: expected at most ${most} keys in int8, got ${most + 1}`;
      const compiled = await compile(model);
      expect(() => compiled.createPlan(most + 1, 1)).toThrow(refusal(message));
      compiled.dispose();
      const input = { shape: [most + 1, 1, 1] as const, data: new Int8Array(most + 1) };
      expect(() => runReferenceQuantised(model, input)).toThrow(refusal(message));
    }
  });

  it("scales far apart, and weights far beyond the output's range", () => {
    const tiny = { min: 0, max: 1e-25 };
    expect(() => quantise(randomModel(net(1, attention)), { x: range, y: tiny })).toThrow(
      expect.objectContaining({
        code: "ERR_QUANTIZATION",
        message: expect.stringMatching(/^layer y: expected a multiplier/),
      }),
    );
    expect(() => quantise(randomModel(net(2, norm("y", "x"))), { x: range, y: tiny })).toThrow(
      expect.objectContaining({
        code: "ERR_QUANTIZATION",
        message: expect.stringMatching(/^layer y: expected weights up to 2\^60 steps of the output, got /),
      }),
    );
  });

  it("a calibration that does not know the layer", () => {
    expect(() => quantise(randomModel(net(2, norm("y", "x"))), { x: range })).toThrow(
      refusal("calibration: expected a range of tensor y, got none", "ERR_QUANTIZATION"),
    );
  });

  it("storing: what is stored are networks that upscale", () => {
    const model = quantise(randomModel(net(2, norm("y", "x"))), { x: range, y: range });
    expect(() => storeModel(model)).toThrow(refusal("n: expected a network without tokens to store"));
  });
});
