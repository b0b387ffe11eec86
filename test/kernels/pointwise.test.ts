import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConvolutionCall } from "../../src/kernels/convolution/call.ts";
import { convGeometry } from "../../src/kernels/convolution/geometry.ts";
import { PackedConvolution } from "../../src/kernels/convolution/packed.ts";
import type { ConvSpecF32 } from "../../src/kernels/convolution/spec.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { anyCase, both } from "../_helpers/conv-cases.ts";
import { floatValues, runConvolution } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const f = Math.fround;

const sizes = {
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 13 }),
  ic: fc.oneof(fc.constantFrom(1, 2, 3, 7, 8, 9, 64, 511), fc.integer({ min: 1, max: 40 })),
  oc: fc.oneof(fc.constantFrom(5, 8, 13, 16), fc.integer({ min: 5, max: 40 })),
};

function specF32(ic: number, oc: number, stride: number, change: Partial<ConvSpecF32> = {}): ConvSpecF32 {
  return {
    dtype: "f32",
    ic,
    oc,
    kh: 1,
    kw: 1,
    stride,
    weights: floatValues(1, oc * ic),
    bias: floatValues(2, oc),
    minimum: Number.NEGATIVE_INFINITY,
    maximum: Number.POSITIVE_INFINITY,
    algorithm: "direct",
    ...change,
  };
}

describe("pointwise convolution", () => {
  test("int8 equals the oracle bit for bit", () => {
    fc.assert(
      fc.property(anyCase, fc.record(sizes), (c, size) => {
        const { kernel, oracle } = both(kernels, { ...c, ...size, kh: 1, kw: 1 }, "direct");
        expect(kernel).toEqual(oracle);
      }),
      { numRuns: process.env.WASMOGRAD_SLOW ? 2000 : 200 },
    );
  });

  test("f32: the bits of the same sum in the order of the channels, slopes, clamps and residuals included", () => {
    const options = { ...sizes, seed: fc.nat(), stride: fc.constantFrom(1, 2), slopes: fc.boolean() };
    const cases = fc.record({ ...options, clamp: fc.boolean(), residual: fc.boolean(), scaled: fc.boolean() });
    fc.assert(
      fc.property(cases, ({ height, width, ic, oc, seed, stride, ...c }) => {
        const shape = [height, width, ic] as const;
        const g = convGeometry(shape, oc, [1, 1], stride, "same");
        const [minimum, maximum] = c.clamp ? [-0.5, 0.75] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
        const x = floatValues(seed, height * width * ic);
        const slopes = floatValues(seed + 1, oc);
        const residual = c.residual ? floatValues(seed + 2, g.oh * g.ow * oc) : undefined;
        const scale = c.scaled ? floatValues(seed + 3, oc) : undefined;
        const spec = specF32(ic, oc, stride, {
          minimum,
          maximum,
          ...(c.slopes && { slopes }),
          ...(residual && { residual: { broadcast: false, ...(scale && { multipliers: scale }) } }),
        });
        const y = runConvolution(kernels, spec, shape, "same", x, residual);
        const expected = Float32Array.from({ length: y.length }, (_, i) => {
          const [pixel, o] = [Math.floor(i / oc), i % oc];
          const from = (Math.floor(pixel / g.ow) * stride * width + (pixel % g.ow) * stride) * ic;
          let t = spec.bias[o]!;
          for (let k = 0; k < ic; k++) t = f(t + f(x[from + k]! * spec.weights[o * ic + k]!));
          if (c.slopes && t < 0) t = f(t * slopes[o]!);
          if (residual) t = f(t + f(residual[i]! * (scale?.[o] ?? 1)));
          return Math.min(maximum, Math.max(minimum, t));
        });
        expect(y.every((v, i) => v === expected[i])).toBe(true);
      }),
      { numRuns: process.env.WASMOGRAD_SLOW ? 2000 : 200 },
    );
  });

  test("NaN stays in its pixel", () => {
    const x = new Float32Array(5 * 7).fill(1);
    x[2 * 7 + 3] = Number.NaN;
    const y = runConvolution(kernels, specF32(7, 9, 1), [1, 5, 7], "same", x);
    for (const [i, v] of y.entries()) expect(Number.isNaN(v), `output ${i}`).toBe(Math.floor(i / 9) === 2);
  });

  test("row ranges are the rows of the whole", () => {
    const { memory } = kernels;
    const packed = new PackedConvolution(kernels, specF32(10, 12, 2));
    const call = new ConvolutionCall(kernels, packed, convGeometry([9, 11, 10], 12, [1, 1], 2, "same"));
    const length = 5 * 6 * 12;
    const [x, y, scratch] = [9 * 11 * 40, length * 4, call.scratchBytes].map((bytes) => memory.allocate(bytes)) as [
      number,
      number,
      number,
    ];
    memory.f32.set(floatValues(3, 9 * 11 * 10), x >> 2);
    call.bind(x, y, 0, scratch);
    call.run();
    const whole = memory.f32.slice(y >> 2, (y >> 2) + length);
    memory.f32.fill(99, y >> 2, (y >> 2) + length);
    call.run(1, 3);
    const part = memory.f32.slice(y >> 2, (y >> 2) + length);
    const row = 6 * 12;
    expect(part.subarray(row, 3 * row)).toEqual(whole.subarray(row, 3 * row));
    expect([...part.subarray(0, row), ...part.subarray(3 * row)].every((v) => v === 99)).toBe(true);
    call.run(0, 1);
    call.run(3, 5);
    expect(memory.f32.slice(y >> 2, (y >> 2) + length)).toEqual(whole);
    for (const pointer of [x, y, scratch]) memory.free(pointer);
    call.dispose();
    packed.dispose();
  });

  test("named by their kernel size and channels", () => {
    const name = (spec: ConvSpecF32): string => {
      const packed = new PackedConvolution(kernels, spec);
      packed.dispose();
      return packed.kernel;
    };
    expect(name(specF32(4, 8, 1))).toBe("f32_conv2d_1x1_4x8");
    expect(name(specF32(4, 4, 1))).toBe("f32_conv2d_6x4");
    expect(name(specF32(4, 8, 1, { kw: 2, weights: floatValues(1, 64) }))).toBe("f32_conv2d_4x8");
  });
});
