import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiateLayerKernels } from "../../../src/kernels/layers/load.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import type { QuantisedNorm } from "../../../src/quantization/quantise-tokens.ts";
import { channelAffine, layerNorm, layerNormS8, moments } from "../../../src/reference/normalisation.ts";
import { floatValues, int8Values } from "../../_helpers/kernels.ts";
import { runF32, runS8, sameNumbers } from "../../_helpers/layers.ts";

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

describe("qs8_layer_norm", () => {
  const MAGIC_BITS = 0x4b400000;
  const wide = fc.oneof(
    fc.constantFrom(1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 192, 511),
    fc.integer({ min: 1, max: 70 }),
  );
  const arithmetic = fc.record({
    gain: fc.constantFrom(1, 20, 40, 2 ** -30, 2 ** 30),
    epsilon: fc.constantFrom(1e-6, 2 ** -100, 3, 1e6, 1e30),
    zeroPoint: fc.constantFrom(-128, -3, 0, 127),
    qmin: fc.constantFrom(-128, -128, -5),
    qmax: fc.constantFrom(127, 127, 60),
  });

  function run(x: Int8Array, channels: number, norm: QuantisedNorm, zeroPoint: number, place = {}): Int8Array {
    const { factors, offsets, epsilon, qmin, qmax } = norm;
    const call = ([from, f, o]: number[], to: number): void => {
      const [pixels, zero] = [x.length / channels, MAGIC_BITS - zeroPoint];
      exports.qs8_layer_norm(from!, to, pixels, channels, f!, o!, epsilon, zero, zero + qmin, qmax);
    };
    return runS8(memory, [x, factors, offsets], x.length, call, place);
  }

  /** Any values, two ends of the range, all equal, and all equal but for one. */
  const kinds: readonly ((seed: number, length: number) => Int8Array)[] = [
    (seed, length) => int8Values(seed, length),
    (seed, length) => int8Values(seed, length, 0, 1).map((b) => (b ? 127 : -128)),
    (seed, length) => new Int8Array(length).fill((seed % 256) - 128),
    (seed, length) => new Int8Array(length).fill(-128).fill(127, seed % length, (seed % length) + 1),
  ];

  test("the oracle's bits, whatever the sizes and the values, in place or not", () => {
    fc.assert(
      fc.property(anyCase, wide, arithmetic, fc.constantFrom(...kinds), (at, channels, arithmetic, values) => {
        const { seed, pixels, ...place } = at;
        const { gain, zeroPoint, ...rest } = arithmetic;
        const x = values(seed, pixels * channels);
        const [factors, offsets] = [1, 2].map((i) => floatValues(seed + i, channels).map((v) => v * gain)) as [
          Float32Array,
          Float32Array,
        ];
        const norm = { factors, offsets, ...rest };
        const expected = layerNormS8({ shape: [1, pixels, channels], data: x }, norm, zeroPoint);
        expect(run(x, channels, norm, zeroPoint, place)).toEqual(expected.data);
      }),
      { numRuns: 500 },
    );
  });

  test("the widest pixel, 65,793 channels at the ends of the range: the oracle's bits", () => {
    const channels = 65793;
    for (const values of kinds) {
      const norm = {
        factors: floatValues(1, channels).map((v) => 100 * v),
        offsets: floatValues(2, channels),
        epsilon: 1,
        qmin: -128,
        qmax: 127,
      };
      const x = values(12345, channels);
      expect(run(x, channels, norm, 3)).toEqual(layerNormS8({ shape: [1, 1, channels], data: x }, norm, 3).data);
    }
  });

  test("is the real function of the real values, rounded: within 0.501 steps", () => {
    fc.assert(
      fc.property(anyCase, fc.integer({ min: -128, max: 127 }), ({ seed, pixels, channels, ...place }, zeroIn) => {
        const [scaleIn, scaleOut, epsilon] = [0.037, 0.021, 1e-5];
        const x = int8Values(seed, pixels * channels);
        const [scale, offset] = [floatValues(seed + 1, channels), floatValues(seed + 2, channels)];
        const norm = {
          factors: scale.map((v) => v / scaleOut),
          offsets: offset.map((v) => v / scaleOut),
          epsilon: (channels ** 2 * epsilon) / scaleIn ** 2,
          qmin: -128,
          qmax: 127,
        };
        const real = Float64Array.from(x, (q) => scaleIn * (q - zeroIn));
        const exact = layerNorm(
          { shape: [1, pixels, channels], data: real },
          scale,
          offset,
          epsilon,
          (n) => new Float64Array(n),
        );
        const y = run(x, channels, norm, 0, place);
        for (const [i, e] of exact.data.entries()) {
          const steps = Math.min(127, Math.max(-128, e / scaleOut));
          expect(Math.abs(y[i]! - steps)).toBeLessThanOrEqual(0.501);
        }
      }),
      { numRuns: 100 },
    );
  });
});
