import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiateAttentionKernels } from "../../../src/kernels/attention/load.ts";
import { attentionScratchBytes } from "../../../src/kernels/attention/scratch.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { type AttentionSizes, attentionReal, softmax } from "../../../src/reference/attention.ts";
import { type Operands, type Placement, place, placement, runAttention, size } from "../../_helpers/attention.ts";
import { floatValues } from "../../_helpers/kernels.ts";

const { memory, exports } = await instantiateAttentionKernels(await instantiateKernels());
const U = 2 ** -24;

const sizes = fc.record({
  // One query takes a way of its own.
  queries: fc.oneof({ weight: 2, arbitrary: size }, fc.constant(1)),
  keys: size,
  heads: fc.integer({ min: 1, max: 4 }),
  headChannels: fc.oneof({ weight: 3, arbitrary: size.map((c) => 1 + (c % 20)) }, size),
});

function run(
  operands: Operands<Float32Array<ArrayBuffer>>,
  where: Placement,
  { queries, keys, heads, headChannels }: AttentionSizes,
  scale: number,
): Float32Array {
  const scratchBytes = attentionScratchBytes("f32", keys, headChannels);
  return runAttention(memory, operands, where, [queries, heads * headChannels], scratchBytes, (p) => {
    const strides = [p.stride, p.stride, p.stride, p.toStride] as const;
    exports.f32_attention(p.q, p.k, p.v, p.to, queries, keys, heads, headChannels, ...strides, scale, p.scratch);
  });
}

/**
 * What the roundings that the kernel names can add up to, for every result. A score is off by `scoreError` (n products and sums, and two
 * factors), its exponential by a factor of e to that and 3.7 u + u d more (exp.ts and the difference from the maximum, d off), sums by u a
 * term.
 */
function bounds({ q, k, v }: Operands<Float32Array>, sizes: AttentionSizes, scale: number): Float64Array {
  const { queries, keys, heads, headChannels } = sizes;
  const width = heads * headChannels;
  const result = new Float64Array(queries * width);
  for (let first = 0; first < width; first += headChannels) {
    for (let i = 0; i < queries; i++) {
      const scores: number[] = [];
      const scoreErrors: number[] = [];
      for (let j = 0; j < keys; j++) {
        let [s, absolute] = [0, 0];
        for (let c = first; c < first + headChannels; c++) {
          const term = q.data[q.first + i * q.stride + c]! * k.data[k.first + j * k.stride + c]! * scale;
          s += term;
          absolute += Math.abs(term);
        }
        scores.push(s);
        scoreErrors.push(absolute * (headChannels + 4) * U + 2 ** -120);
      }
      const most = Math.max(...scores);
      const p = softmax(scores);
      const off = scores.map((s, j) => Math.expm1(1.01 * (scoreErrors[j]! + (3.7 + (most - s)) * U + keys * U)));
      const sumOff = p.reduce((sum, x, j) => sum + x * off[j]!, 0);
      for (let c = first; c < first + headChannels; c++) {
        let [direct, all, largest] = [0, 0, 0];
        for (let j = 0; j < keys; j++) {
          const value = Math.abs(v.data[v.first + j * v.stride + c]!);
          direct += p[j]! * value * off[j]!;
          all += p[j]! * value;
          largest = Math.max(largest, value);
        }
        // 2^-126 is where exponentials become 0.
        result[i * width + c] = 1.01 * (direct + all * (sumOff + 3 * U)) + keys * largest * 2 ** -125 + 2 ** -140;
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

describe("f32_attention", () => {
  test("is within its roundings of the real function, whatever the sizes and wherever q, k and v lie", () => {
    const magnitude = fc.constantFrom(1, 1e-3, 5, 30);
    fc.assert(
      fc.property(sizes, placement, fc.nat(), magnitude, (sizes, where, seed, magnitude) => {
        const { queries, keys, heads, headChannels } = sizes;
        const scale = Math.fround(1 / Math.sqrt(headChannels));
        const values = (length: number) => Float32Array.from(floatValues(seed, length), (x) => x * magnitude);
        const operands = place(where, queries, keys, heads * headChannels, values);
        const y = run(operands, where, sizes, scale);
        const exact = attentionReal(operands.q, operands.k, operands.v, sizes, scale);
        expectWithin(y, exact, bounds(operands, sizes, scale));
      }),
      { numRuns: 250 },
    );
  });

  test("class attention of a whole network's size: one query, 197 keys, three heads of 64", () => {
    const where = { place: "side by side", gap: 0, skew: 0, garbage: 0xff } as const;
    const sizes = { queries: 1, keys: 197, heads: 3, headChannels: 64 };
    const operands = place(where, 1, 197, 192, (length) => Float32Array.from(floatValues(3, length)));
    const y = run(operands, where, sizes, 0.125);
    const exact = attentionReal(operands.q, operands.k, operands.v, sizes, 0.125);
    expectWithin(y, exact, bounds(operands, sizes, 0.125));
  });

  test("a query's result does not depend on its place or on the other queries", () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (sizes, seed, pick) => {
        const { queries, keys, heads, headChannels } = sizes;
        const where = { place: "apart", gap: 0, skew: 0, garbage: 0xff } as const;
        const width = heads * headChannels;
        const operands = place(where, queries, keys, width, (length) => Float32Array.from(floatValues(seed, length)));
        const y = run(operands, where, sizes, 1);
        const i = pick % queries;
        const alone = { ...operands, q: { ...operands.q, first: i * operands.q.stride } };
        const single = run(alone, where, { ...sizes, queries: 1 }, 1);
        expect(single).toEqual(y.slice(i * width, (i + 1) * width));
      }),
      { numRuns: 100 },
    );
  });

  test("equal keys give the mean of the values; one key gives its value; one far ahead of the others its own to the bit", () => {
    const where = { place: "apart", gap: 0, skew: 0, garbage: 0xff } as const;
    const operands = place(where, 9, 6, 5, (length) => Float32Array.from(floatValues(1, length)));
    operands.data.fill(0.5, operands.k.first, operands.v.first);
    const y = run(operands, where, { queries: 9, keys: 6, heads: 1, headChannels: 5 }, 1);
    const value = (j: number, c: number): number => operands.data[operands.v.first + j * 5 + c]!;
    for (let c = 0; c < 5; c++) {
      const mean = [0, 1, 2, 3, 4, 5].reduce((sum, j) => sum + value(j, c), 0) / 6;
      expect(Math.abs(y[c]! - mean)).toBeLessThanOrEqual(8 * U);
    }
    const single = run(operands, where, { queries: 9, keys: 1, heads: 1, headChannels: 5 }, 1);
    for (let i = 0; i < 9; i++) for (let c = 0; c < 5; c++) expect(single[i * 5 + c]).toBe(value(0, c));
    operands.data.fill(1, 0, 45);
    operands.data.fill(-100, operands.k.first, operands.v.first);
    operands.data.fill(100, operands.k.first + 15, operands.k.first + 20);
    const ahead = run(operands, where, { queries: 9, keys: 6, heads: 1, headChannels: 5 }, 1);
    for (let i = 0; i < 9; i++) for (let c = 0; c < 5; c++) expect(ahead[i * 5 + c]).toBe(value(3, c));
  });

  test("NaN and infinity: of a query in its own rows alone, -infinity a weight of 0", () => {
    const where = { place: "apart", gap: 0, skew: 0, garbage: 0 } as const;
    const operands = place(where, 10, 7, 3, (length) => Float32Array.from(floatValues(1, length), Math.abs));
    const sizes = { queries: 10, keys: 7, heads: 1, headChannels: 3 };
    operands.data[4 * 3] = Number.NaN;
    operands.data[6 * 3 + 1] = Number.POSITIVE_INFINITY;
    const y = run(operands, where, sizes, 1);
    for (let i = 0; i < 30; i++) expect(Number.isNaN(y[i]!)).toBe([4, 6].includes(Math.floor(i / 3)));
    operands.data.set([1, 1, 1], 4 * 3);
    operands.data.set([1, 1, 1], 6 * 3);
    operands.data[operands.k.first + 2 * 3] = Number.NEGATIVE_INFINITY;
    const masked = run(operands, where, sizes, 1);
    operands.data[operands.k.first + 2 * 3] = -1e6;
    expect(masked.every(Number.isFinite)).toBe(true);
    expect(run(operands, where, sizes, 1)).toEqual(masked);
  });

  test("no query, no head: nothing is written", () => {
    const [to, scratch] = [memory.allocate(64), memory.allocate(4096)];
    memory.u8.fill(1, to, to + 64);
    exports.f32_attention(to, to, to, to, 0, 1, 1, 1, 4, 4, 4, 4, 1, scratch);
    exports.f32_attention(to, to, to, to, 1, 1, 0, 1, 4, 4, 4, 4, 1, scratch);
    expect(memory.u8.subarray(to, to + 64).every((b) => b === 1)).toBe(true);
    memory.free(to);
    memory.free(scratch);
  });
});
