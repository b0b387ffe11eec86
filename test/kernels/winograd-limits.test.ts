import { describe, expect, test } from "vitest";
import { PackedConvolution } from "../../src/kernels/convolution/packed.ts";
import type { ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { winogradKernel } from "../../src/kernels/winograd/algorithms.ts";
import { transformFilter } from "../../src/kernels/winograd/filter.ts";
import { accumulateS8, conv2dS8 } from "../../src/reference/conv2d-s8.ts";
import { nestedOf } from "../../src/winograd/catalogue.ts";
import { inputPlanes } from "../../src/winograd/nested.ts";
import { int8Values, runConvolution } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const SHAPE = [5, 6] as const;
const COMPLEX = winogradKernel("s8", "f4x4-3x3-complex")!;
const factorsOf = (g: ArrayLike<number>): Float64Array => transformFilter(COMPLEX, g, new Float64Array(COMPLEX.planes));

function specOf(
  ic: number,
  oc: number,
  weights: Int8Array,
  algorithm: ConvSpecS8["algorithm"],
  scale: number,
): Omit<ConvSpecS8, "residual"> {
  return {
    dtype: "s8",
    ic,
    oc,
    kh: Math.sqrt(weights.length / (oc * ic)),
    kw: Math.sqrt(weights.length / (oc * ic)),
    stride: 1,
    weights,
    bias: Int32Array.from({ length: oc }, (_, o) => o * 1000 - 500),
    multipliers: new Float32Array(oc).fill(scale),
    inputZeroPoint: 0,
    outputZeroPoint: 0,
    qmin: -128,
    qmax: 127,
    algorithm,
  };
}

function oracleOf(spec: Omit<ConvSpecS8, "residual">, input: Int8Array): Int8Array {
  const map = { shape: [...SHAPE, spec.ic] as [number, number, number], data: input };
  const filter = { shape: [spec.oc, spec.kh, spec.kw, spec.ic] as const, weights: spec.weights };
  return conv2dS8(map, filter, { ...spec, stride: 1, padding: "same" }).data;
}

/** The published limits: channels of inputs at -128 and weights at +-127 whose scaled sums just fit int32. */
const LIMITS = [
  ["f2x2-3x3", 3669],
  ["f4x4-3x3-complex", 917],
  ["f4x4-3x3-rational", 229],
  ["f4x4-3x3-half", 3669],
  ["f2x2-5x5-complex", 330],
] as const;

describe.each(LIMITS)("channel limit of %s", (algorithm, limit) => {
  const size = winogradKernel("s8", algorithm)!.r;

  test(`${limit} channels of the worst weights fit one block, ${limit + 1} do not`, () => {
    for (const [ic, blocks] of [
      [limit, 1],
      [limit + 1, 2],
    ] as const) {
      const weights = new Int8Array(size ** 2 * ic).fill(127);
      const spec = { ...specOf(ic, 1, weights, algorithm, 2 ** -24), bias: new Int32Array(1) };
      const packed = new PackedConvolution(kernels, spec);
      expect(Math.ceil(ic / packed.blocks.channels)).toBe(blocks);
      packed.dispose();
    }
  });

  test.each([
    ["at the limit, the largest sums there are", limit, -128, 127],
    ["one channel more: summed in blocks", limit + 1, -128, 127],
    ["more than twice as many, of the other sign", 2 * limit + 150, -128, -127],
  ])("%s", (_, ic, x, w) => {
    const oc = 3;
    const weights = new Int8Array(oc * size ** 2 * ic).fill(w);
    for (let i = 0; i < weights.length; i += 97) weights[i] = 1; // so that the channels differ
    const input = new Int8Array(SHAPE[0] * SHAPE[1] * ic).fill(x);
    const spec = specOf(ic, oc, weights, algorithm, 2 ** -21);
    const kernel = runConvolution(kernels, spec, [...SHAPE, ic], "same", input);
    expect(kernel).toEqual(oracleOf(spec, input));
  });
});

test("the zero point counts: 600 channels of the worst weights fit with zero point 0 and not with -128 or 127", () => {
  const ic = 600;
  const weights = new Int8Array(9 * ic).fill(127);
  for (const [inputZeroPoint, blocked] of [
    [0, false],
    [-128, true],
    [127, true],
  ] as const) {
    const spec = { ...specOf(ic, 1, weights, "f4x4-3x3-complex", 2 ** -24), bias: new Int32Array(1), inputZeroPoint };
    const packed = new PackedConvolution(kernels, spec);
    expect(packed.blocks.blocked).toBe(blocked);
    packed.dispose();
    for (const x of [-128, 127]) {
      const input = new Int8Array(SHAPE[0] * SHAPE[1] * ic).fill(x);
      expect(runConvolution(kernels, spec, [...SHAPE, ic], "same", input)).toEqual(oracleOf(spec, input));
    }
  }
});

test("rational F(4x4): products wrap from 75 channels on, results stay exact to 229", () => {
  // Inputs that make plane (3, 3) as large as it gets, 36 * 127.5 in the mean, and filters that do the same there, 49 * 127.
  const rational = winogradKernel("s8", "f4x4-3x3-rational")!;
  const plane = nestedOf("f4x4-3x3-rational", { form: "split" }).planes.findIndex((p) => p.row === 3 && p.column === 3);
  const coefficients = inputPlanes(nestedOf("f4x4-3x3-rational", { form: "split" }))[plane]!;
  const ic = 229;
  const tile = coefficients.map((c) => (c > 0 ? -128 : 127));
  const filter = rational.filter.slice(plane * 9, plane * 9 + 9).map((c) => (c > 0 ? 127 : -127));
  const input = Int8Array.from({ length: 36 * ic }, (_, i) => tile[Math.floor(i / ic)]!);
  const weights = Int8Array.from({ length: 9 * ic }, (_, i) => filter[Math.floor(i / ic)]!);
  const V = coefficients.reduce((sum, c, i) => sum + c * tile[i]!, 0);
  const U = transformFilter(rational, filter, new Float64Array(rational.planes))[plane]!;
  expect(Math.abs(U)).toBe(49 * 127);
  expect(75 * Math.abs(V * U)).toBeLessThan(2 ** 31);
  expect(76 * Math.abs(V * U)).toBeGreaterThan(2 ** 31);
  const spec = { ...specOf(ic, 1, weights, "f4x4-3x3-rational", 2 ** -19), bias: new Int32Array(1) };
  const kernel = runConvolution(kernels, spec, [6, 6, ic], "valid", input);
  const map = { shape: [6, 6, ic] as [number, number, number], data: input };
  const options = { ...spec, stride: 1, padding: "valid" } as const;
  expect(kernel).toEqual(conv2dS8(map, { shape: [1, 3, 3, ic], weights }, options).data);
  expect(new Set(kernel).size).toBeGreaterThan(2);
});

describe("complex Winograd in blocks", () => {
  test("random data over 1000 channels with blocks of odd size", () => {
    const ic = 1003;
    const oc = 9;
    const weights = int8Values(5, oc * 9 * ic, -127);
    for (let i = 0; i < weights.length; i++) if (weights[i]! > -100) weights[i] = 127; // heavy enough to need blocks
    const spec = specOf(ic, oc, weights, "f4x4-3x3-complex", 2 ** -16);
    const packed = new PackedConvolution(kernels, spec);
    expect(packed.blocks.channels).toBeLessThan(ic);
    packed.dispose();
    const input = int8Values(6, SHAPE[0] * SHAPE[1] * ic);
    expect(runConvolution(kernels, spec, [...SHAPE, ic], "same", input)).toEqual(oracleOf(spec, input));
  });

  test("an accumulator of the products wraps, the result is exact", () => {
    // Row 0 of the filter makes 2(c+d) of the pair (0, i) as large as it gets, 24 * 127; four pixels do the same for its left
    // factor b. Six of the nine weights are zero, so 2000 channels still satisfy 16 |acc| < 2^31 in one block.
    const ic = 2000;
    const filter = [127, 127, -127, 0, 0, 0, 0, 0, 0];
    const weights = Int8Array.from({ length: 9 * ic }, (_, i) => filter[Math.floor(i / ic)]!);
    const input = new Int8Array(36 * ic);
    const b = [
      [0, 3, 127],
      [4, 3, -128],
      [0, 1, -128],
      [4, 1, 127],
    ] as const;
    for (const [y, x, v] of b) input.fill(v, (y * 6 + x) * ic, (y * 6 + x + 1) * ic);
    const k3 = factorsOf(filter)[16 + 2]!;
    expect(k3).toBe(24 * 127);
    expect(ic * k3 * (127 + 128 + 128 + 127)).toBeGreaterThan(2 ** 31);
    const spec = { ...specOf(ic, 1, weights, "f4x4-3x3-complex", 2 ** -19), bias: new Int32Array(1) };
    const packed = new PackedConvolution(kernels, spec);
    expect(packed.blocks.channels).toBe(ic);
    packed.dispose();
    const kernel = runConvolution(kernels, spec, [6, 6, ic], "valid", input);
    const map = { shape: [6, 6, ic] as [number, number, number], data: input };
    const options = { ...spec, stride: 1, padding: "valid" } as const;
    expect(kernel).toEqual(conv2dS8(map, { shape: [1, 3, 3, ic], weights }, options).data);
    expect(new Set(kernel).size).toBeGreaterThan(2);
  });
});

test("direct convolution: int32 accumulators wrap as the oracle's do", () => {
  const ic = 16000;
  const weights = new Int8Array(9 * ic).fill(127);
  const input = new Int8Array(SHAPE[0] * SHAPE[1] * ic).fill(127);
  const spec = { ...specOf(ic, 1, weights, "direct", 2 ** -25), bias: new Int32Array(1) };
  const map = { shape: [...SHAPE, ic] as [number, number, number], data: input };
  const filter = { shape: [1, 3, 3, ic] as const, weights };
  const sums = accumulateS8(map, filter, { stride: 1, padding: "same", inputZeroPoint: 0 }).data;
  expect(127 * 127 * 9 * ic).toBeGreaterThan(2 ** 31);
  expect(Math.min(...sums)).toBeLessThan(0); // only a wrapped sum of positive products is negative
  expect(runConvolution(kernels, spec, [...SHAPE, ic], "same", input)).toEqual(oracleOf(spec, input));
});

test("biases near the ends of int32, few and many channels: summed apart when 16 times the sum would not fit", () => {
  for (let ic = 1; ic <= 17; ic++) {
    for (const size of [2 ** 26, 2 ** 27, 2e8, 2 ** 30, 2 ** 31 - 1]) {
      const oc = 3;
      const weights = int8Values(ic, oc * 9 * ic, -127).map((w, i) => (i < 9 * ic ? 0 : w)); // the first filter is dead
      const spec = {
        ...specOf(ic, oc, weights, "f4x4-3x3-complex", 2 ** -25),
        bias: Int32Array.of(size, -size, size >> 1),
      };
      const input = int8Values(ic + 50, SHAPE[0] * SHAPE[1] * ic);
      const kernel = runConvolution(kernels, spec, [...SHAPE, ic], "same", input);
      expect(kernel, `${ic} channels, bias ${size}`).toEqual(oracleOf(spec, input));
    }
  }
});

test("46 stored values a filter, none above 24 * 127", () => {
  const taps = factorsOf(new Int8Array(9).fill(127));
  expect(taps).toHaveLength(46);
  let largest = 0;
  for (let bits = 0; bits < 512; bits++) {
    const g = Array.from({ length: 9 }, (_, i) => ((bits >> i) & 1 ? 127 : -127));
    for (const t of factorsOf(g)) largest = Math.max(largest, Math.abs(t));
  }
  expect(largest).toBe(24 * 127);
});
