import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiateLayerKernels } from "../../../src/kernels/layers/load.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { channelAffine, layerNorm, moments } from "../../../src/reference/normalisation.ts";
import { floatValues } from "../../_helpers/kernels.ts";
import { runF32, sameNumbers } from "../../_helpers/layers.ts";

const kernels = await instantiateKernels();
const { memory, exports } = await instantiateLayerKernels(kernels);
const real = (length: number): Float64Array => new Float64Array(length);
const f32 = (length: number): Float32Array => new Float32Array(length);
const U = 2 ** -24;

const anyCase = fc.record({
  seed: fc.nat(),
  pixels: fc.integer({ min: 1, max: 6 }),
  channels: fc.oneof(fc.constantFrom(1, 2, 3, 7, 8, 9, 96, 511), fc.integer({ min: 1, max: 40 })),
  inPlace: fc.boolean(),
  skew: fc.integer({ min: 0, max: 3 }),
});

test("f32_channel_affine: one rounding an operation, with and without an offset", () => {
  fc.assert(
    fc.property(anyCase, fc.boolean(), ({ seed, pixels, channels, ...run }, shifted) => {
      const x = floatValues(seed, pixels * channels);
      for (const [i, special] of [Infinity, -Infinity, Number.NaN, 3e38, 2 ** -149].entries()) {
        if ((seed >> i) & 1) x[(seed + i) % x.length] = special;
      }
      const [scale, offset] = [floatValues(seed + 1, channels), floatValues(seed + 2, channels)];
      const call = ([from, s, o]: number[], to: number): void =>
        exports.f32_channel_affine(from!, to, pixels, channels, s!, shifted ? o! : 0);
      const y = runF32(memory, [x, scale, offset], x.length, call, run);
      const map = { shape: [1, pixels, channels], data: x } as const;
      const expected = channelAffine(map, scale, shifted ? offset : undefined, f32, Math.fround);
      expect(sameNumbers(y, expected.data)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

describe("f32_layer_norm", () => {
  /** The bound at the head of assembly/layers/layer-norm.ts, for one value of a pixel with these moments. */
  function bound(pixel: Float32Array, x: number, y: number, scale: number, offset: number, epsilon: number): number {
    const { mean, variance } = moments(pixel);
    const n = pixel.length / 8 + 6;
    const s = Math.sqrt(variance + epsilon);
    const spread = pixel.reduce((sum, v) => sum + Math.abs(v - mean), 0) / pixel.length;
    const sums = 2 * n * (spread / s) + (n + 12) * (Math.abs(x - mean) / s);
    return U * (Math.abs(scale) * sums + 2 * Math.abs(y) + Math.abs(offset)) + 2 ** -140;
  }

  test("is within its bound of the real function, for means up to ten thousand times the spread", () => {
    const mean = fc.constantFrom(0, 1, -100, 1e4);
    const spread = fc.constantFrom(1, 1e-2, 30, 1e-6);
    const epsilon = fc.constantFrom(1e-6, 1e-5, 1e-12);
    fc.assert(
      fc.property(anyCase, mean, spread, epsilon, ({ seed, pixels, channels, ...run }, mean, spread, epsilon) => {
        const x = floatValues(seed, pixels * channels).map((v) => mean + spread * v);
        const [scale, offset] = [floatValues(seed + 1, channels), floatValues(seed + 2, channels)];
        const pixelOf = (i: number): Float32Array => x.subarray(i - (i % channels), i - (i % channels) + channels);
        for (let i = 0; i < x.length; i += channels) {
          const found = moments(pixelOf(i));
          const lost = (channels / 8 + 6) * U * Math.abs(found.mean);
          fc.pre(lost <= Math.sqrt(found.variance + epsilon) / 16);
        }
        const call = ([from, s, o]: number[], to: number): void =>
          exports.f32_layer_norm(from!, to, pixels, channels, s!, o!, epsilon);
        const y = runF32(memory, [x, scale, offset], x.length, call, run);
        const rounded = Math.fround(epsilon);
        const exact = layerNorm({ shape: [1, pixels, channels], data: x }, scale, offset, rounded, real).data;
        for (const [i, e] of exact.entries()) {
          const c = i % channels;
          const most = bound(pixelOf(i), x[i]!, e, scale[c]!, offset[c]!, rounded);
          expect(Math.abs(y[i]! - e), `value ${i} of ${channels} channels`).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 400 },
    );
  });

  test("a pixel of one value, or of one channel, becomes the offset; NaN and infinities stay in their pixel", () => {
    for (const channels of [1, 3, 8, 21, 511]) {
      const x = new Float32Array(4 * channels);
      x.fill(1234.567, 0, channels);
      x.set(floatValues(3, channels), channels);
      x.set(floatValues(4, channels), 2 * channels);
      x.set(floatValues(5, channels), 3 * channels);
      x[2 * channels - 1] = Number.NaN;
      x[2 * channels] = Infinity;
      const [scale, offset] = [floatValues(1, channels), floatValues(2, channels)];
      const call = ([from, s, o]: number[], to: number): void =>
        exports.f32_layer_norm(from!, to, 4, channels, s!, o!, 1e-6);
      const y = runF32(memory, [x, scale, offset], x.length, call);
      for (let c = 0; c < channels; c++) {
        expect(Math.abs(y[c]! - offset[c]!)).toBeLessThanOrEqual(2 ** -22);
        expect(y[channels + c]).toBeNaN();
        expect(y[2 * channels + c]).toBeNaN();
        expect(y[3 * channels + c]).not.toBeNaN();
      }
    }
  });
});
