import fc from "fast-check";
import type { ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import type { KernelInstance } from "../../src/kernels/load.ts";
import { type ConvS8Options, conv2dS8, conv2dS8Real, scaledResidual } from "../../src/reference/conv2d-s8.ts";
import { int8Values, runConvolution } from "./kernels.ts";
import { random } from "./random.ts";

/** An int8 convolution to be compared with the oracle. */
export interface Case {
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
  /** oc = ic, each channel with a filter of its own. */
  depthwise?: boolean;
}

/** Any kernel, stride, padding, channel counts, zero points, activation and residual. */
export const anyCase: fc.Arbitrary<Case> = fc.record({
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

/** What a case says of the sums, and numbers for the rest. */
function operandsOf(c: Case) {
  const { ic, oc, kh, kw, stride, padding, depthwise = false } = c;
  const inputs = depthwise ? 1 : ic;
  const next = random(c.seed);
  const values = (seed: number, n: number, low: number): Int8Array =>
    c.extreme ? int8Values(seed, n, 0, 1).map((v) => (v ? 127 : low)) : int8Values(seed, n, low);
  const input = { shape: [c.height, c.width, ic] as const, data: values(c.seed, c.height * c.width * ic, -128) };
  const weights = values(c.seed + 1, oc * kh * kw * inputs, -127);
  const size = 127 * 64 * Math.sqrt(kh * kw * inputs);
  const bias = Int32Array.from({ length: oc }, () => Math.round((next() - 0.5) * size));
  const oh = padding === "same" ? Math.ceil(c.height / stride) : Math.floor((c.height - kh) / stride) + 1;
  const ow = padding === "same" ? Math.ceil(c.width / stride) : Math.floor((c.width - kw) / stride) + 1;
  const residualShape = [oh, ow, c.residual === "one" ? 1 : oc] as const;
  const residualLength = c.residual === "none" ? 0 : residualShape.reduce((product, n) => product * n);
  const filter = { shape: [oc, kh, kw, inputs] as const, weights };
  return { next, input, filter, bias, size, residualShape, residualLength };
}

/** Runs a case on the kernel of `algorithm` and on the oracle. */
export function both(
  kernels: KernelInstance,
  c: Case,
  algorithm: ConvSpecS8["algorithm"],
): { kernel: Int8Array; oracle: Int8Array } {
  const { ic, oc, kh, kw, stride, padding, inputZeroPoint, outputZeroPoint, depthwise = false } = c;
  const { next, input, filter, bias, size, residualShape, residualLength } = operandsOf(c);
  // From mostly inside int8 to mostly saturating, some exactly on a half.
  const spread = c.extreme ? 1 : 2 ** Math.floor(next() * 6 - 3);
  const multipliers = Float32Array.from({ length: oc }, () =>
    next() < 0.2 ? 2 ** -9 : (spread * (0.2 + next()) * 100) / size,
  );
  const negativeMultipliers = c.slopes ? multipliers.map((m) => m * (next() * 2 - 0.5)) : undefined;
  const qmin = c.clamp === "none" ? -128 : outputZeroPoint;
  const qmax = c.clamp === "relu6" ? Math.min(127, outputZeroPoint + 40) : 127;
  const residual = residualLength === 0 ? undefined : int8Values(c.seed + 2, residualLength);
  const residualZeroPoint = Math.floor(next() * 256) - 128;
  const residualMultipliers = Float32Array.from({ length: oc }, () => 0.01 + next() * 2);
  const finish = {
    bias,
    multipliers,
    ...(negativeMultipliers && { negativeMultipliers }),
    inputZeroPoint,
    outputZeroPoint,
    qmin,
    qmax,
  };
  const added = { zeroPoint: residualZeroPoint, multipliers: residualMultipliers };
  const spec: ConvSpecS8 = {
    dtype: "s8",
    ic,
    oc,
    kh,
    kw,
    stride,
    depthwise,
    weights: filter.weights,
    ...finish,
    ...(residual && { residual: { broadcast: residualShape[2] < oc, ...added } }),
    algorithm,
  };
  const options: ConvS8Options = {
    stride,
    padding,
    depthwise,
    ...finish,
    ...(residual && { residual: { map: { shape: residualShape, data: residual }, ...added } }),
  };
  const oracle = conv2dS8(input, filter, options).data;
  return { kernel: runConvolution(kernels, spec, input.shape, padding, input.data, residual), oracle };
}

/**
 * The same with an output that stays real; the case's clamps stand for limits.
 * @param added what the residual is: int8 has multipliers, f32 none
 */
export function bothReal(
  kernels: KernelInstance,
  c: Case,
  algorithm: ConvSpecS8["algorithm"],
  added: "f32" | "int8",
): { kernel: Float32Array; oracle: Float32Array } {
  const { ic, oc, kh, kw, stride, padding, inputZeroPoint, depthwise = false } = c;
  const { next, input, filter, bias, size, residualShape, residualLength } = operandsOf(c);
  // Some powers of two, which f32(acc) keeps all its bits by.
  const multipliers = Float32Array.from({ length: oc }, () => (next() < 0.2 ? 2 ** -9 : (0.2 + next()) / size));
  const limits = {
    minimum: c.clamp === "none" ? Number.NEGATIVE_INFINITY : 0,
    maximum: c.clamp === "relu6" ? 1 : Number.POSITIVE_INFINITY,
  };
  const strange = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 3e38];
  const value = () => (c.slopes && next() < 0.1 ? strange[Math.floor(next() * strange.length)]! : next() * 3 - 1);
  const real = Float32Array.from({ length: residualLength }, value);
  const rounded = {
    map: { shape: residualShape, data: int8Values(c.seed + 2, residualLength) },
    zeroPoint: Math.floor(next() * 256) - 128,
    multipliers: Float32Array.from({ length: oc }, () => next() / 128),
  };
  const negative = c.slopes && { negativeMultipliers: multipliers.map((m) => m * (next() * 2 - 0.5)) };
  const finish = { bias, multipliers, ...negative, inputZeroPoint, ...limits };
  const { map, ...scaling } = rounded;
  const spec: ConvSpecS8 = {
    dtype: "s8",
    ic,
    oc,
    kh,
    kw,
    stride,
    depthwise,
    weights: filter.weights,
    ...finish,
    outputZeroPoint: 0,
    qmin: -128,
    qmax: 127,
    ...(residualLength > 0 && {
      residual: { broadcast: residualShape[2] < oc, ...(added === "int8" && scaling) },
    }),
    algorithm,
  };
  const residual = residualLength > 0 && {
    residual: added === "int8" ? scaledResidual(rounded) : { shape: residualShape, data: real },
  };
  const oracle = conv2dS8Real(input, filter, { stride, padding, depthwise, ...finish, ...residual }).data;
  const data = residualLength === 0 ? undefined : added === "int8" ? map.data : real;
  const kernel = runConvolution<Int8Array, Float32Array>(kernels, spec, input.shape, padding, input.data, data);
  return { kernel, oracle };
}

export function fits(c: Case): boolean {
  return c.padding === "same" || (c.height >= c.kh && c.width >= c.kw);
}

/** A layer with everything on; cases change what they are about. */
export const layer: Case = {
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
