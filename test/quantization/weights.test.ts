import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantiseWeights } from "../../src/quantization/weights.ts";

describe("quantiseWeights", () => {
  it("uses the whole range of every channel: the largest magnitude becomes 127", () => {
    const { weights, scales } = quantiseWeights(Float32Array.of(1, -0.5, 0.25, -8, 4, 0), 2);
    expect([...weights]).toEqual([127, -64, 32, -127, 64, 0]);
    expect([...scales]).toEqual([Math.fround(1 / 127), Math.fround(8 / 127)]);
  });

  it("errs by half a step at most, never uses -128", () => {
    const value = fc.float({ min: -1000, max: 1000, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 4, maxLength: 4 }), (values) => {
        const filter = Float32Array.from(values);
        const { weights, scales } = quantiseWeights(filter, 2);
        weights.forEach((w, i) => {
          const scale = scales[i >> 1]!;
          expect(w).toBeGreaterThanOrEqual(-127);
          expect(Math.abs(w * scale - filter[i]!)).toBeLessThanOrEqual(scale * 0.5 + 2 ** -149);
        });
      }),
    );
  });

  it("gives a filter of zeros scale 1, or the floor", () => {
    expect(quantiseWeights(new Float32Array(3), 1)).toEqual({ weights: new Int8Array(3), scales: Float32Array.of(1) });
    expect(quantiseWeights(new Float32Array(3), 1, () => 0.25).scales).toEqual(Float32Array.of(0.25));
    expect([...quantiseWeights(Float32Array.of(1, 127), 1, () => 2).weights]).toEqual([0, 64]);
  });

  it("keeps weights below what binary32 can scale at zero", () => {
    const { weights } = quantiseWeights(Float32Array.of(2 ** -149, -(2 ** -149)), 1);
    expect([...weights].every((w) => Math.abs(w) <= 127)).toBe(true);
  });
});
