import { describe, expect, test } from "vitest";
import { nestedOfKernel, WINOGRAD_KERNELS } from "../../src/winograd/kernel-table.ts";
import { apply, filterPlanes, inputPlanes, outputPlanes } from "../../src/winograd/nested.ts";
import { amplification, roundingBound, roundings } from "../../src/winograd/rounding.ts";
import { transforms } from "../../src/winograd/transforms.ts";

const F32 = WINOGRAD_KERNELS.filter(({ dtype }) => dtype === "f32").map(
  (entry) => [entry.algorithm, transforms(nestedOfKernel(entry))] as const,
);

describe.each(F32)("the rounding bound of %s", (_, found) => {
  const { m, n, r } = found.nested.vertical.algorithm;

  test("counts a rounding an addition on the longest way, one for the filter, one for the product, one a channel", () => {
    const perChannel = roundings(found, 8) - roundings(found, 7);
    expect(perChannel).toBe(1);
    // Two passes of at least two additions on either side.
    expect(roundings(found, 0)).toBeGreaterThanOrEqual(2 + 4 + 4);
    expect(roundings(found, 0)).toBeLessThanOrEqual(2 + 16);
  });

  test("is K u / (1 - K u) times the sum of magnitudes, amplified r^2 for data of ones", () => {
    const ones = { tile: new Array<number>(n * n).fill(1), filter: new Array<number>(r * r).fill(1) };
    const channels = 5;
    const bounds = roundingBound(found, new Array(channels).fill(ones));
    const K = roundings(found, channels) * 2 ** -24;
    expect(bounds).toHaveLength(m * m);
    expect(Math.max(...bounds)).toBeCloseTo((amplification(found) * r * r * channels * K) / (1 - K), 12);
  });

  test("covers the magnitudes of the exact matrices, which a schedule can only exceed", () => {
    const [I, F, A] = [inputPlanes, filterPlanes, outputPlanes].map((of) =>
      of(found.nested).map((row) => row.map(Math.abs)),
    ) as [number[][], number[][], number[][]];
    const tile = Array.from({ length: n * n }, (_, i) => Math.sin(i));
    const filter = Array.from({ length: r * r }, (_, i) => Math.cos(3 * i));
    const V = apply(I, tile.map(Math.abs));
    const U = apply(F, filter.map(Math.abs));
    const sums = apply(
      A,
      V.map((v, p) => v * U[p]!),
    ).map((y) => y / Number(found.nested.result.scale));
    const K = roundings(found, 1) * 2 ** -24;
    for (const [i, bound] of roundingBound(found, [{ tile, filter }]).entries()) {
      expect(bound).toBeGreaterThanOrEqual((sums[i]! * K * 0.999999) / (1 - K));
    }
  });
});
