import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChannelRanges } from "../../src/quantization/channel-ranges.ts";
import { channelScales } from "../../src/quantization/channel-scales.ts";

const range = (min: number, max: number) => ({ min, max });

/** The noise that the scales are chosen for, from the spans that tensors have under them. */
function noise(ranges: readonly ChannelRanges[], scales: readonly number[]): number {
  const spans = ranges.map((channels) => {
    const low = Math.max(...channels.map(({ min }, c) => -min / scales[c]!));
    return low + Math.max(...channels.map(({ max }, c) => max / scales[c]!));
  });
  return spans.reduce((sum, s) => sum + s * s, 0) * scales.reduce((sum, s) => sum + s * s, 0);
}

describe("channelScales", () => {
  it("are proportional to the ranges where those differ by nothing but their size", () => {
    const [a, b, c] = channelScales([[range(-1, 3), range(-0.25, 0.75), range(-0.5, 1.5)]]);
    expect([a, b, c]).toEqual([1, 0.25, 0.5]);
    expect(channelScales([[range(0, 4), range(0, 1)]])).toEqual([1, 0.25]);
  });

  it("leave what is even already, silent tensors, and silent channels", () => {
    expect(channelScales([[range(-1, 1), range(-1, 1)]])).toEqual([1, 1]);
    expect(channelScales([[range(0, 0), range(0, 0)]])).toEqual([1, 1]);
    expect(channelScales([[range(-1, 2), range(0, 0), range(-0.5, 1)]])).toEqual([1, 1, 0.5]);
  });

  it("enlarge a channel of next to nothing by 32, not without bound", () => {
    expect(channelScales([[range(0, 1), range(0, 1e-9)]])).toEqual([1, 1 / 32]);
  });

  it("move two tensors together where the same channel bounds both", () => {
    const small = range(-0.05, 0.05);
    const tied = [3.343, 2.85].map((high) => [small, range(-0.05, high), small, small, small]);
    const nudged = channelScales(tied).map((scale, c) => scale * (c === 1 ? 1.23 : 0.8));
    expect(noise(tied, channelScales(tied))).toBeLessThanOrEqual(noise(tied, nudged) * 1.001);
  });

  it("never add noise, have 1 as the largest, and lie near the least noise of a random search", () => {
    const value = fc.double({ min: 0.05, max: 4, noNaN: true });
    const channel = fc.tuple(value, value).map(([low, high]) => range(-low, high));
    const tensor = fc.array(channel, { minLength: 5, maxLength: 5 });
    const even = Array.from({ length: 5 }, () => 1);
    const factor = fc.double({ min: 0.8, max: 1.25, noNaN: true });
    const nudges = fc.array(factor, { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(tensor, { minLength: 1, maxLength: 3 }), nudges, (ranges, nudge) => {
        const scales = channelScales(ranges);
        const least = noise(ranges, scales);
        expect(Math.max(...scales)).toBe(1);
        expect(least).toBeLessThanOrEqual(noise(ranges, even) * 1.001);
        expect(least).toBeLessThanOrEqual(
          noise(
            ranges,
            scales.map((s, c) => s * nudge[c]!),
          ) * 1.1,
        );
      }),
    );
  });
});
