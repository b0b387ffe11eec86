import { describe, expect, test } from "vitest";
import { median, medianRatio, quartiles, relativeSpread, roundRatios } from "../../src/bench/measure.ts";

describe("statistics", () => {
  test("median of odd and even counts", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  test("quartiles: a quarter of the samples lie below and above", () => {
    expect(quartiles([8, 7, 6, 5, 4, 3, 2, 1])).toEqual({ median: 4.5, lower: 3, upper: 7 });
    expect(quartiles([5])).toEqual({ median: 5, lower: 5, upper: 5 });
    expect(relativeSpread([8, 7, 6, 5, 4, 3, 2, 1])).toBeCloseTo(2 / 4.5, 12);
  });

  test("samples stay in the order of the rounds", () => {
    const samples = [3, 1, 2];
    quartiles(samples);
    expect(samples).toEqual([3, 1, 2]);
  });

  test("a machine that halves its speed in some rounds changes the times and not the ratios", () => {
    const speed = [1, 2, 1, 2, 2];
    const ours = speed.map((s) => 10 * s);
    const theirs = speed.map((s) => 35 * s);
    expect(roundRatios(theirs, ours)).toEqual([3.5, 3.5, 3.5, 3.5, 3.5]);
    expect(medianRatio(theirs, ours)).toBe(3.5);
  });
});
