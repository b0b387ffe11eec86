import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { WINOGRAD_ALGORITHMS, type WinogradS8 } from "../../src/kernels/winograd/algorithms.ts";
import { anyCase, both, fits, layer } from "../_helpers/conv-cases.ts";

const kernels = await instantiateKernels();
const runs = process.env.WASMOGRAD_SLOW ? 3000 : 200;

const EXACT = WINOGRAD_ALGORITHMS.filter(({ dtype }) => dtype === "s8").map(
  ({ algorithm, r }) => [algorithm as WinogradS8, r] as const,
);

describe.each(EXACT)("int8 Winograd %s", (algorithm, size) => {
  test("equals the oracle bit for bit, any size and channel count", () => {
    fc.assert(
      fc.property(anyCase, (c) => {
        const square = { ...c, kh: size, kw: size, stride: 1 as const };
        fc.pre(fits(square));
        const { kernel, oracle } = both(kernels, square, algorithm);
        expect(kernel).toEqual(oracle);
      }),
      { numRuns: runs },
    );
  });

  test("every height and width from 1 to 13", () => {
    for (let height = 1; height <= 13; height++) {
      for (let width = 1; width <= 13; width++) {
        const { kernel, oracle } = both(kernels, { ...layer, kh: size, kw: size, height, width }, algorithm);
        expect(kernel, `${height}x${width}`).toEqual(oracle);
      }
    }
  });
});
