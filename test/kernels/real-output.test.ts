/** int8 convolutions whose output stays f32, by every kernel, with residuals of f32 and of int8. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { WINOGRAD_ALGORITHMS } from "../../src/kernels/winograd/algorithms.ts";
import { ROW_TABLE } from "../../src/kernels/winograd/rows.ts";
import { anyCase, bothReal, type Case, fits, layer } from "../_helpers/conv-cases.ts";

const kernels = await instantiateKernels();
const runs = process.env.WASMOGRAD_SLOW ? 3000 : 250;

/** Direct ones by layer: which of the kernels runs is decided by channels, kernel and stride. */
const DIRECT: readonly [string, Partial<Case>][] = [
  ["8x4: few channels at stride 1", { ic: 16, kh: 5, kw: 5 }],
  ["6x4 for few channels, else 4x8: stride 2", { ic: 16, stride: 2 }],
  ["6x4 for few channels, else 4x8: one input channel", { ic: 1, kh: 5, kw: 5 }],
  ["1x1", { ic: 7, kh: 1, kw: 1 }],
];

const WINOGRAD = [
  ...WINOGRAD_ALGORITHMS.filter(({ dtype }) => dtype === "s8").map(({ algorithm, r }) => [algorithm, r] as const),
  [ROW_TABLE.algorithm, ROW_TABLE.r] as const,
] as readonly (readonly [ConvSpecS8["algorithm"], number])[];

describe.each(["f32", "int8"] as const)("an output that stays real, a residual of %s", (added) => {
  test("direct kernels: the oracle's bits, any kernel, stride, padding, limits, residual and channel count", () => {
    fc.assert(
      fc.property(anyCase, (c) => {
        fc.pre(fits(c));
        const { kernel, oracle } = bothReal(kernels, c, "direct", added);
        expect(kernel).toEqual(oracle);
      }),
      { numRuns: runs },
    );
  });

  test.each(DIRECT)("%s: 1 to 20 channels, every residual, rows that end within a tile", (_, own) => {
    for (let oc = 1; oc <= 20; oc++) {
      for (const residual of ["none", "full", "one"] as const) {
        for (const width of [1, 3, 8, 13]) {
          const c = { ...layer, height: 3, width, clamp: "relu6", ...own, oc, residual, seed: oc } as const;
          const { kernel, oracle } = bothReal(kernels, c, "direct", added);
          expect(kernel, `${oc} channels, ${residual}, width ${width}`).toEqual(oracle);
        }
      }
    }
  });

  test("depthwise: the oracle's bits, 1 to 37 channels", () => {
    for (let ic = 1; ic <= 37; ic++) {
      for (const residual of ["none", "full", "one"] as const) {
        const c = { ...layer, height: 5, width: 11, ic, oc: ic, residual, depthwise: true, seed: ic };
        const { kernel, oracle } = bothReal(kernels, c, "direct", added);
        expect(kernel, `${ic} channels, ${residual}`).toEqual(oracle);
      }
    }
  });

  test.each(WINOGRAD)("%s: the oracle's bits, any size and channel count", (algorithm, size) => {
    fc.assert(
      fc.property(anyCase, (c) => {
        const square = { ...c, kh: size, kw: size, stride: 1 as const };
        fc.pre(fits(square));
        const { kernel, oracle } = bothReal(kernels, square, algorithm, added);
        expect(kernel).toEqual(oracle);
      }),
      { numRuns: runs },
    );
  });
});
