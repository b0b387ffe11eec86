import { describe, expect, test } from "vitest";
import { createConv2d } from "../../src/kernels/conv2d.ts";
import type { Conv2dOptionsF32, Conv2dOptionsInt8 } from "../../src/kernels/conv2d-options.ts";
import { loadKernels } from "../../src/kernels/kernels.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { quantizeValue } from "../../src/quantization/requantize.ts";
import { conv2dS8 } from "../../src/reference/conv2d-s8.ts";
import { failEachAllocation } from "../_helpers/failing-memory.ts";
import { floatValues, int8Values } from "../_helpers/kernels.ts";

const kernels = await loadKernels();
const [H, W, C, O] = [9, 11, 6, 10];

const int8: Conv2dOptionsInt8 = {
  input: [1, H, W, C],
  kernel: [3, 3],
  weights: int8Values(1, O * 9 * C, -127),
  weightScales: Float32Array.from({ length: O }, (_, o) => 0.001 * (o + 1)),
  bias: Int32Array.from({ length: O }, (_, o) => 100 * o - 300),
  inputQuantization: { scale: 0.02, zeroPoint: 5 },
  outputQuantization: { scale: 0.05, zeroPoint: -20 },
};
const f32: Conv2dOptionsF32 = { input: [H, W, C], kernel: [3, 3], weights: floatValues(2, O * 9 * C) };
const x = int8Values(3, H * W * C);

function expected(activation: "none" | "relu" | "relu6" | "prelu"): Int8Array {
  const { inputQuantization: a, outputQuantization: b } = int8;
  const multipliers = Float32Array.from(int8.weightScales, (s) => (a.scale * s) / b.scale);
  const slopes = activation === "prelu" ? { negativeMultipliers: multipliers.map((m) => m * 0.25) } : {};
  return conv2dS8(
    { shape: [H, W, C], data: x },
    { shape: [O, 3, 3, C], weights: int8.weights },
    {
      stride: 1,
      padding: "same",
      inputZeroPoint: a.zeroPoint,
      outputZeroPoint: b.zeroPoint,
      bias: int8.bias!,
      multipliers,
      ...slopes,
      qmin: activation === "relu" || activation === "relu6" ? b.zeroPoint : -128,
      qmax: activation === "relu6" ? quantizeValue(6, b) : 127,
    },
  ).data;
}

describe("kernels.conv2d", () => {
  test.each(["none", "relu", "relu6", "prelu"] as const)(
    "int8 with %s equals the oracle, by every algorithm",
    (name) => {
      const activation = name === "prelu" ? { prelu: new Float32Array(O).fill(0.25) } : name;
      for (const algorithm of [
        "auto",
        "direct",
        "winograd",
        "f4x4-3x3-complex",
        "f4x4-3x3-rational",
        "f2x2-3x3",
      ] as const) {
        using conv = kernels.conv2d({ ...int8, activation, algorithm });
        expect(conv.outputShape).toEqual([H, W, O]);
        if (algorithm === "winograd") expect(conv.algorithm).not.toBe("direct");
        else if (algorithm !== "auto") expect(conv.algorithm).toBe(algorithm);
        expect(conv.reason).not.toBe("");
        expect(conv.run(x)).toEqual(expected(name));
      }
    },
  );

  test("y is filled and returned, and may be x", () => {
    using conv = kernels.conv2d({ ...f32, weights: floatValues(2, C * 9 * C) });
    const input = floatValues(4, H * W * C);
    const result = conv.run(input);
    const y = new Float32Array(H * W * C);
    expect(conv.run(input, y)).toBe(y);
    expect(y).toEqual(result);
    expect(conv.run(input, input)).toEqual(result);
  });

  test("a residual is added after the activation", () => {
    using plain = kernels.conv2d({ ...f32, activation: "relu" });
    using residual = kernels.conv2d({ ...f32, activation: "relu", residual: { channels: 1 } });
    const input = floatValues(4, H * W * C);
    const r = floatValues(5, H * W);
    const sum = plain.run(input).map((v, i) => v + r[Math.floor(i / O)]!);
    expect(residual.run(input, undefined, r)).toEqual(sum);
    expect(() => residual.run(input)).toThrow(/residual: expected Float32Array, got undefined/);
    expect(() => plain.run(input, undefined, r)).toThrow(/residual: this convolution was made without one/);
  });

  test("int8: ReLU cuts the sum, not the residual behind it", () => {
    const quantization = { scale: 0.03, zeroPoint: 9 };
    using conv = kernels.conv2d({ ...int8, activation: "relu", residual: { quantization } });
    const r = int8Values(8, H * W * O);
    const { inputQuantization: a, outputQuantization: b } = int8;
    const multipliers = Float32Array.from(int8.weightScales, (s) => (a.scale * s) / b.scale);
    const oracle = conv2dS8(
      { shape: [H, W, C], data: x },
      { shape: [O, 3, 3, C], weights: int8.weights },
      {
        stride: 1,
        padding: "same",
        inputZeroPoint: a.zeroPoint,
        outputZeroPoint: b.zeroPoint,
        bias: int8.bias!,
        multipliers,
        negativeMultipliers: new Float32Array(O),
        qmin: -128,
        qmax: 127,
        residual: {
          map: { shape: [H, W, O], data: r },
          zeroPoint: quantization.zeroPoint,
          multipliers: new Float32Array(O).fill(quantization.scale / b.scale),
        },
      },
    ).data;
    expect(conv.run(x, undefined, r)).toEqual(oracle);
    expect(oracle.some((q) => q < b.zeroPoint)).toBe(true);
  });

  const bad: [string, object, RegExp][] = [
    ["batch", { input: [2, H, W, C] }, /input: expected batch 1, got 2/],
    ["no rows", { input: [0, W, C] }, /input: expected 3 or 4 positive integers/],
    ["kernel", { kernel: [3] }, /kernel: expected 2 positive integers/],
    ["stride", { stride: 3 }, /stride: expected 1 or 2, got 3/],
    ["padding", { padding: "full" }, /padding: expected "same" or "valid", got full/],
    ["valid too small", { input: [2, 2, C], padding: "valid" }, /does not fit/],
    ["weights type", { weights: new Float64Array(4) }, /weights: expected Int8Array or Float32Array/],
    ["weights length", { weights: new Int8Array(7) }, /weights: expected a multiple of 3\*3\*6 = 54 values, got 7/],
    ["weight -128", { weights: new Int8Array(O * 54).fill(-128) }, /weights\[0\]: expected -127..127, got -128/],
    ["weight scales", { weightScales: [1] }, /weightScales: expected 10 values, got 1/],
    ["negative scale", { weightScales: new Float32Array(O).fill(-1) }, /weightScales\[0\]/],
    ["NaN scale", { weightScales: new Float32Array(O).fill(Number.NaN) }, /weightScales\[0\]/],
    ["bias length", { bias: new Int32Array(3) }, /bias: expected 10 values, got 3/],
    ["bias type", { bias: new Float32Array(O) }, /bias: expected Int32Array/],
    ["zero point", { inputQuantization: { scale: 1, zeroPoint: 128 } }, /inputQuantization: zeroPoint: expected/],
    ["zero scale", { outputQuantization: { scale: 0, zeroPoint: 0 } }, /outputQuantization: scale: expected/],
    ["no quantisation", { outputQuantization: undefined }, /outputQuantization: scale: expected/],
    ["activation", { activation: "gelu" }, /activation: expected/],
    ["slopes", { activation: { prelu: [1, 2] } }, /activation.prelu: expected 10 values, got 2/],
    ["no slopes", { activation: { prelu: null } }, /activation.prelu: expected an object, got null/],
    ["slopes out of range", { activation: { prelu: new Array(O).fill(1e30) } }, /activation.prelu\[0\]: slope/],
    [
      "residual scale out of range",
      { residual: { quantization: { scale: 1e30, zeroPoint: 0 } }, outputQuantization: { scale: 1e-6, zeroPoint: 0 } },
      /weightScales\[0\]|residual.quantization: expected a multiplier from 2\^-60 to 2\^60/,
    ],
    [
      "an f32 algorithm that there is not",
      { weights: new Float32Array(O * 54), algorithm: "f2x2-3x3" },
      /algorithm: f2x2-3x3 has no f32 kernel for 3x3 with stride 1/,
    ],
    [
      "filter scaling",
      { filterScaling: { bits: 7, granularity: "tap" } },
      /filterScaling.bits: expected an integer from 8/,
    ],
    [
      "filter scaling of f32",
      { weights: new Float32Array(O * 54), filterScaling: { bits: 9, granularity: "tap" } },
      /filterScaling: expected with int8 weights only/,
    ],
    ["no algorithm", { algorithm: null as never }, /algorithm: expected auto.*, got null/],
    [
      "filter scaling of direct",
      { algorithm: "direct", filterScaling: { bits: 9, granularity: "tap" } },
      /filterScaling: direct convolution has no such filters/,
    ],
    [
      "filter scaling of the rational algorithm",
      { algorithm: "f4x4-3x3-rational", filterScaling: { bits: 9, granularity: "tap" } },
      /filterScaling: f4x4-3x3-rational cannot, rounded filters give no multiples of 9/,
    ],
    ["NaN weight", { weights: new Float32Array(O * 54).fill(Number.NaN) }, /weights\[0\]: expected a finite number/],
    ["algorithm", { algorithm: "fft" }, /algorithm: expected/],
    [
      "winograd 7x7",
      { kernel: [7, 7], weights: new Int8Array(O * 49 * C), algorithm: "winograd" },
      /algorithm: winograd has no int8 kernel for 7x7 with stride 1/,
    ],
    [
      "residual",
      { residual: { quantization: { scale: 1, zeroPoint: 0 }, channels: 3 } },
      /residual.channels: expected 1 or 10/,
    ],
  ];
  test.each(bad)("refuses: %s", (name, change, message) => {
    const make = () => kernels.conv2d({ ...int8, ...change } as Conv2dOptionsInt8);
    const before = kernels.memoryBytes;
    expect(make).toThrow(message);
    expect(kernels.memoryBytes, name).toBe(before);
  });

  test("auto looks at the output's size: on 6 x 6 pixels tiles of 4 x 4 hang over", () => {
    const weights = int8Values(6, 64 * 9 * 64, -127);
    const layer = { ...int8, kernel: [3, 3] as const, weights, weightScales: new Float32Array(64).fill(0.001) };
    const { bias: _, ...plain } = layer;
    using small = kernels.conv2d({ ...plain, input: [6, 6, 64] });
    using large = kernels.conv2d({ ...plain, input: [64, 64, 64] });
    expect([small.algorithm, large.algorithm]).toEqual(["f2x2-3x3", expect.stringMatching(/^f4x4-3x3/)]);
  });

  test("scaled filters mean Winograd, even where direct would be faster", () => {
    const layer = { ...int8, input: [H, W, 1], weights: int8Values(5, O * 9, -127) };
    const filterScaling = { bits: 9, granularity: "tap" } as const;
    for (const algorithm of [undefined, "auto", "winograd"] as const) {
      using conv = kernels.conv2d({ ...layer, ...(algorithm && { algorithm }), filterScaling });
      expect(conv.algorithm).not.toBe("direct");
    }
    using exact = kernels.conv2d(layer);
    expect(exact.algorithm).toBe("direct");
  });

  test("refuses wrong arrays at run time, and use after dispose", () => {
    const conv = kernels.conv2d(int8);
    expect(() => conv.run(new Float32Array(x.length) as never)).toThrow(/x: expected Int8Array, got Float32Array/);
    expect(() => conv.run(x.subarray(1))).toThrow(/x: expected 594 values, got 593/);
    expect(() => conv.run(x, new Int8Array(3))).toThrow(/y: expected 990 values, got 3/);
    conv.dispose();
    conv.dispose();
    expect(() => conv.run(x)).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  });

  test("an allocation that fails, whichever, leaves nothing allocated", async () => {
    const instance = await instantiateKernels();
    const spec = { ...int8, residual: { quantization: { scale: 0.1, zeroPoint: 0 } } } as const;
    expect(await failEachAllocation(instance.memory, () => createConv2d(instance, spec))).toBe(6);
  });

  test("made, run and disposed of a thousand times: memory does not grow", () => {
    const cycle = (): void => {
      using conv = kernels.conv2d(int8);
      conv.run(x);
    };
    cycle();
    const bytes = kernels.memoryBytes;
    for (let i = 0; i < 1000; i++) cycle();
    expect(kernels.memoryBytes).toBe(bytes);
  });
});

test("quantize and dequantize", () => {
  const params = { scale: 0.1, zeroPoint: 3 };
  const values = Float32Array.of(-100, -0.05, 0, 0.04, 0.05, 0.15, 1, 100, Number.NaN);
  const q = kernels.quantize(values, params);
  expect(q).toEqual(Int8Array.from(values, (v) => quantizeValue(v, params)));
  expect(kernels.dequantize(q, params)[6]).toBeCloseTo(1, 6);
  expect(kernels.quantize(new Float32Array(0), params)).toEqual(new Int8Array(0));
  expect(() => kernels.quantize([1] as never, params)).toThrow(/values: expected Float32Array/);
  expect(() => kernels.dequantize(q, { scale: -1, zeroPoint: 0 })).toThrow(/params: scale/);
});
