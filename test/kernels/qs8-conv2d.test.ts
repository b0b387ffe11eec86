import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConvAlgorithm, ConvSpecS8 } from "../../src/kernels/convolution/convolution.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { type ConvS8Options, conv2dS8 } from "../../src/reference/conv2d-s8.ts";
import { int8Values, runConvolution } from "../_helpers/kernels.ts";
import { random } from "../_helpers/random.ts";

const kernels = await instantiateKernels();

interface Case {
  seed: number;
  height: number;
  width: number;
  ic: number;
  oc: number;
  kh: number;
  kw: number;
  stride: 1 | 2;
  padding: "same" | "valid";
  inputZeroPoint: number;
  outputZeroPoint: number;
  clamp: "none" | "relu" | "relu6";
  slopes: boolean;
  residual: "none" | "full" | "one";
  extreme: boolean;
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  seed: fc.nat(),
  height: fc.integer({ min: 1, max: 14 }),
  width: fc.integer({ min: 1, max: 19 }),
  ic: fc.oneof(fc.constantFrom(1, 3, 16), fc.integer({ min: 1, max: 21 })),
  oc: fc.oneof(fc.constantFrom(1, 4, 16), fc.integer({ min: 1, max: 21 })),
  kh: fc.constantFrom(1, 3, 5, 7),
  kw: fc.constantFrom(1, 3, 5, 7),
  stride: fc.constantFrom(1, 2),
  padding: fc.constantFrom("same", "valid"),
  inputZeroPoint: fc.oneof(fc.constantFrom(-128, 0, 127), fc.integer({ min: -128, max: 127 })),
  outputZeroPoint: fc.oneof(fc.constantFrom(-128, 0, 127), fc.integer({ min: -128, max: 127 })),
  clamp: fc.constantFrom("none", "relu", "relu6"),
  slopes: fc.boolean(),
  residual: fc.constantFrom("none", "full", "one"),
  extreme: fc.boolean(),
});

/** Runs a case on the kernel of `algorithm` and on the oracle. */
function both(c: Case, algorithm: ConvAlgorithm): { kernel: Int8Array; oracle: Int8Array } {
  const { ic, oc, kh, kw, stride, padding, inputZeroPoint, outputZeroPoint } = c;
  const next = random(c.seed);
  const values = (seed: number, n: number, low: number): Int8Array =>
    c.extreme ? int8Values(seed, n, 0, 1).map((v) => (v ? 127 : low)) : int8Values(seed, n, low);
  const input = values(c.seed, c.height * c.width * ic, -128);
  const weights = values(c.seed + 1, oc * kh * kw * ic, -127);
  const size = 127 * 64 * Math.sqrt(kh * kw * ic);
  const bias = Int32Array.from({ length: oc }, () => Math.round((next() - 0.5) * size));
  // From mostly inside int8 to mostly saturating, some exactly on a half.
  const spread = c.extreme ? 1 : 2 ** Math.floor(next() * 6 - 3);
  const multipliers = Float32Array.from({ length: oc }, () =>
    next() < 0.2 ? 2 ** -9 : (spread * (0.2 + next()) * 100) / size,
  );
  const negativeMultipliers = c.slopes ? multipliers.map((m) => m * (next() * 2 - 0.5)) : undefined;
  const qmin = c.clamp === "none" ? -128 : outputZeroPoint;
  const qmax = c.clamp === "relu6" ? Math.min(127, outputZeroPoint + 40) : 127;
  const oh = padding === "same" ? Math.ceil(c.height / stride) : Math.floor((c.height - kh) / stride) + 1;
  const ow = padding === "same" ? Math.ceil(c.width / stride) : Math.floor((c.width - kw) / stride) + 1;
  const residualChannels = c.residual === "one" ? 1 : oc;
  const residual = c.residual === "none" ? undefined : int8Values(c.seed + 2, oh * ow * residualChannels);
  const residualZeroPoint = Math.floor(next() * 256) - 128;
  const residualMultiplier = Math.fround(0.01 + next() * 2);
  const spec: ConvSpecS8 = {
    dtype: "s8",
    ic,
    oc,
    kh,
    kw,
    stride,
    weights,
    bias,
    multipliers,
    ...(negativeMultipliers && { negativeMultipliers }),
    inputZeroPoint,
    outputZeroPoint,
    qmin,
    qmax,
    ...(residual && {
      residual: {
        broadcast: residualChannels < oc,
        zeroPoint: residualZeroPoint,
        multiplier: residualMultiplier,
      },
    }),
    algorithm,
  };
  const options: ConvS8Options = {
    stride,
    padding,
    inputZeroPoint,
    bias,
    multipliers,
    ...(negativeMultipliers && { negativeMultipliers }),
    outputZeroPoint,
    qmin,
    qmax,
    ...(residual && {
      residual: {
        map: { shape: [oh, ow, residualChannels], data: residual },
        zeroPoint: residualZeroPoint,
        multiplier: residualMultiplier,
      },
    }),
  };
  const shape = [c.height, c.width, ic] as const;
  const oracle = conv2dS8({ shape, data: input }, { shape: [oc, kh, kw, ic], weights }, options).data;
  return { kernel: runConvolution(kernels, spec, shape, padding, input, residual), oracle };
}

function fits(c: Case): boolean {
  return c.padding === "same" || (c.height >= c.kh && c.width >= c.kw);
}

const layer: Case = {
  seed: 1,
  height: 1,
  width: 1,
  ic: 8,
  oc: 8,
  kh: 3,
  kw: 3,
  stride: 1,
  padding: "same",
  inputZeroPoint: -128,
  outputZeroPoint: 5,
  clamp: "none",
  slopes: true,
  residual: "full",
  extreme: false,
};

const runs = process.env.WASMOGRAD_SLOW ? 3000 : 250;

describe("int8 direct convolution", () => {
  test("equals the oracle bit for bit, any kernel, stride, padding and channel count", () => {
    fc.assert(
      fc.property(anyCase, (c) => {
        fc.pre(fits(c));
        const { kernel, oracle } = both(c, "direct");
        expect(kernel).toEqual(oracle);
      }),
      { numRuns: runs },
    );
  });
});

test("1x1 kernels with stride 2 and many channels: no row is shorter than what is read of it", () => {
  for (const ic of [47, 49, 64, 129, 333]) {
    for (const width of [1, 2, 7, 8, 9]) {
      const { kernel, oracle } = both({ ...layer, ic, kh: 1, kw: 1, stride: 2, height: 5, width }, "direct");
      expect(kernel, `${ic} channels, width ${width}`).toEqual(oracle);
    }
  }
});

describe("int8 complex Winograd F(4x4,3x3)", () => {
  test("equals the oracle bit for bit, any size and channel count", () => {
    fc.assert(
      fc.property(anyCase, (c) => {
        const square: Case = { ...c, kh: 3, kw: 3, stride: 1 };
        fc.pre(fits(square));
        const { kernel, oracle } = both(square, "winograd");
        expect(kernel).toEqual(oracle);
      }),
      { numRuns: runs },
    );
  });

  test("every height and width from 1 to 13", () => {
    for (let height = 1; height <= 13; height++) {
      for (let width = 1; width <= 13; width++) {
        const { kernel, oracle } = both({ ...layer, height, width }, "winograd");
        expect(kernel, `${height}x${width}`).toEqual(oracle);
      }
    }
  });
});
