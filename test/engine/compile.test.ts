import { describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { sesr } from "../../src/models/sesr.ts";
import type { Layer, Model, Network } from "../../src/network/description.ts";
import { collapse } from "../../src/network/passes/collapse.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { type QuantisedModel, quantise } from "../../src/quantization/quantise.ts";
import { quantizeValue } from "../../src/quantization/requantize.ts";
import { runReference, runReferenceQuantised } from "../../src/reference/run.ts";
import { failEachAllocation } from "../_helpers/failing-memory.ts";
import { randomMap, randomModel, relativeError, seeded } from "../network/random-model.ts";

const conv = (name: string, input: string, extra: object = {}): Layer =>
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
    ...extra,
  }) as Layer;

/** One of everything, with unfused activations, adds, clips and a stride in the middle. */
const mixed: Network = {
  name: "mixed",
  layers: [
    { op: "input", name: "x", channels: 3 },
    conv("a", "x", { channels: 5, kernel: [5, 3], activation: { kind: "relu" } }),
    conv("b", "a", { channels: 9 }),
    { op: "activation", name: "b.act", input: "b", activation: { kind: "prelu", slope: "b.slope" } },
    { op: "add", name: "b.sum", inputs: ["b.act", "b"] },
    { op: "activation", name: "b.relu", input: "b.sum", activation: { kind: "relu" } },
    { op: "activation", name: "b.relu6", input: "b.sum", activation: { kind: "relu6" } },
    { op: "add", name: "c.in", inputs: ["b.relu", "b.relu6"] },
    conv("c", "c.in", { channels: 9, activation: { kind: "relu6" } }),
    { op: "clip", name: "c.clip", input: "c", min: 0.1, max: 2 },
    conv("one", "c.clip", { channels: 1, kernel: [1, 1] }),
    { op: "add", name: "d.in", inputs: ["one", "c.clip"] },
    conv("d", "d.in", { channels: 12, stride: 2, kernel: [1, 1], padding: "valid" }),
    { op: "depth-to-space", name: "y", input: "d", block: 2 },
  ],
  output: "y",
};

/** The offset's source and output are read long after both were made. */
const offsets: Network = {
  name: "offsets",
  layers: [
    { op: "input", name: "x", channels: 2 },
    { op: "offset", name: "x.low", input: "x", value: -0.5 },
    conv("a", "x.low", { channels: 2 }),
    conv("b", "a", { channels: 2 }),
    conv("c", "b", { channels: 2 }),
    { op: "add", name: "sum", inputs: ["c", "x.low"] },
    { op: "add", name: "y", inputs: ["sum", "x"] },
  ],
  output: "y",
};

function quantised(
  model: Model,
  pictures: readonly { shape: readonly [number, number, number]; data: Float32Array }[],
): QuantisedModel {
  return quantise(model, calibrate(model, pictures, runReference));
}

const random = seeded(7);

describe("the f32 engine", () => {
  test.each([
    ["a network with one of everything", mixed, [9, 14, 3]],
    ["an offset that lives long", offsets, [7, 6, 2]],
    ["SESR-M3 x2", sesr({ variant: "m3", scale: 2 }), [17, 11, 1]],
    ["SESR-M3 x4, expanded", sesr({ variant: "m3", scale: 4, form: "expanded" }), [8, 5, 1]],
    ["SESR-M5 x2 on one pixel", sesr({ variant: "m5", scale: 2 }), [1, 1, 1]],
  ] as const)("agrees with the oracle within 1e-5: %s", async (_, network, shape) => {
    const model = randomModel(network);
    const input = randomMap(random, shape);
    const compiled = await compile(model);
    const y = compiled.run(input);
    const expected = runReference(collapse(model), input).get(network.output)!;
    expect(relativeError(y.data, expected)).toBeLessThan(1e-5);
    compiled.dispose();
  });
});

test("f32 Winograd by name: near the direct network, which stays the default", async () => {
  const model = randomModel(sesr({ variant: "m5", scale: 2 }));
  const map = randomMap(random, [14, 19, 1]);
  const direct = await compile(model);
  expect(new Set([...direct.algorithms.values()].map(({ algorithm }) => algorithm))).toEqual(new Set(["direct"]));
  const expected = direct.run(map).data;
  for (const algorithm of ["winograd", "f4x4-3x3-complex", "f4x4-3x3-rational", "f2x2-5x5-rational"] as const) {
    const compiled = await compile(model, { algorithm });
    const kernels = [...compiled.algorithms.values()].map(({ kernel }) => kernel);
    expect(kernels.some((kernel) => /^f32_conv2d_c?f/.test(kernel))).toBe(true);
    expect(relativeError(compiled.run(map).data, expected)).toBeLessThan(1e-5);
    compiled.dispose();
  }
});

test("results go into an array of one's own, if it fits", async () => {
  const model = randomModel(sesr({ variant: "m3", scale: 2 }));
  const map = randomMap(random, [6, 7, 1]);
  for (const each of [model, quantised(model, [map])]) {
    using compiled = await compile(each);
    const output = new Float32Array(4 * 6 * 7);
    const expected = compiled.run(map).data;
    expect(compiled.run(map, output).data).toBe(output);
    expect(output).toEqual(expected);
    expect(() => compiled.run(map, new Float32Array(3))).toThrow("output: expected 168 values, got 3");
    expect(() => compiled.run(map, new Int8Array(168) as never)).toThrow(
      "output: expected Float32Array, got Int8Array",
    );
  }
  using int8 = await compile(quantised(model, [map]));
  const output = new Int8Array(4 * 6 * 7);
  const input = { shape: map.shape, data: new Int8Array(42).fill(7) };
  expect(int8.runInt8(input, output).data).toBe(output);
  expect(output).toEqual(int8.runInt8(input).data);
});

test("f32 ReLU6 clamps at 6", async () => {
  const network: Network = {
    name: "six",
    layers: [
      { op: "input", name: "x", channels: 1 },
      conv("y", "x", { channels: 1, kernel: [1, 1], activation: { kind: "relu6" } }),
    ],
    output: "y",
  };
  const weights = new Map([
    ["y.w", { shape: [1, 1, 1, 1], data: Float32Array.of(1) }],
    ["y.b", { shape: [1], data: Float32Array.of(0) }],
  ]);
  const compiled = await compile({ network, weights });
  expect(compiled.run({ shape: [1, 5, 1], data: Float32Array.of(-1, 0, 5.5, 6.25, 100) }).data).toEqual(
    Float32Array.of(0, 0, 5.5, 6, 6),
  );
});

describe("the int8 engine", () => {
  test.each([
    ["a network with one of everything", mixed, [9, 14, 3]],
    ["an offset that lives long", offsets, [7, 6, 2]],
    ["SESR-M5 x2", sesr({ variant: "m5", scale: 2 }), [23, 37, 1]],
    ["SESR-M3 x4", sesr({ variant: "m3", scale: 4 }), [8, 5, 1]],
    ["SESR-XL x2, 32 channels", sesr({ variant: "xl", scale: 2 }), [6, 9, 1]],
  ] as const)("equals the oracle bit for bit, whatever the algorithm: %s", async (_, network, shape) => {
    const model = quantised(randomModel(network), [randomMap(random, shape)]);
    const real = randomMap(random, shape);
    const params = model.tensors.get("x")!;
    const input = { shape: real.shape, data: Int8Array.from(real.data, (v) => quantizeValue(v, params)) };
    const expected = runReferenceQuantised(model, input).get(model.network.output)!;
    const five = network.layers.some((layer) => "kernel" in layer && String(layer.kernel) === "5,5");
    const named = ["f2x2-3x3", "f4x4-3x3-complex", ...(five ? (["f2x2-5x5-complex"] as const) : [])] as const;
    for (const algorithm of ["auto", "direct", "winograd", ...named] as const) {
      const compiled = await compile(model, { algorithm });
      expect(compiled.runInt8(input).data).toEqual(expected);
      // Real values in give the dequantised result of the same integers.
      const { scale, zeroPoint } = compiled.outputQuantization!;
      expect(compiled.run(real).data).toEqual(Float32Array.from(expected, (q) => (q - zeroPoint) * Math.fround(scale)));
      compiled.dispose();
    }
  });

  test("says what it chose and why; single layers may be told otherwise", async () => {
    const model = quantised(randomModel(sesr({ variant: "m5", scale: 2 })), [randomMap(random, [23, 37, 1])]);
    const layerAlgorithms = { "blocks.1.prelu": "f2x2-3x3", cells: "f2x2-5x5-complex" } as const;
    const compiled = await compile(model, { layerAlgorithms });
    const of = (layer: string) => compiled.algorithms.get(layer)!;
    expect(of("blocks.1.prelu")).toEqual({ algorithm: "f2x2-3x3", kernel: "qs8_conv2d_f2x2_3x3", reason: "asked for" });
    expect(of("cells")).toMatchObject({ algorithm: "f2x2-5x5-complex", kernel: "qs8_conv2d_cf2x2_5x5" });
    expect(of("blocks.0.prelu").algorithm).not.toBe("direct");
    expect(of("blocks.0.prelu").reason).toMatch(/^exact by the sums of its weights; .*x the speed of direct/);
    expect(of("first")).toMatchObject({ algorithm: "direct", kernel: "qs8_conv2d_4x8" });
    compiled.dispose();
    await expect(compile(model, { layerAlgorithms: { nothing: "direct" } })).rejects.toThrow(
      /^layerAlgorithms: expected names of first.*, got nothing$/,
    );
    await expect(compile(model, { layerAlgorithms: { cells: "fft" as never } })).rejects.toThrow(
      /layerAlgorithms.cells: expected auto, winograd, direct/,
    );
    for (const [cells, message] of [
      ["f2x2-3x3", "layerAlgorithms.cells: f2x2-3x3 has no int8 kernel for 5x5 with stride 1"],
      ["f2x2-5x5-rational", "layerAlgorithms.cells: f2x2-5x5-rational has no int8 kernel for 5x5 with stride 1"],
    ] as const) {
      await expect(compile(model, { layerAlgorithms: { cells } })).rejects.toThrow(message);
    }
    await expect(compile(model, { layerAlgorithms: new Map([["cells", "direct"]]) as never })).rejects.toThrow(
      "layerAlgorithms: expected a plain object, got a collection",
    );
    await expect(compile(model, { algorithm: "f2x2-5x5-rational" })).rejects.toThrow(
      "algorithm: f2x2-5x5-rational has no int8 kernel for any layer of this network",
    );
  });

  test("an allocation that fails, whichever, leaves nothing allocated", async () => {
    const kernels = await instantiateKernels();
    const model = randomModel(mixed);
    const map = randomMap(random, [6, 6, 3]);
    for (const each of [model, quantised(model, [map])]) {
      const make = async () => {
        const compiled = await compile(each, { kernels });
        try {
          compiled.run(map);
        } catch (error) {
          compiled.dispose();
          throw error;
        }
        return compiled;
      };
      expect(await failEachAllocation(kernels.memory, make)).toBeGreaterThan(10);
    }
  });

  test("scaled filters: as the twin, layer by layer, and no layer takes a rational F(4x4)", async () => {
    const model = quantised(randomModel(sesr({ variant: "m3", scale: 2 })), [randomMap(random, [12, 13, 1])]);
    const filterScaling = { bits: 9, granularity: "tap" } as const;
    const compiled = await compile(model, { filterScaling });
    const kinds = new Set([...compiled.algorithms.values()].map(({ algorithm }) => algorithm));
    expect(kinds).toContain("f4x4-3x3-complex");
    for (const kind of kinds) expect(["direct", "f4x4-3x3-complex", "f2x2-3x3", "f2x2-5x5-complex"]).toContain(kind);
    // Close to exact, and not the same.
    const exact = await compile(model);
    const map = randomMap(random, [12, 13, 1]);
    const [a, b] = [compiled.run(map).data, exact.run(map).data];
    expect(a).not.toEqual(b);
    expect(relativeError(a, b)).toBeLessThan(0.1);
    await expect(compile(model, { filterScaling: { bits: 3, granularity: "tap" } })).rejects.toThrow(
      "filterScaling.bits: expected an integer from 8 to 16, got 3",
    );
    // Checked even where no layer would use it, and by the time a layer fails nothing stays allocated.
    const kernels = await instantiateKernels();
    const before = kernels.memory.allocate(64);
    kernels.memory.free(before);
    const direct = { kernels, algorithm: "direct" } as const;
    await expect(compile(model, { ...direct, filterScaling: { bits: 8.5, granularity: "tap" } })).rejects.toThrow(
      /bits/,
    );
    const heavy = new Map(model.filters);
    const [name] = [...heavy.keys()].slice(-2);
    const filter = heavy.get(name!)!;
    heavy.set(name!, { ...filter, bias: filter.bias.map(() => 2 ** 30) });
    const scaled = { kernels, algorithm: "f4x4-3x3-complex", filterScaling } as const;
    const named = compile({ ...model, filters: heavy }, scaled);
    await expect(named).rejects.toThrow(new RegExp(`^layer "${name}": filterScaling: sums of output channel`));
    // Left to choose, that layer stays direct.
    const chosen = await compile({ ...model, filters: heavy }, { ...scaled, algorithm: "winograd" });
    expect(chosen.algorithms.get(name!)).toMatchObject({ algorithm: "direct", reason: /could leave int32/ });
    chosen.dispose();
    expect(kernels.memory.allocate(64)).toBe(before);
    const real = randomModel(sesr({ variant: "m3", scale: 2 }));
    await expect(compile(real, { filterScaling })).rejects.toThrow("filterScaling: expected with int8 networks only");
  });

  test("the network is fused: SESR runs one step a convolution", () => {
    const model = prepare(randomModel(sesr({ variant: "m5", scale: 2 })));
    expect(model.network.layers.map((layer) => layer.op)).toEqual([
      "input",
      "offset",
      ...new Array(7).fill("conv2d"),
      "depth-to-space",
      "clip",
    ]);
  });
});

describe("memory", () => {
  test("runs, sizes and compilations come and go without growth", async () => {
    const kernels = await instantiateKernels();
    const model = randomModel(sesr({ variant: "m3", scale: 2 }));
    const once = async (): Promise<void> => {
      const compiled = await compile(model, { kernels });
      for (const shape of [
        [30, 40, 1],
        [40, 30, 1],
        [5, 5, 1],
      ] as const) {
        for (let i = 0; i < 3; i++) compiled.run(randomMap(random, shape));
      }
      compiled.dispose();
    };
    await once();
    const bytes = kernels.memory.byteLength;
    for (let i = 0; i < 20; i++) await once();
    expect(kernels.memory.byteLength).toBe(bytes);
  });
});

describe("refusals", () => {
  test("weights are checked before anything is loaded", async () => {
    const model = randomModel(sesr({ variant: "m3", scale: 2 }));
    const weights = new Map(model.weights);
    weights.delete("first.bias");
    await expect(compile({ ...model, weights })).rejects.toThrow(expect.objectContaining({ code: "ERR_WEIGHTS" }));
  });

  test("inputs of the wrong shape, type and length, and use after dispose", async () => {
    const compiled = await compile(randomModel(sesr({ variant: "m3", scale: 2 })));
    const data = new Float32Array(12);
    expect(() => compiled.run({ shape: [3, 4, 2], data })).toThrow(/input: expected a shape \[h, w, 1\]/);
    expect(() => compiled.run({ shape: [3, 5, 1], data })).toThrow(/input: expected 15 values, got 12/);
    expect(() => compiled.run({ shape: [3, 4, 1], data: new Float64Array(12) as never })).toThrow(/Float32Array/);
    expect(() => compiled.runInt8({ shape: [3, 4, 1], data: new Int8Array(12) })).toThrow(/int8 network/);
    compiled.dispose();
    compiled.dispose();
    expect(() => compiled.run({ shape: [3, 4, 1], data })).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  });

  test("an unknown algorithm", async () => {
    const model = randomModel(sesr({ variant: "m3", scale: 2 }));
    await expect(compile(model, { algorithm: "fft" as never })).rejects.toThrow(/algorithm: expected/);
  });
});
