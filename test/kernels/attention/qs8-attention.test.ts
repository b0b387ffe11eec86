import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiateAttentionKernels } from "../../../src/kernels/attention/load.ts";
import { attentionScratchBytes } from "../../../src/kernels/attention/scratch.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { MOST_HEAD_CHANNELS_S8, MOST_KEYS_S8 } from "../../../src/quantization/attention-limits.ts";
import { type AttentionSizes, attentionReal, type Tokens } from "../../../src/reference/attention.ts";
import {
  type AttentionQuantization,
  attentionS8,
  weight,
  weightPeak,
} from "../../../src/reference/attention-kernels.ts";
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
import { int8Values } from "../../_helpers/kernels.ts";

const { memory, exports } = await instantiateAttentionKernels(await instantiateKernels());

const sizes = fc.record({
  // One query takes a way of its own.
  queries: fc.oneof({ weight: 2, arbitrary: size }, fc.constant(1)),
  keys: size,
  heads: fc.integer({ min: 1, max: 4 }),
  headChannels: fc.oneof({ weight: 3, arbitrary: size.map((c) => 1 + (c % 20)) }, size),
});

function run(
  operands: Operands<Int8Array<ArrayBuffer>>,
  where: Placement,
  { queries, keys, heads, headChannels }: AttentionSizes,
  scale: number,
  quantization: AttentionQuantization,
): Int8Array {
  const scratchBytes = attentionScratchBytes("int8", keys, headChannels);
  return runAttention(memory, operands, where, [queries, heads * headChannels], scratchBytes, (p) => {
    const lengths = [queries, keys, heads, headChannels, p.stride, p.stride, p.stride, p.toStride] as const;
    exports.qs8_attention(p.q, p.k, p.v, p.to, ...lengths, scale, ...s8Arguments(quantization), p.scratch);
  });
}

/** All 256 values, or the ends of the range alone. */
const values =
  (seed: number, extreme: boolean) =>
  (length: number): Int8Array<ArrayBuffer> =>
    extreme ? int8Values(seed, length, 0, 1).map((b) => (b ? 127 : -128)) : Int8Array.from(int8Values(seed, length));

describe("qs8_attention", () => {
  test("the oracle's bits, whatever the sizes, the zero points and the spread of the scores", () => {
    const spread = fc.constantFrom(0.01, 1, 5, 1000);
    fc.assert(
      fc.property(sizes, placement, quantization, fc.nat(), fc.boolean(), spread, (sizes, where, q, seed, ends, s) => {
        const { queries, keys, heads, headChannels } = sizes;
        const operands = place(where, queries, keys, heads * headChannels, values(seed, ends));
        const scale = Math.fround(s / (5000 * Math.sqrt(headChannels)));
        const y = run(operands, where, sizes, scale, q);
        expect(y).toEqual(attentionS8(operands.q, operands.k, operands.v, sizes, scale, q));
      }),
      { numRuns: 300 },
    );
  });

  test("1024 channels, all at the ends of the range: the oracle's bits", () => {
    const where = { place: "apart", gap: 0, skew: 0, garbage: 0xff } as const;
    for (const [zero, queries] of [127, -128].flatMap((zero) => [1, 9].map((queries) => [zero, queries] as const))) {
      const sizes = { queries, keys: 13, heads: 1, headChannels: 1024 };
      const operands = place(where, 9, 13, 1024, (length) => new Int8Array(length).fill(-1 - zero));
      operands.data.set(values(1, true)(1024 * 12), operands.k.first);
      const q = { zeroQ: zero, zeroK: zero, zeroV: zero, ratio: 1, zeroPoint: 0, qmin: -128, qmax: 127 };
      const y = run(operands, where, sizes, 1e-7, q);
      expect(y).toEqual(attentionS8(operands.q, operands.k, operands.v, sizes, Math.fround(1e-7), q));
    }
  });

  test("65,536 keys of the largest weight and the largest values do not overflow: their mean comes out", () => {
    const where = { place: "apart", gap: 0, skew: 0, garbage: 0xff } as const;
    const keys = 65536;
    expect(keys).toBeLessThanOrEqual(MOST_KEYS_S8);
    expect(weightPeak(MOST_KEYS_S8)).toBe(255);
    expect(MOST_HEAD_CHANNELS_S8 * 255 ** 2).toBeLessThan(2 ** 31);
    for (const [value, queries] of [-128, 127].flatMap((value) => [1, 2].map((queries) => [value, queries] as const))) {
      const sizes = { queries, keys, heads: 1, headChannels: 2 };
      for (const zeroV of [-128, 0, 127]) {
        const operands = place(where, queries, keys, 2, (length) => new Int8Array(length).fill(value));
        const q = { zeroQ: 0, zeroK: 0, zeroV, ratio: 0.25, zeroPoint: 0, qmin: -128, qmax: 127 };
        const y = run(operands, where, sizes, 1e-3, q);
        expect(y).toEqual(attentionS8(operands.q, operands.k, operands.v, sizes, Math.fround(1e-3), q));
        for (const result of y) expect(Math.abs(result - (value - zeroV) / 4)).toBeLessThanOrEqual(0.5);
      }
    }
  });

  test("is near the real function: within what rounding the weights and the result may do", () => {
    fc.assert(
      fc.property(sizes, placement, fc.nat(), (sizes, where, seed) => {
        const { queries, keys, heads, headChannels } = sizes;
        const operands = place(where, queries, keys, heads * headChannels, values(seed, false));
        const scale = Math.fround(1 / (3000 * Math.sqrt(headChannels)));
        const q = { zeroQ: 3, zeroK: -7, zeroV: 11, ratio: 0.5, zeroPoint: 0, qmin: -128, qmax: 127 };
        const y = run(operands, where, sizes, scale, q);
        const less = (part: typeof operands.q, zero: number) => ({
          ...part,
          data: Float64Array.from(part.data, (x) => x - zero),
        });
        const [qReal, kReal, vReal] = [less(operands.q, 3), less(operands.k, -7), less(operands.v, 11)];
        const real = attentionReal(qReal, kReal, vReal, sizes, scale);
        const width = heads * headChannels;
        for (const [i, e] of real.entries()) {
          const [query, channel] = [Math.floor(i / width), i % width];
          const first = channel - (channel % headChannels);
          const value = (x: Tokens<Float64Array>, token: number, c: number): number =>
            x.data[x.first + token * x.stride + c]!;
          const scores = Array.from({ length: keys }, (_, j) => {
            let sum = 0;
            for (let c = first; c < first + headChannels; c++) sum += value(qReal, query, c) * value(kReal, j, c);
            return sum * scale;
          });
          // Weights are off by half a step and 1.02e-4 (and what the scores' own roundings do): the weighted mean moves by that much of
          // the values' distances from it, over the weights' sum.
          const most = Math.max(...scores);
          const weights = scores.map((s) => 32767 * Math.exp(s - most));
          const off = weights.map((w) => 0.5 + 1.1e-4 * w);
          const total = weights.reduce((sum, w, j) => sum + w - off[j]!, 0);
          const apart = off.reduce((sum, o, j) => sum + o * Math.abs(value(vReal, j, channel) - e), 0);
          const expected = Math.min(127, Math.max(-128, e / 2));
          expect(Math.abs(y[i]! - expected)).toBeLessThanOrEqual(0.501 + (0.5 * apart) / total);
        }
      }),
      { numRuns: 12 },
    );
  });
});

test("weights: within 0.5 + 1.02e-4 of peak * 2^t, the peak at 0, and 0 from -16 on; peaks that int32 sums hold", () => {
  for (const rows of [1, 197, 512, 513, 4096, MOST_KEYS_S8]) {
    const peak = weightPeak(rows);
    expect(peak * rows * 128).toBeLessThan(2 ** 31);
    if (rows <= 512) expect(peak).toBe(32767);
    else expect((peak + 1) * rows * 128).toBeGreaterThanOrEqual(2 ** 31);
    let worst = 0;
    for (let t = 0; t >= -17; t -= 2 ** -10) {
      const exact = peak * 2 ** t;
      worst = Math.max(worst, Math.abs(weight(t, peak) - exact) / (0.5 + 1.02e-4 * exact));
      if (t <= -16) expect(weight(t, peak)).toBe(0);
    }
    expect(worst).toBeLessThanOrEqual(1);
    expect(weight(0, peak)).toBe(peak);
    expect(weight(-1e30, peak)).toBe(0);
  }
});
