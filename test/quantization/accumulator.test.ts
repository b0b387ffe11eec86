import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accumulatorRange,
  largestMagnitude,
  winogradSafe,
  worstCaseChannels,
} from "../../src/quantization/accumulator.ts";

const int8 = fc.integer({ min: -128, max: 127 });

describe("accumulatorRange", () => {
  it("holds every sum and is reached at both ends", () => {
    const pairs = fc.array(fc.tuple(int8, int8), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(pairs, int8, fc.integer({ min: -(2 ** 20), max: 2 ** 20 }), (values, zeroPoint, bias) => {
        const weights = Int8Array.from(values, ([w]) => w);
        const sum = (x: (w: number, i: number) => number) =>
          weights.reduce((acc, w, i) => acc + w * (x(w, i) - zeroPoint), bias);
        const range = accumulatorRange(weights, 1, { zeroPoint, bias: Int32Array.of(bias) });
        const actual = sum((_, i) => values[i]![1]);
        expect(actual).toBeGreaterThanOrEqual(range.low[0]!);
        expect(actual).toBeLessThanOrEqual(range.high[0]!);
        expect(range.low[0]).toBe(sum((w) => (w > 0 ? -128 : 127)));
        expect(range.high[0]).toBe(sum((w) => (w > 0 ? 127 : -128)));
      }),
    );
  });

  it("keeps output channels apart and defaults to raw inputs without bias", () => {
    const { low, high } = accumulatorRange(Int8Array.of(1, 2, -3, 0), 2);
    expect([...low]).toEqual([-384, -381]);
    expect([...high]).toEqual([381, 384]);
    expect(largestMagnitude({ low, high })).toBe(384);
  });
});

describe("winogradSafe", () => {
  it("admits the worst-case 917 channels of 3x3 and not 918", () => {
    const worst = (channels: number) => accumulatorRange(new Int8Array(9 * channels).fill(127), 1);
    expect(winogradSafe(largestMagnitude(worst(917)), 16)).toBe(true);
    expect(winogradSafe(largestMagnitude(worst(918)), 16)).toBe(false);
  });

  it("decides by the real weights, far beyond the worst case", () => {
    expect(winogradSafe(largestMagnitude(accumulatorRange(new Int8Array(9 * 3600).fill(32), 1)), 16)).toBe(true);
  });
});

describe("worstCaseChannels", () => {
  it.each([
    ["direct", { taps: 9, scale: 1 }, 14678],
    ["F(2x2)", { taps: 9, scale: 4 }, 3669],
    ["complex F(4x4)", { taps: 9, scale: 16 }, 917],
    ["rational F(4x4), 9 undone", { taps: 9, scale: 64 }, 229],
    ["rational F(4x4)", { taps: 9, scale: 576 }, 25],
    ["direct, weights to -128", { taps: 9, scale: 1, largestWeight: 128 }, 14563],
    ["complex F(4x4), weights to -128", { taps: 9, scale: 16, largestWeight: 128 }, 910],
    ["complex F(4x4), 9-bit inputs", { taps: 9, scale: 16, largestInput: 255 }, 460],
    ["F(2x2), 9-bit inputs", { taps: 9, scale: 4, largestInput: 255 }, 1841],
  ])("%s", (_, options, expected) => {
    expect(worstCaseChannels(options)).toBe(expected);
  });
});
