import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiateLayerKernels } from "../../../src/kernels/layers/load.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { gelu, hardSwish } from "../../../src/network/activations.ts";
import { hardSwishF32 } from "../../../src/reference/activations.ts";
import { runF32 } from "../../_helpers/layers.ts";
import { random } from "../../_helpers/random.ts";

const kernels = await instantiateKernels();
const { memory, exports } = await instantiateLayerKernels(kernels);

const specials = [
  0,
  -0,
  Number.NaN,
  Infinity,
  -Infinity,
  3,
  -3,
  6,
  -6,
  6.125,
  -6.125,
  2 ** -149,
  -(2 ** -126),
  Math.fround(3.4028234e38),
  Math.fround(-3.4028234e38),
];
const value = fc.oneof(
  fc.constantFrom(...specials),
  fc.float(),
  fc.float({ min: -8, max: 8, noNaN: true }),
  fc.float({ min: -8, max: 8, noNaN: true }),
);
const values = fc.array(value, { minLength: 1, maxLength: 37 }).map((x) => Float32Array.from(x));
const place = { skew: fc.integer({ min: 0, max: 3 }), inPlace: fc.boolean() };

/** Numbers of every exponent and sign, and a dense set where the function bends. */
function sweep(): Float32Array {
  const next = random(7);
  const bits = new Uint32Array(2 ** 19).map((_, i) => i * 8192 + Math.floor(next() * 8192));
  const all = new Float32Array(bits.buffer).filter(Number.isFinite);
  const dense = Float32Array.from({ length: 2 ** 19 }, () => next() * 14 - 7);
  const joined = new Float32Array(all.length + dense.length);
  joined.set(all);
  joined.set(dense, all.length);
  return joined;
}

test("f32_hard_swish: the bits of the same operations in binary32", () => {
  fc.assert(
    fc.property(values, fc.record(place), (x, run) => {
      const y = runF32(memory, [x], x.length, ([from], to) => exports.f32_hard_swish(from!, to, x.length), run);
      expect(y).toEqual(x.map(hardSwishF32));
    }),
    { numRuns: 300 },
  );
});

test("f32_hard_swish is x from 3 on, -0 up to -3, and near the real function between", () => {
  const x = sweep();
  const y = runF32(memory, [x], x.length, ([from], to) => exports.f32_hard_swish(from!, to, x.length));
  const bad = x.filter((v, i) => {
    if (v >= 3) return y[i] !== v;
    if (v <= -3) return y[i] !== 0;
    // Three roundings, of which that of v + 3 counts most.
    return !(Math.abs(y[i]! - hardSwish(v)) <= 2 ** -24 * (Math.abs(v) + 3 * Math.abs(hardSwish(v))) + 2 ** -149);
  });
  expect(bad.length).toBe(0);
});

describe("f32_gelu", () => {
  const bound = (v: number): number => 2e-7 * Math.max(1, Math.abs(v));

  test("is within 2e-7 * max(1, |x|) of the exact form for numbers of every size", () => {
    const x = sweep();
    const y = runF32(memory, [x], x.length, ([from], to) => exports.f32_gelu(from!, to, x.length));
    const bad = x.filter((v, i) => !(Math.abs(y[i]! - gelu(v)) <= bound(v)));
    expect([...bad.subarray(0, 5)]).toEqual([]);
    const far = x.filter((v, i) => Math.abs(v) >= 6.125 && y[i] !== Math.max(v, 0));
    expect(far.length).toBe(0);
  });

  test("any count, in place or not, at any address; a value's result does not depend on its place", () => {
    fc.assert(
      fc.property(values, fc.record(place), (x, run) => {
        const y = runF32(memory, [x], x.length, ([from], to) => exports.f32_gelu(from!, to, x.length), run);
        for (const [i, v] of x.entries()) {
          const single = runF32(memory, [x.subarray(i, i + 1)], 1, ([from], to) => exports.f32_gelu(from!, to, 1));
          expect(y[i]).toBe(single[0]);
          if (Number.isNaN(v)) expect(y[i]).toBeNaN();
          else if (Number.isFinite(v)) expect(Math.abs(y[i]! - gelu(v))).toBeLessThanOrEqual(bound(v));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("infinities, NaN and zeros", () => {
    const x = Float32Array.of(Infinity, -Infinity, Number.NaN, 0, -0);
    const y = runF32(memory, [x], 5, ([from], to) => exports.f32_gelu(from!, to, 5));
    expect(y).toEqual(Float32Array.of(Infinity, 0, Number.NaN, 0, -0));
  });
});

test("no value: nothing is read or written", () => {
  const empty = new Float32Array(0);
  runF32(memory, [empty], 0, ([from], to) => exports.f32_gelu(from!, to, 0));
  runF32(memory, [empty], 0, ([from], to) => exports.f32_hard_swish(from!, to, 0));
});
