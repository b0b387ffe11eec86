import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dequantizeValue, FINE, quantizeValue, requantize, splitValue } from "../../src/quantization/requantize.ts";
import { roundHalfEven } from "../../src/rounding.ts";

describe("roundHalfEven", () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [2.4999999, 2],
    [2 ** 40 + 0.5, 2 ** 40],
  ])("%d -> %d", (x, expected) => {
    expect(roundHalfEven(x) + 0).toBe(expected);
  });
});

const params = fc.record({
  scale: fc.double({ min: 1e-6, max: 1e4, noNaN: true }),
  zeroPoint: fc.integer({ min: -128, max: 127 }),
});
const int8 = fc.integer({ min: -128, max: 127 });

describe("quantizeValue and dequantizeValue", () => {
  it("real zero is the zero point, and back", () => {
    fc.assert(
      fc.property(params, (p) => {
        expect(quantizeValue(0, p)).toBe(p.zeroPoint);
        expect(dequantizeValue(p.zeroPoint, p)).toBe(0);
      }),
    );
  });

  it("an int8 value survives the way to real and back", () => {
    fc.assert(
      fc.property(params, int8, (p, q) => {
        expect(quantizeValue(dequantizeValue(q, p), p)).toBe(q);
      }),
    );
  });

  it("inside the range the error is at most half a step (and rounding)", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(params, share, (p, s) => {
        const x = p.scale * (-128 - p.zeroPoint + 255 * s);
        const error = Math.abs(dequantizeValue(quantizeValue(x, p), p) - x);
        expect(error).toBeLessThanOrEqual(p.scale * (0.5 + 255 * 2 ** -22));
      }),
    );
  });

  it("is monotone and saturates", () => {
    const real = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(params, real, real, (p, a, b) => {
        const [low, high] = [quantizeValue(Math.min(a, b), p), quantizeValue(Math.max(a, b), p)];
        expect(low).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(-128);
        expect(high).toBeLessThanOrEqual(127);
      }),
    );
    expect(quantizeValue(Number.POSITIVE_INFINITY, { scale: 1, zeroPoint: 5 })).toBe(127);
    expect(quantizeValue(Number.NaN, { scale: 1, zeroPoint: 5 })).toBe(5);
  });
});

describe("requantize", () => {
  it.each([
    ["rounds halves to even", [5, 0.5, 0, -128, 127], 2],
    ["and the other way", [7, 0.5, 0, -128, 127], 4],
    ["adds the zero point after rounding", [5, 0.5, 3, -128, 127], 5],
    ["clamps below", [-1000, 1, 0, -5, 127], -5],
    ["clamps above", [1000, 1, 0, -128, 5], 5],
    ["adds a residual before rounding", [1, 0.25, 0, -128, 127, 1, 0.25], 0],
    ["in binary32", [1, Math.fround(0.1), 0, -128, 127, 1, 1.4], 2],
    ["converts the accumulator to binary32 first", [16777217, 2 ** -24, 0, -128, 127, -1, 0.5], 0],
  ] as const)("%s", (_, args, expected) => {
    expect(requantize(...(args as unknown as Parameters<typeof requantize>)) + 0).toBe(expected);
  });
});

describe("splitValue", () => {
  const middle = fc.integer({ min: -120, max: 120 });

  it("leaves a sixteenth of a level of error and a bit for binary32, and the level is one of the nearest two", () => {
    fc.assert(
      fc.property(params, middle, fc.double({ min: -100, max: 100, noNaN: true }), (p, restZeroPoint, levels) => {
        const own = { ...p, zeroPoint: Math.round(p.zeroPoint / 8) };
        const x = Math.fround(levels * own.scale);
        const [level, rest] = splitValue(x, own, restZeroPoint);
        const [whole, eighths] = [level - own.zeroPoint, rest - restZeroPoint];
        expect(Math.abs(eighths)).toBeLessThanOrEqual(FINE / 2);
        expect(Math.abs(whole + eighths / FINE - x / own.scale)).toBeLessThanOrEqual(1 / (2 * FINE) + 1e-4);
        expect(Math.abs(whole - x / own.scale)).toBeLessThanOrEqual(0.5 + 1 / (2 * FINE) + 1e-4);
      }),
    );
  });

  it.each([
    [Number.NaN, [3, -7]],
    [0, [3, -7]],
    [0.375, [3, -4]],
    [0.5, [4, -11]], // half a level belongs to the upper one
    [-0.5, [3, -11]],
    [0.4375, [4, -11]], // 3.5 eighths: to the even number
    [-0.5625, [3, -11]],
    [126, [127, 9]],
    [1000, [127, 127]],
    [-1000, [-128, -128]],
    [Number.POSITIVE_INFINITY, [127, 127]],
    [Number.NEGATIVE_INFINITY, [-128, -128]],
  ])("%d, zero points 3 and -7 -> %j", (x, expected) => {
    expect(splitValue(x, { scale: 1, zeroPoint: 3 }, -7)).toEqual(expected);
  });
});
