import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { anyCase, both, fits, layer } from "../_helpers/conv-cases.ts";

const kernels = await instantiateKernels();

const runs = process.env.WASMOGRAD_SLOW ? 3000 : 250;

describe("int8 direct convolution", () => {
  test("equals the oracle bit for bit, any kernel, stride, padding and channel count", () => {
    fc.assert(
      fc.property(anyCase, (c) => {
        fc.pre(fits(c));
        const { kernel, oracle } = both(kernels, c, "direct");
        expect(kernel).toEqual(oracle);
      }),
      { numRuns: runs },
    );
  });
});

test("1x1 kernels with stride 2 and many channels: no row is shorter than what is read of it", () => {
  for (const ic of [47, 49, 64, 129, 333]) {
    for (const width of [1, 2, 7, 8, 9]) {
      const { kernel, oracle } = both(kernels, { ...layer, ic, kh: 1, kw: 1, stride: 2, height: 5, width }, "direct");
      expect(kernel, `${ic} channels, width ${width}`).toEqual(oracle);
    }
  }
});
