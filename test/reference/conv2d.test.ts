import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { convAxis } from "../../src/conv-axis.ts";
import type { FeatureMap } from "../../src/network/description.ts";
import { conv2dReal } from "../../src/reference/conv2d-f32.ts";
import { accumulateS8, type ConvS8Options, conv2dS8 } from "../../src/reference/conv2d-s8.ts";
import { roundHalfEven } from "../../src/rounding.ts";
import { type Random, relativeError, seeded } from "../network/random-model.ts";
import { naiveConvolution } from "./naive.ts";

const geometry = fc
  .record({
    height: fc.integer({ min: 1, max: 8 }),
    width: fc.integer({ min: 1, max: 8 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
    inputs: fc.integer({ min: 1, max: 3 }),
    out: fc.integer({ min: 1, max: 3 }),
    stride: fc.constantFrom(1, 2),
    padding: fc.constantFrom("same" as const, "valid" as const),
    seed: fc.integer({ min: 0, max: 1e6 }),
  })
  .filter(({ height, width, kernel, padding }) => padding === "same" || (height >= kernel[0] && width >= kernel[1]));

const integers = (random: Random, length: number, low: number, high: number) =>
  Array.from({ length }, () => low + Math.floor(random() * (high - low + 1)));

describe("conv2dReal", () => {
  it("equals a convolution over explicit padding: any kernel, stride, padding, channels", () => {
    fc.assert(
      fc.property(geometry, ({ height, width, kernel, inputs, out, stride, padding, seed }) => {
        const random = seeded(seed);
        const x = {
          shape: [height, width, inputs] as const,
          data: Float64Array.from({ length: height * width * inputs }, random),
        };
        const shape = [out, ...kernel, inputs] as const;
        const filter = { shape, weights: Float64Array.from({ length: out * kernel[0] * kernel[1] * inputs }, random) };
        const result = conv2dReal(x, filter, { stride, padding }, (length) => new Float64Array(length));
        const expected = naiveConvolution(x, filter, { stride, padding }, (sum, a, w) => sum + a * w);
        const axis = (n: number, k: number) => convAxis(n, k, stride, padding).size;
        expect(result.shape).toEqual([axis(height, kernel[0]), axis(width, kernel[1]), out]);
        expect(relativeError(result.data, expected.flat())).toBeLessThanOrEqual(1e-14);
      }),
      { numRuns: 60 },
    );
  });

  it("adds bias and residual before, activates, then adds what comes after, and rounds once", () => {
    const x = { shape: [1, 2, 1] as const, data: Float32Array.of(1, -1) };
    const filter = { shape: [2, 1, 1, 1] as const, weights: Float32Array.of(2, 3) };
    const make = (length: number) => new Float32Array(length);
    const base = { stride: 1, padding: "same", bias: Float32Array.of(0.5, -0.5) } as const;
    const full = { shape: [1, 2, 2] as const, data: Float32Array.of(10, 20, 30, 40) };
    const one = { shape: [1, 2, 1] as const, data: Float32Array.of(10, 20) };
    const run = (more: object) => [...conv2dReal(x, filter, { ...base, ...more }, make).data];
    expect(run({})).toEqual([2.5, 2.5, -1.5, -3.5]);
    expect(run({ activation: { kind: "relu" } })).toEqual([2.5, 2.5, 0, 0]);
    expect(run({ activation: { kind: "prelu", slopes: Float32Array.of(0.5, -1) } })).toEqual([2.5, 2.5, -0.75, 3.5]);
    expect(run({ residual: { map: full, position: "before-activation" }, activation: { kind: "relu6" } })).toEqual([
      6, 6, 6, 6,
    ]);
    expect(run({ residual: { map: full, position: "after-activation" }, activation: { kind: "relu" } })).toEqual([
      12.5, 22.5, 30, 40,
    ]);
    expect(run({ residual: { map: one, position: "before-activation" } })).toEqual([12.5, 12.5, 18.5, 16.5]);
  });

  it("refuses a filter of other channels and a valid kernel that does not fit", () => {
    const x = { shape: [2, 2, 1] as const, data: new Float32Array(4) };
    const make = (length: number) => new Float32Array(length);
    const run = (shape: readonly [number, number, number, number]) => () =>
      conv2dReal(x, { shape, weights: new Float32Array(99) }, { stride: 1, padding: "valid" }, make);
    expect(run([1, 1, 1, 2])).toThrow(
      expect.objectContaining({ code: "ERR_SHAPE", message: "filter: expected 1 input channels, got 2" }),
    );
    expect(run([1, 3, 1, 1])).toThrow(
      expect.objectContaining({ code: "ERR_SHAPE", message: "input: expected at least 3x1, got 2x2" }),
    );
  });
});

describe("conv2dS8", () => {
  it("accumulates as exact integers modulo 2^32, padding being the zero point", () => {
    fc.assert(
      fc.property(geometry, fc.integer({ min: -128, max: 127 }), (g, inputZeroPoint) => {
        const { height, width, kernel, inputs, out, stride, padding, seed } = g;
        const random = seeded(seed);
        const x = {
          shape: [height, width, inputs] as const,
          data: Int8Array.from(integers(random, height * width * inputs, -128, 127)),
        };
        const shape = [out, ...kernel, inputs] as const;
        const weights = Int8Array.from(integers(random, out * kernel[0] * kernel[1] * inputs, -128, 127));
        // Biases at the ends of int32, so that sums wrap.
        const bias = Int32Array.from({ length: out }, (_, o) => (o % 2 === 0 ? 2 ** 31 - 1 : -(2 ** 31)));
        const { data } = accumulateS8(x, { shape, weights }, { stride, padding, inputZeroPoint, bias });
        const options = { stride, padding, padValue: inputZeroPoint };
        const sums = naiveConvolution(x, { shape, weights }, options, (sum, a, w) => sum + (a - inputZeroPoint) * w);
        const expected = sums.flatMap((pixel) =>
          pixel.map((sum, o) => Number(BigInt.asIntN(32, BigInt(sum + bias[o]!)))),
        );
        expect([...data]).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it("equals the real convolution, rounded, where nothing is saturated and all scales are powers of two", () => {
    const random = seeded(5);
    const q = { shape: [6, 7, 3] as const, data: Int8Array.from(integers(random, 126, -128, 127)) };
    const shape = [4, 3, 3, 3] as const;
    const weights = Int8Array.from(integers(random, 108, -127, 127));
    const residual = Int8Array.from(integers(random, 42 * 4, -128, 127));
    const factors = Float32Array.of(0.25, 0.5, 0.125, 1);
    const options: ConvS8Options = {
      stride: 1,
      padding: "same",
      inputZeroPoint: -7,
      bias: Int32Array.from(integers(random, 4, -5000, 5000)),
      multipliers: new Float32Array(4).fill(2 ** -12),
      negativeMultipliers: Float32Array.of(2 ** -13, 0, -(2 ** -13), 2 ** -12),
      outputZeroPoint: 3,
      qmin: -128,
      qmax: 127,
      residual: { map: { shape: [6, 7, 4], data: residual }, zeroPoint: 11, multipliers: factors },
    };
    const real = conv2dReal(
      { shape: q.shape, data: Float64Array.from(q.data, (v) => v + 7) },
      { shape, weights: Float64Array.from(weights) },
      {
        stride: 1,
        padding: "same",
        bias: Float64Array.from(options.bias!),
        activation: { kind: "prelu", slopes: Float64Array.of(0.5, 0, -0.5, 1) },
      },
      (length) => new Float64Array(length),
    );
    const expected = real.data.map((v, i) => roundHalfEven(v * 2 ** -12 + (residual[i]! - 11) * factors[i % 4]!) + 3);
    const { data } = conv2dS8(q, { shape, weights }, options);
    expect([...data]).toEqual(Array.from(expected, (v) => Math.max(-128, Math.min(127, v)) + 0));
    const clamped = conv2dS8(q, { shape, weights }, { ...options, qmin: -2, qmax: 9 });
    expect([...clamped.data]).toEqual([...data].map((v) => Math.max(-2, Math.min(9, v))));
  });

  it("broadcasts a residual of one channel", () => {
    const x: FeatureMap<Int8Array> = { shape: [1, 2, 1], data: Int8Array.of(0, 0) };
    const options: ConvS8Options = {
      stride: 1,
      padding: "same",
      inputZeroPoint: 0,
      multipliers: Float32Array.of(1, 1),
      outputZeroPoint: 0,
      qmin: -128,
      qmax: 127,
      residual: {
        map: { shape: [1, 2, 1], data: Int8Array.of(5, 9) },
        zeroPoint: 1,
        multipliers: Float32Array.of(2, 2),
      },
    };
    const { data } = conv2dS8(x, { shape: [2, 1, 1, 1], weights: Int8Array.of(1, 1) }, options);
    expect([...data]).toEqual([8, 8, 16, 16]);
  });
});
