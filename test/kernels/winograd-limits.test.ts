import { describe, expect, test } from "vitest";
import { type ConvAlgorithm, type ConvSpecS8, PackedConvolution } from "../../src/kernels/convolution/convolution.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { accumulateS8, conv2dS8 } from "../../src/reference/conv2d-s8.ts";
import { CF4X4_PRODUCTS, transformFilterCf4x4 } from "../../src/winograd/cf4x4-filter.ts";
import { int8Values, runConvolution } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const SHAPE = [5, 6] as const;

function specOf(
  ic: number,
  oc: number,
  weights: Int8Array,
  algorithm: ConvAlgorithm,
  scale: number,
): Omit<ConvSpecS8, "residual"> {
  return {
    dtype: "s8",
    ic,
    oc,
    kh: 3,
    kw: 3,
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
  const filter = { shape: [spec.oc, 3, 3, spec.ic] as const, weights: spec.weights };
  return conv2dS8(map, filter, { ...spec, stride: 1, padding: "same" }).data;
}

describe("channel limits of complex Winograd", () => {
  test("917 channels of the worst weights fit one block, 918 do not", () => {
    for (const [ic, blocks] of [
      [917, 1],
      [918, 2],
    ] as const) {
      const weights = new Int8Array(9 * ic).fill(127);
      const spec = { ...specOf(ic, 1, weights, "winograd", 2 ** -24), bias: new Int32Array(1) };
      const packed = new PackedConvolution(kernels, spec);
      expect(Math.ceil(ic / packed.blocks.channels)).toBe(blocks);
      packed.dispose();
    }
  });

  test.each([
    ["all inputs -128 and weights 127, 917 channels: 16 acc just fits", 917, -128, 127],
    ["918 channels: summed in blocks", 918, -128, 127],
    ["2000 channels of the other sign", 2000, -128, -127],
  ])("%s", (_, ic, x, w) => {
    const oc = 3;
    const weights = new Int8Array(oc * 9 * ic).fill(w);
    for (let i = 0; i < weights.length; i += 97) weights[i] = 1; // so that the channels differ
    const input = new Int8Array(SHAPE[0] * SHAPE[1] * ic).fill(x);
    const spec = specOf(ic, oc, weights, "winograd", 2 ** -21);
    const kernel = runConvolution(kernels, spec, [...SHAPE, ic], "same", input);
    expect(kernel).toEqual(oracleOf(spec, input));
  });

  test("random data over 1000 channels with blocks of odd size", () => {
    const ic = 1003;
    const oc = 9;
    const weights = int8Values(5, oc * 9 * ic, -127);
    for (let i = 0; i < weights.length; i++) if (weights[i]! > -100) weights[i] = 127; // heavy enough to need blocks
    const spec = specOf(ic, oc, weights, "winograd", 2 ** -16);
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
    const k3 = transformFilterCf4x4(filter)[16 + 2]!;
    expect(k3).toBe(24 * 127);
    expect(ic * k3 * (127 + 128 + 128 + 127)).toBeGreaterThan(2 ** 31);
    const spec = { ...specOf(ic, 1, weights, "winograd", 2 ** -19), bias: new Int32Array(1) };
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
      const spec = { ...specOf(ic, oc, weights, "winograd", 2 ** -25), bias: Int32Array.of(size, -size, size >> 1) };
      const input = int8Values(ic + 50, SHAPE[0] * SHAPE[1] * ic);
      const kernel = runConvolution(kernels, spec, [...SHAPE, ic], "same", input);
      expect(kernel, `${ic} channels, bias ${size}`).toEqual(oracleOf(spec, input));
    }
  }
});

test("46 stored values a filter, none above 24 * 127", () => {
  const taps = transformFilterCf4x4(new Int8Array(9).fill(127));
  expect(taps).toHaveLength(CF4X4_PRODUCTS);
  let largest = 0;
  for (let bits = 0; bits < 512; bits++) {
    const g = Array.from({ length: 9 }, (_, i) => ((bits >> i) & 1 ? 127 : -127));
    for (const t of transformFilterCf4x4(g)) largest = Math.max(largest, Math.abs(t));
  }
  expect(largest).toBe(24 * 127);
});
