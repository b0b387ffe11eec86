import fc from "fast-check";
import { expect, test } from "vitest";
import { PackedConvolution } from "../../src/kernels/convolution/packed.ts";
import type { ConvSpecF32, ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { anyCase, both, fits } from "../_helpers/conv-cases.ts";
import { runConvolution } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();

test("up to four output channels equal the oracle bit for bit, to many input channels and any width", () => {
  const sizes = fc.record({
    oc: fc.integer({ min: 1, max: 4 }),
    ic: fc.oneof(fc.constantFrom(2, 4, 5, 7, 16, 511), fc.integer({ min: 1, max: 40 })),
    width: fc.oneof(fc.integer({ min: 1, max: 26 }), fc.constantFrom(64, 121)),
  });
  fc.assert(
    fc.property(anyCase, sizes, fc.integer({ min: 1, max: 7 }), (c, size, kh) => {
      const layer = { ...c, ...size, kh };
      fc.pre(fits(layer));
      const { kernel, oracle } = both(kernels, layer, "direct");
      expect(kernel).toEqual(oracle);
    }),
    { numRuns: process.env.WASMOGRAD_SLOW ? 2000 : 250 },
  );
});

function spec(dtype: "s8" | "f32", ic: number, size: number, stride: number): ConvSpecS8 | ConvSpecF32 {
  const common = { ic, oc: 3, kh: size, kw: size, stride, algorithm: "direct" } as const;
  const length = 3 * size * size * ic;
  return dtype === "f32"
    ? {
        dtype,
        ...common,
        weights: new Float32Array(length).fill(1),
        bias: new Float32Array(3),
        minimum: Number.NEGATIVE_INFINITY,
        maximum: Number.POSITIVE_INFINITY,
      }
    : {
        dtype,
        ...common,
        weights: new Int8Array(length),
        bias: new Int32Array(3),
        multipliers: new Float32Array(3).fill(1),
        inputZeroPoint: 0,
        outputZeroPoint: 0,
        qmin: -128,
        qmax: 127,
      };
}

test.each([
  ["s8", 16, 5, 1, "qs8_conv2d_8x4"],
  ["s8", 2, 3, 1, "qs8_conv2d_8x4"],
  ["s8", 1, 5, 1, "qs8_conv2d_6x4"],
  ["s8", 3, 5, 1, "qs8_conv2d_6x4"],
  ["s8", 16, 1, 1, "qs8_conv2d_6x4"],
  ["s8", 16, 5, 2, "qs8_conv2d_6x4"],
  ["f32", 1, 5, 1, "f32_conv2d_8x4"],
  ["f32", 16, 3, 2, "f32_conv2d_6x4"],
] as const)("%s, %i channels, kernel %i, stride %i: %s", (dtype, ic, size, stride, kernel) => {
  const packed = new PackedConvolution(kernels, spec(dtype, ic, size, stride));
  packed.dispose();
  expect(packed.kernel).toBe(kernel);
});

test("f32: infinities and NaN reach the pixels whose windows hold them, and no others", () => {
  const [h, w, ic] = [7, 21, 5];
  for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    const x = new Float32Array(h * w * ic).fill(1);
    x[(3 * w + 9) * ic + 4] = bad;
    const y = runConvolution(kernels, spec("f32", ic, 3, 1), [h, w, ic], "same", x);
    for (const [i, v] of y.entries()) {
      const [oy, ox] = [Math.floor(i / 3 / w), Math.floor(i / 3) % w];
      const hit = Math.abs(oy - 3) <= 1 && Math.abs(ox - 9) <= 1;
      if (hit) expect(v, `${oy},${ox}`).toBe(bad);
      else expect(Number.isFinite(v), `${oy},${ox}`).toBe(true);
    }
  }
});
