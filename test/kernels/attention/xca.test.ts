import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiateAttentionKernels } from "../../../src/kernels/attention/load.ts";
import { xcaScratchBytes } from "../../../src/kernels/attention/scratch.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { mostXcaTokens } from "../../../src/quantization/attention-limits.ts";
import { softmax, type XcaSizes, xcaReal, xcaScores } from "../../../src/reference/attention.ts";
import { type AttentionQuantization, xcaS8 } from "../../../src/reference/attention-kernels.ts";
import {
  type Operands,
  type Placement,
  place,
  placement,
  quantization,
  runAttention,
  s8Arguments,
  size,
} from "../../_helpers/attention.ts";
import { floatValues, int8Values } from "../../_helpers/kernels.ts";

const { memory, exports } = await instantiateAttentionKernels(await instantiateKernels());
const U = 2 ** -24;

const sizes = fc.record({
  tokens: size,
  heads: fc.integer({ min: 1, max: 4 }),
  headChannels: fc.oneof({ weight: 3, arbitrary: size.map((c) => 1 + (c % 20)) }, size),
});

const temperaturesOf = (seed: number, heads: number, magnitude: number): Float32Array =>
  floatValues(seed + 9, heads).map((x) => (1.1 + x) * magnitude);

/** `call` gets the pointers, the temperatures' included. */
function withTemperatures<T>(temperatures: Float32Array, call: (pointer: number) => T): T {
  const pointer = memory.allocate(temperatures.byteLength);
  memory.f32.set(temperatures, pointer >> 2);
  try {
    return call(pointer);
  } finally {
    memory.free(pointer);
  }
}

function runF32(
  operands: Operands<Float32Array<ArrayBuffer>>,
  where: Placement,
  { tokens, heads, headChannels }: XcaSizes,
  temperatures: Float32Array,
): Float32Array {
  const scratchBytes = xcaScratchBytes("f32", tokens, headChannels);
  return withTemperatures(temperatures, (t) =>
    runAttention(memory, operands, where, [tokens, heads * headChannels], scratchBytes, (p) => {
      const strides = [p.stride, p.stride, p.stride, p.toStride] as const;
      exports.f32_xca(p.q, p.k, p.v, p.to, tokens, heads, headChannels, ...strides, t, p.scratch);
    }),
  );
}

function runS8(
  operands: Operands<Int8Array<ArrayBuffer>>,
  where: Placement,
  { tokens, heads, headChannels }: XcaSizes,
  temperatures: Float32Array,
  quantization: AttentionQuantization,
): Int8Array {
  const scratchBytes = xcaScratchBytes("int8", tokens, headChannels);
  return withTemperatures(temperatures, (t) =>
    runAttention(memory, operands, where, [tokens, heads * headChannels], scratchBytes, (p) => {
      const lengths = [tokens, heads, headChannels, p.stride, p.stride, p.stride, p.toStride] as const;
      exports.qs8_xca(p.q, p.k, p.v, p.to, ...lengths, t, ...s8Arguments(quantization), p.scratch);
    }),
  );
}

/**
 * What the roundings may add up to, for every result. Scores of normalised rows are at most the temperature; by Cauchy and Schwarz the sum of
 * the products' sizes is too. Products and sums: u a token; squares: half of that, in four sums; factors: 8 u. Behind them as in
 * attention.test.ts.
 */
function bounds({ q, k, v }: Operands<Float32Array>, sizes: XcaSizes, temperatures: Float32Array): Float64Array {
  const { tokens, heads, headChannels } = sizes;
  const width = heads * headChannels;
  const result = new Float64Array(tokens * width);
  for (let head = 0; head < heads; head++) {
    const first = head * headChannels;
    const temperature = temperatures[head]!;
    const scoreError = temperature * (1.25 * tokens + 12) * U;
    for (const [a, row] of xcaScores(q, k, sizes, first, temperature).entries()) {
      const p = softmax(row);
      const most = Math.max(...row);
      const off = row.map((s) => Math.expm1(1.01 * (scoreError + (3.7 + (most - s)) * U + headChannels * U)));
      const sumOff = p.reduce((sum, x, b) => sum + x * off[b]!, 0);
      for (let n = 0; n < tokens; n++) {
        let [direct, all] = [0, 0];
        for (let b = 0; b < headChannels; b++) {
          const value = Math.abs(v.data[v.first + n * v.stride + first + b]!);
          direct += p[b]! * value * off[b]!;
          all += p[b]! * value;
        }
        result[n * width + first + a] = 1.01 * (direct + all * (sumOff + 3 * U)) + headChannels * 2 ** -120;
      }
    }
  }
  return result;
}

function expectWithin(y: Float32Array, exact: Float64Array, most: Float64Array): void {
  expect(y.length).toBe(exact.length);
  for (const [i, e] of exact.entries()) {
    expect(Math.abs(y[i]! - e), `value ${i}: ${y[i]} for ${e}`).toBeLessThanOrEqual(most[i]!);
  }
}

describe("f32_xca", () => {
  test("is within its roundings of the real function, whatever the sizes and wherever q, k and v lie", () => {
    const magnitude = fc.constantFrom(1, 1e-6, 1e-13, 1e15);
    const hotness = fc.constantFrom(1, 10, 40);
    fc.assert(
      fc.property(sizes, placement, fc.nat(), magnitude, hotness, (sizes, where, seed, magnitude, hotness) => {
        const { tokens, heads, headChannels } = sizes;
        const values = (length: number) => Float32Array.from(floatValues(seed, length), (x) => x * magnitude);
        const operands = place(where, tokens, tokens, heads * headChannels, values);
        const temperatures = temperaturesOf(seed, heads, hotness);
        const y = runF32(operands, where, sizes, temperatures);
        const exact = xcaReal(operands.q, operands.k, operands.v, sizes, temperatures);
        expectWithin(y, exact, bounds(operands, sizes, temperatures));
      }),
      { numRuns: 250 },
    );
  });

  test("channels of zeros: scores of zero, the mean of the values", () => {
    const where = { place: "apart", gap: 0, skew: 0, garbage: 0xff } as const;
    const operands = place(where, 6, 6, 5, (length) => Float32Array.from(floatValues(1, length)));
    operands.data.fill(0, 0, operands.k.first);
    const y = runF32(operands, where, { tokens: 6, heads: 1, headChannels: 5 }, Float32Array.of(3));
    for (let n = 0; n < 6; n++) {
      const row = operands.data.subarray(operands.v.first + n * 5, operands.v.first + n * 5 + 5);
      const mean = row.reduce((sum, x) => sum + x, 0) / 5;
      for (let a = 0; a < 5; a++) expect(Math.abs(y[n * 5 + a]! - mean)).toBeLessThanOrEqual(8 * U);
    }
  });

  test("q = k: each channel attends most to itself, and a high temperature passes the values through", () => {
    const where = { place: "same", gap: 0, skew: 0, garbage: 0xff } as const;
    const operands = place(where, 33, 33, 12, (length) => Float32Array.from(floatValues(1, length)));
    const y = runF32(operands, where, { tokens: 33, heads: 1, headChannels: 12 }, Float32Array.of(1e4));
    expect(y).toEqual(operands.data);
  });
});

const values =
  (seed: number, extreme: boolean) =>
  (length: number): Int8Array<ArrayBuffer> =>
    extreme ? int8Values(seed, length, 0, 1).map((b) => (b ? 127 : -128)) : Int8Array.from(int8Values(seed, length));

describe("qs8_xca", () => {
  test("the oracle's bits, whatever the sizes, the zero points and the temperatures", () => {
    const hotness = fc.constantFrom(1, 10, 100);
    fc.assert(
      fc.property(sizes, placement, quantization, fc.nat(), fc.boolean(), hotness, (sizes, where, q, seed, ends, h) => {
        const { tokens, heads, headChannels } = sizes;
        const operands = place(where, tokens, tokens, heads * headChannels, values(seed, ends));
        const temperatures = temperaturesOf(seed, heads, h);
        const y = runS8(operands, where, sizes, temperatures, q);
        expect(y).toEqual(xcaS8(operands.q, operands.k, operands.v, sizes, temperatures, q));
      }),
      { numRuns: 300 },
    );
  });

  test("as many tokens as the zero points allow, all at the end of the range, do not overflow", () => {
    const where = { place: "side by side", gap: 0, skew: 0, garbage: 0xff } as const;
    for (const [zeroQ, zeroK, most] of [
      [-128, -128, 33025],
      [127, 127, 33025],
      [0, 0, 131071],
      // Squares of q sum up to more than 2^31.
      [-128, 0, 65793],
    ] as const) {
      expect(mostXcaTokens(zeroQ, zeroK)).toBe(most);
      const end = zeroQ === -128 ? 127 : -128;
      // Of every token: two channels of q and one of k at that end, one of k that alternates, and two values.
      const token = (n: number): number[] => [end, end, end, n & 1 ? 127 : -128, 100, -100];
      const operands = place(where, most, most, 2, (length) =>
        Int8Array.from({ length }, (_, i) => token(Math.floor(i / 6))[i % 6]!),
      );
      const sizes = { tokens: most, heads: 1, headChannels: 2 };
      const q = { zeroQ, zeroK, zeroV: 0, ratio: 0.5, zeroPoint: 0, qmin: -128, qmax: 127 };
      const temperatures = Float32Array.of(2);
      const y = runS8(operands, where, sizes, temperatures, q);
      const expected = xcaS8(operands.q, operands.k, operands.v, sizes, temperatures, q);
      expect(y.findIndex((value, i) => value !== expected[i])).toBe(-1);
    }
  });

  test("channels at their zero point: scores of zero, the mean of the values", () => {
    const where = { place: "apart", gap: 0, skew: 0, garbage: 0xff } as const;
    const operands = place(where, 4, 4, 3, (length) => new Int8Array(length).fill(7));
    operands.data.set([10, 20, 30], operands.v.first);
    const q = { zeroQ: 7, zeroK: 7, zeroV: 0, ratio: 1, zeroPoint: 0, qmin: -128, qmax: 127 };
    const y = runS8(operands, where, { tokens: 4, heads: 1, headChannels: 3 }, Float32Array.of(9), q);
    expect([...y.subarray(0, 6)]).toEqual([20, 20, 20, 7, 7, 7]);
  });

  test("is near the real function: within what rounding the weights and the result may do", () => {
    fc.assert(
      fc.property(sizes, placement, fc.nat(), (sizes, where, seed) => {
        const { tokens, heads, headChannels } = sizes;
        const operands = place(where, tokens, tokens, heads * headChannels, values(seed, false));
        const temperatures = temperaturesOf(seed, heads, 3);
        const q = { zeroQ: 3, zeroK: -7, zeroV: 11, ratio: 0.5, zeroPoint: 0, qmin: -128, qmax: 127 };
        const y = runS8(operands, where, sizes, temperatures, q);
        const less = (part: typeof operands.q, zero: number) => ({
          ...part,
          data: Float64Array.from(part.data, (x) => x - zero),
        });
        const [qReal, kReal, vReal] = [less(operands.q, 3), less(operands.k, -7), less(operands.v, 11)];
        const real = xcaReal(qReal, kReal, vReal, sizes, temperatures);
        const maps = Array.from(temperatures, (t, head) => xcaScores(qReal, kReal, sizes, head * headChannels, t));
        for (const [i, e] of real.entries()) {
          const [n, c] = [Math.floor(i / (heads * headChannels)), i % (heads * headChannels)];
          const head = Math.floor(c / headChannels);
          const first = head * headChannels;
          const row = maps[head]![c - first]!;
          const most = Math.max(...row);
          const weights = row.map((s) => 32767 * Math.exp(s - most));
          const off = weights.map((w) => 0.5 + 1.1e-4 * w);
          const total = weights.reduce((sum, w, b) => sum + w - off[b]!, 0);
          const apart = off.reduce((sum, o, b) => {
            const value = vReal.data[vReal.first + n * vReal.stride + first + b]!;
            return sum + o * Math.abs(value - e);
          }, 0);
          const expected = Math.min(127, Math.max(-128, e / 2));
          expect(Math.abs(y[i]! - expected)).toBeLessThanOrEqual(0.501 + (0.5 * apart) / total);
        }
      }),
      { numRuns: 12 },
    );
  });
});
