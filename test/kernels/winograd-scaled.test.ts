import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PackedConvolution } from "../../src/kernels/convolution/packed.ts";
import type { ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import type { WinogradS8 } from "../../src/kernels/winograd/algorithms.ts";
import { accumulatorRange } from "../../src/quantization/accumulator.ts";
import { conv2dS8 } from "../../src/reference/conv2d-s8.ts";
import { winogradScaledS8 } from "../../src/reference/winograd-s8.ts";
import { type FilterScaling, GRANULARITIES, scaleFilters } from "../../src/winograd/filter-scaling.ts";
import { gain, INT8, magnitude, reach as reachOf } from "../../src/winograd/growth.ts";
import { nestedOfKernel, WINOGRAD_KERNELS } from "../../src/winograd/kernel-table.ts";
import { apply, filterPlanes, inputPlanes, type Nested, outputPlanes } from "../../src/winograd/nested.ts";
import { int8Values, runConvolution } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const runs = process.env.WASMOGRAD_SLOW ? 400 : 40;

/** int8 kernels whose scale is a power of two: rounded filters are no multiples of anything else. */
const SCALABLE = WINOGRAD_KERNELS.filter(({ dtype }) => dtype === "s8")
  .map((entry) => [entry.algorithm as WinogradS8, nestedOfKernel(entry)] as const)
  .filter(([, nested]) => nested.result.odd === 1n);

interface Layer {
  readonly seed: number;
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly oc: number;
  readonly zeroPoint: number;
  readonly size: number;
  readonly scaling: FilterScaling;
}

function specOf({ seed, shape, oc, zeroPoint, size, scaling }: Layer, algorithm: WinogradS8): ConvSpecS8 {
  const ic = shape[2];
  return {
    dtype: "s8",
    ic,
    oc,
    kh: size,
    kw: size,
    stride: 1,
    weights: int8Values(seed, oc * size * size * ic, -127),
    bias: Int32Array.from(int8Values(seed + 1, oc), (b) => b * 50),
    multipliers: new Float32Array(oc).fill(1 / (60 * size * Math.sqrt(ic))),
    negativeMultipliers: new Float32Array(oc).fill(0.25 / (60 * size * Math.sqrt(ic))),
    inputZeroPoint: zeroPoint,
    outputZeroPoint: 3,
    qmin: -128,
    qmax: 127,
    algorithm,
    filterScaling: scaling,
  };
}

function twinOptions(spec: ConvSpecS8) {
  const { residual: _, negativeMultipliers, ...rest } = spec;
  return { ...rest, stride: 1, padding: "same" as const, ...(negativeMultipliers && { negativeMultipliers }) };
}

const anyLayer = (size: number): fc.Arbitrary<Layer> =>
  fc.record({
    seed: fc.nat(),
    shape: fc.tuple(fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 19 })),
    oc: fc.integer({ min: 1, max: 19 }),
    zeroPoint: fc.constantFrom(-128, -17, 0, 127),
    size: fc.constant(size),
    scaling: fc.record({ bits: fc.integer({ min: 8, max: 16 }), granularity: fc.constantFrom(...GRANULARITIES) }),
  });

describe.each(SCALABLE)("scaled filters, %s", (algorithm, nested) => {
  const size = nested.vertical.algorithm.r;

  test("the kernel equals its twin bit for bit, 8 to 16 bits, every granularity", () => {
    fc.assert(
      fc.property(anyLayer(size), (layer) => {
        const spec = specOf(layer, algorithm);
        const x = int8Values(
          layer.seed + 2,
          layer.shape.reduce((a, b) => a * b),
        );
        const kernel = runConvolution(kernels, spec, layer.shape, "same", x);
        const filter = { shape: [spec.oc, size, size, spec.ic] as const, weights: spec.weights };
        const twin = winogradScaledS8(
          { shape: layer.shape, data: x },
          filter,
          twinOptions(spec),
          nested,
          layer.scaling,
        );
        expect(kernel).toEqual(twin.data);
      }),
      { numRuns: runs },
    );
  });

  test("16 bits round nothing: direct convolution, bit for bit", () => {
    const layer: Layer = {
      seed: 5,
      shape: [9, 10, 12],
      oc: 9,
      zeroPoint: -20,
      size,
      scaling: { bits: 16, granularity: "tap" },
    };
    const spec = specOf(layer, algorithm);
    const x = int8Values(7, 9 * 10 * 12);
    const filter = { shape: [9, size, size, 12] as const, weights: spec.weights };
    const direct = conv2dS8({ shape: layer.shape, data: x }, filter, twinOptions(spec)).data;
    expect(runConvolution(kernels, spec, layer.shape, "same", x)).toEqual(direct);
  });

  test("an input at its zero point gives the bias and nothing else, however coarse the filters", () => {
    const layer: Layer = {
      seed: 8,
      shape: [7, 6, 16],
      oc: 5,
      zeroPoint: 93,
      size,
      scaling: { bits: 8, granularity: "static" },
    };
    const spec = specOf(layer, algorithm);
    const y = runConvolution(kernels, spec, layer.shape, "same", new Int8Array(7 * 6 * 16).fill(93));
    const expected = conv2dS8(
      { shape: [1, 1, 1], data: Int8Array.of(93) },
      { shape: [5, 1, 1, 1], weights: new Int8Array(5) },
      { ...twinOptions(spec), padding: "same" },
    ).data;
    for (let i = 0; i < y.length; i += 5) expect(y.slice(i, i + 5)).toEqual(expected);
  });

  test("8 bits take half the memory of the exact filters", () => {
    const layer: Layer = {
      seed: 1,
      shape: [4, 4, 16],
      oc: 16,
      zeroPoint: 0,
      size,
      scaling: { bits: 8, granularity: "tap" },
    };
    const { filterScaling: _, ...exact } = specOf(layer, algorithm);
    const sizeOf = (spec: ConvSpecS8): number => {
      const packed = new PackedConvolution(kernels, spec);
      packed.dispose();
      return packed.filterBytes;
    };
    const pairs = 16 * 16;
    expect(sizeOf(exact)).toBe(2 * nested.planes.length * pairs);
    expect(sizeOf(specOf(layer, algorithm))).toBe(nested.planes.length * pairs);
    expect(sizeOf({ ...exact, filterScaling: { bits: 9, granularity: "tap" } })).toBe(2 * nested.planes.length * pairs);
  });
});

/** What a scaled layer's results can reach at most, by the exact matrices: the exact sum, and what rounding may add to it. */
function reach(spec: ConvSpecS8, nested: Nested, scaling: FilterScaling): number {
  const { ic, weights, bias, inputZeroPoint: zeroPoint } = spec;
  const filters = filterPlanes(nested);
  const taps = filters[0]!.length;
  const transformed = new Int32Array(ic * filters.length);
  for (let c = 0; c < ic; c++) {
    const g = Array.from({ length: taps }, (_, t) => weights[t * ic + c]!);
    transformed.set(apply(filters, g), c * filters.length);
  }
  const shape = { outputChannels: 1, inputChannels: ic, planes: filters.length };
  const { values, shifts } = scaleFilters(transformed, shape, scaling, { gains: filters.map(gain) });
  const inputs = inputPlanes(nested).map((row) => 2 * magnitude(reachOf(row, INT8)));
  const outputs = nested.planes.map((_, p) => Math.max(...outputPlanes(nested).map((row) => Math.abs(row[p]!))));
  let error = 0;
  for (const [i, u] of transformed.entries()) {
    const p = i % filters.length;
    error += Math.abs(values[i]! * 2 ** shifts[p]! - u) * inputs[p]! * outputs[p]!;
  }
  const { low, high } = accumulatorRange(weights, 1, { zeroPoint, bias });
  return Number(nested.result.scale) * Math.max(-low[0]!, high[0]!) + error;
}

test("a layer is refused exactly when what it can reach leaves int32: rounding, zero point and bias count", () => {
  const algorithm = "f4x4-3x3-complex";
  const nested = SCALABLE.find(([id]) => id === algorithm)![1];
  const scaling = { bits: 8, granularity: "static" } as const;
  let [refused, taken] = [0, 0];
  for (const [ic, weight, zeroPoint, bias] of [
    [400, 127, 0, 0],
    [460, 127, -128, 0],
    [461, 127, -128, 0],
    [900, 63, 0, 0],
    [900, 125, 0, 0],
    [916, 126, 0, 0],
    [700, 101, 0, 0],
    [750, 101, 0, 0],
    [800, 101, 0, 0],
    [850, 101, 0, 0],
    [100, 101, 0, 2 ** 26],
    [100, 101, 0, 2 ** 27 - 1],
    [100, 101, 0, -(2 ** 26) * 1.7],
    // Exact filters just fit; rounding is what leaves int32.
    [100, 101, 0, -(2 ** 27 - 1 - 128 * 100 * 900)],
  ] as const) {
    const layer: Layer = { seed: 3, shape: [4, 4, ic], oc: 1, zeroPoint, size: 3, scaling };
    // Weights that rounding moves as far as it can: neighbours of each other.
    const weights = Int8Array.from({ length: 9 * ic }, (_, i) => weight - (i % 3));
    const spec = { ...specOf(layer, algorithm), weights, bias: Int32Array.of(bias) };
    const fits = reach(spec, nested, scaling) < 2 ** 31;
    const make = () => new PackedConvolution(kernels, spec).dispose();
    if (fits) expect(make, `${ic} channels, bias ${bias}`).not.toThrow();
    else expect(make, `${ic} channels, bias ${bias}`).toThrow(/filterScaling: sums of output channel 0 reach/);
    if (fits) taken++;
    else refused++;
  }
  expect(Math.min(refused, taken)).toBeGreaterThan(3);
});

test("sums that could leave int32 with rounded filters are refused", () => {
  const ic = 917;
  const weights = new Int8Array(9 * ic).fill(127);
  const spec: ConvSpecS8 = {
    ...specOf(
      { seed: 1, shape: [4, 4, ic], oc: 1, zeroPoint: 0, size: 3, scaling: { bits: 8, granularity: "tap" } },
      "f4x4-3x3-complex",
    ),
    weights,
    bias: new Int32Array(1),
  };
  expect(() => new PackedConvolution(kernels, spec)).toThrow(/filterScaling: sums of output channel 0 reach/);
});
