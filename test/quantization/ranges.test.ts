import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paramsFromRange } from "../../src/quantization/ranges.ts";
import { dequantizeValue, quantizeValue } from "../../src/quantization/requantize.ts";

describe("paramsFromRange", () => {
  it.each([
    [
      { min: 0, max: 1 },
      { scale: 1 / 255, zeroPoint: -128 },
    ],
    [
      { min: -1, max: 0 },
      { scale: 1 / 255, zeroPoint: 127 },
    ],
    [
      { min: 3, max: 51 },
      { scale: 0.2, zeroPoint: -128 },
    ],
    [
      { min: -128, max: 127 },
      { scale: 1, zeroPoint: 0 },
    ],
    [
      { min: 0, max: 0 },
      { scale: 1, zeroPoint: -128 },
    ],
  ])("%o -> %o", (range, expected) => {
    expect(paramsFromRange(range)).toEqual(expected);
  });

  it("represents zero exactly and reaches both ends to half a step", () => {
    const real = fc.double({ min: -1e5, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(real, real, (a, b) => {
        fc.pre(Math.max(Math.abs(a), Math.abs(b)) > 1e-5);
        const range = { min: Math.min(a, b), max: Math.max(a, b) };
        const params = paramsFromRange(range);
        expect(Number.isInteger(params.zeroPoint)).toBe(true);
        expect(params.zeroPoint).toBeGreaterThanOrEqual(-128);
        expect(params.zeroPoint).toBeLessThanOrEqual(127);
        expect(quantizeValue(0, params)).toBe(params.zeroPoint);
        for (const end of [range.min, range.max]) {
          const back = dequantizeValue(quantizeValue(end, params), params);
          expect(Math.abs(back - end)).toBeLessThanOrEqual(params.scale * 0.5001);
        }
      }),
    );
  });

  it.each([
    { min: 1, max: 0 },
    { min: Number.NaN, max: 0 },
    { min: 0, max: Number.POSITIVE_INFINITY },
    { min: -1e308, max: 1e308 },
  ])("refuses %o", (range) => {
    expect(() => paramsFromRange(range, "x")).toThrow(
      expect.objectContaining({
        code: "ERR_QUANTIZATION",
        message: expect.stringContaining("x: expected finite min <= max"),
      }),
    );
  });
});
