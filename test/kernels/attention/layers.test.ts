import fc from "fast-check";
import { expect, test } from "vitest";
import { instantiateAttentionKernels } from "../../../src/kernels/attention/load.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { l2Real } from "../../../src/reference/attention.ts";
import { addScaledF32 } from "../../../src/reference/attention-kernels.ts";
import { floatValues } from "../../_helpers/kernels.ts";
import { runF32, sameNumbers } from "../../_helpers/layers.ts";

const { memory, exports } = await instantiateAttentionKernels(await instantiateKernels());
const U = 2 ** -24;

const anyCase = fc.record({
  seed: fc.nat(),
  pixels: fc.integer({ min: 1, max: 40 }),
  channels: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 70, 192)),
});
const place = fc.record({ skew: fc.integer({ min: 0, max: 3 }), inPlace: fc.boolean() });

test("f32_add_scaled: the bits of a product and a sum, in place or not", () => {
  fc.assert(
    fc.property(anyCase, place, ({ seed, pixels, channels }, place) => {
      const a = floatValues(seed, pixels * channels);
      const b = floatValues(seed + 1, pixels * channels);
      for (const [i, special] of [Infinity, -Infinity, Number.NaN, 3e38, 2 ** -149].entries()) {
        if ((seed >> i) & 1) (i & 1 ? a : b)[(seed + i) % a.length] = special;
      }
      const gamma = floatValues(seed + 2, channels);
      const call = ([x, y, g]: number[], to: number): void => exports.f32_add_scaled(x!, y!, to, pixels, channels, g!);
      const y = runF32(memory, [a, b, gamma], a.length, call, place);
      expect(sameNumbers(y, addScaledF32(a, b, gamma))).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("f32_add_scaled: both inputs and the output the same", () => {
  const x = floatValues(1, 30);
  const gamma = floatValues(2, 10);
  const call = ([p, g]: number[], to: number): void => exports.f32_add_scaled(p!, p!, to, 3, 10, g!);
  expect(runF32(memory, [x, gamma], 30, call, { inPlace: true })).toEqual(addScaledF32(x, x, gamma));
});

test("f32_l2 is within three roundings of the real function, below epsilon and for the largest numbers too", () => {
  const magnitude = fc.constantFrom(1, 1e-13, 1e-30, 1e30);
  fc.assert(
    fc.property(anyCase, place, magnitude, ({ seed, pixels, channels }, place, magnitude) => {
      const x = floatValues(seed, pixels * channels).map((v) => v * magnitude);
      const call = ([from]: number[], to: number): void =>
        exports.f32_l2(from!, to, pixels, channels, channels * 4, channels * 4, 1e-12);
      const y = runF32(memory, [x], x.length, call, place);
      for (const [i, e] of l2Real(x, channels, Math.fround(1e-12)).entries()) {
        expect(Math.abs(y[i]! - e)).toBeLessThanOrEqual(3.01 * U * Math.abs(e) + 2 ** -149);
      }
    }),
    { numRuns: 200 },
  );
});

test("f32_l2 between strides of its own: what lies between tokens stays as it is", () => {
  const x = floatValues(1, 9 * 21);
  const call = ([from]: number[], to: number): void => exports.f32_l2(from!, to, 9, 6, 21 * 4, 7 * 4, 1e-12);
  const y = runF32(memory, [x], 8 * 7 + 6, call);
  const own = Float32Array.from({ length: 54 }, (_, i) => x[Math.floor(i / 6) * 21 + (i % 6)]!);
  const untouched = new Float32Array(Uint8Array.of(0xcd, 0xcd, 0xcd, 0xcd).buffer)[0];
  for (const [i, e] of l2Real(own, 6, 1e-12).entries()) {
    expect(Math.abs(y[Math.floor(i / 6) * 7 + (i % 6)]! - e)).toBeLessThanOrEqual(3.01 * U * Math.abs(e));
  }
  for (let n = 0; n < 8; n++) expect(y[n * 7 + 6]).toBe(untouched);
});
