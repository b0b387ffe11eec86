import fc from "fast-check";
import { expect, test } from "vitest";
import { MAGIC_BITS } from "../../src/kernels/convolution/params.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { dequantizeValue, FINE, quantizeValue, requantize, splitValue } from "../../src/quantization/requantize.ts";
import { withGuards } from "../_helpers/guard.ts";
import { floatValues, int8Values } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const { memory, exports } = kernels;
const f = Math.fround;

const int8 = fc.integer({ min: -128, max: 127 });
const shape = fc.record({
  seed: fc.nat(),
  pixels: fc.integer({ min: 1, max: 9 }),
  channels: fc.integer({ min: 1, max: 21 }),
  broadcast: fc.boolean(),
  inPlace: fc.boolean(),
  zeroA: int8,
  zeroB: int8,
  zero: int8,
  qmin: fc.integer({ min: -128, max: 0 }),
  qmax: fc.integer({ min: 0, max: 127 }),
});

test("qs8_add equals requantize of both operands", () => {
  fc.assert(
    fc.property(shape, (c) => {
      const count = c.pixels * c.channels;
      const a = int8Values(c.seed, count);
      const b = int8Values(c.seed + 1, c.broadcast ? c.pixels : count);
      const ma = f(0.37);
      const mb = f(1.61);
      const magicZero = MAGIC_BITS - c.zero;
      withGuards(memory, [count, b.length, count], ([pa, pb, to]) => {
        memory.i8.set(a, pa);
        memory.i8.set(b, pb);
        const out = c.inPlace ? pa! : to!;
        exports.qs8_add(
          pa!,
          pb!,
          out,
          c.pixels,
          c.channels,
          +c.broadcast,
          c.zeroA,
          ma,
          c.zeroB,
          mb,
          magicZero,
          magicZero + c.qmin,
          c.qmax,
        );
        const y = memory.i8.slice(out, out + count);
        const expected = a.map((v, i) => {
          const other = b[c.broadcast ? Math.floor(i / c.channels) : i]! - c.zeroB;
          return requantize(v - c.zeroA, ma, c.zero, c.qmin, c.qmax, other, mb);
        });
        expect(y).toEqual(expected);
      });
    }),
  );
});

test("qs8_prelu picks the multiplier by sign", () => {
  fc.assert(
    fc.property(shape, (c) => {
      const count = c.pixels * c.channels;
      const x = int8Values(c.seed, count);
      const negative = floatValues(c.seed + 1, c.channels);
      const m = f(0.8);
      const magicZero = MAGIC_BITS - c.zero;
      withGuards(memory, [count, Math.ceil(c.channels / 4) * 16, count], ([from, slopes, to]) => {
        memory.i8.set(x, from);
        memory.f32.set(negative, slopes! >> 2);
        const out = c.inPlace ? from! : to!;
        exports.qs8_prelu(from!, out, c.pixels, c.channels, c.zeroA, m, slopes!, magicZero, magicZero + c.qmin, c.qmax);
        const expected = x.map((v, i) => {
          const t = v - c.zeroA;
          return requantize(t, t < 0 ? negative[i % c.channels]! : m, c.zero, c.qmin, c.qmax);
        });
        expect(memory.i8.slice(out, out + count)).toEqual(expected);
      });
    }),
  );
});

test("s8_clamp", () => {
  fc.assert(
    fc.property(shape, (c) => {
      const count = c.pixels * c.channels;
      const x = int8Values(c.seed, count);
      withGuards(memory, [count, count], ([from, to]) => {
        memory.i8.set(x, from);
        exports.s8_clamp(from!, to!, count, c.qmin, c.qmax);
        expect(memory.i8.slice(to, to! + count)).toEqual(x.map((v) => Math.min(c.qmax, Math.max(c.qmin, v))));
      });
    }),
  );
});

test("f32_add, f32_prelu and f32_affine", () => {
  fc.assert(
    fc.property(shape, (c) => {
      const count = c.pixels * c.channels;
      const a = floatValues(c.seed, count);
      const b = floatValues(c.seed + 1, c.broadcast ? c.pixels : count);
      const slopes = floatValues(c.seed + 2, c.channels);
      const sizes = [count * 4, b.length * 4, Math.ceil(c.channels / 4) * 16, count * 4];
      withGuards(memory, sizes, ([pa, pb, ps, to]) => {
        memory.f32.set(a, pa! >> 2);
        memory.f32.set(b, pb! >> 2);
        memory.f32.set(slopes, ps! >> 2);
        const result = (): Float32Array => memory.f32.slice(to! >> 2, (to! >> 2) + count);
        exports.f32_add(pa!, pb!, to!, c.pixels, c.channels, +c.broadcast);
        expect(result()).toEqual(a.map((v, i) => v + b[c.broadcast ? Math.floor(i / c.channels) : i]!));
        exports.f32_prelu(pa!, to!, c.pixels, c.channels, ps!);
        expect(result()).toEqual(a.map((v, i) => (v < 0 ? v * slopes[i % c.channels]! : v)));
        exports.f32_affine(pa!, to!, count, f(1.3), 0.125, -0.5, 0.5);
        expect(result()).toEqual(a.map((v) => Math.min(0.5, Math.max(-0.5, f(f(v * f(1.3)) + 0.125)))));
      });
    }),
  );
});

const specials = [
  Number.NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1e30,
  -1e30,
  0.5,
  1.5,
  2.5,
  -0.5,
  -1.5,
  2 ** 22,
  -(2 ** 22),
  2 ** 24,
];
const reals = fc.array(fc.oneof(fc.constantFrom(...specials), fc.float(), fc.float({ min: -200, max: 200 })), {
  minLength: 1,
  maxLength: 23,
});
const scales = fc.constantFrom(1, 0.5, f(0.1), f(1 / 255), 3);

test("s8_quantize and f32_dequantize equal their definitions, specials included", () => {
  fc.assert(
    fc.property(reals, scales, int8, (values, scale, zeroPoint) => {
      const x = Float32Array.from(values);
      withGuards(memory, [x.length * 4, x.length, x.length * 4], ([from, to, back]) => {
        memory.f32.set(x, from! >> 2);
        exports.s8_quantize(from!, to!, x.length, 1 / scale, zeroPoint);
        const q = memory.i8.slice(to, to! + x.length);
        expect(q).toEqual(Int8Array.from(x, (v) => quantizeValue(v, { scale, zeroPoint })));
        exports.f32_dequantize(to!, back!, x.length, scale, zeroPoint);
        const real = memory.f32.slice(back! >> 2, (back! >> 2) + x.length);
        expect(real).toEqual(Float32Array.from(q, (v) => dequantizeValue(v, { scale, zeroPoint })));
      });
    }),
    { numRuns: 300 },
  );
});

test("s8_split equals its definition, specials included", () => {
  fc.assert(
    fc.property(reals, scales, int8, int8, (values, scale, zeroPoint, restZeroPoint) => {
      // Around -2^12 and 2^12 levels the parts leave int16.
      const x = Float32Array.from(values.flatMap((v) => [v, v + 4096 * scale, v - 4096 * scale])).slice(0, 23);
      withGuards(memory, [x.length * 4, x.length * 2], ([from, to]) => {
        memory.f32.set(x, from! >> 2);
        exports.s8_split(from!, to!, x.length, FINE / scale, zeroPoint, restZeroPoint);
        const parts = Array.from(x, (v) => splitValue(v, { scale, zeroPoint }, restZeroPoint));
        expect(memory.i8.slice(to, to! + x.length * 2)).toEqual(Int8Array.from(parts.flat()));
      });
    }),
    { numRuns: 300 },
  );
});
