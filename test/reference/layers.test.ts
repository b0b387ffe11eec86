import { describe, expect, it } from "vitest";
import { erf, plainActivation } from "../../src/network/activations.ts";
import { conv2dTranspose, globalAverage, layerNorm, maxPool, subsample } from "../../src/reference/layers.ts";

const make = (length: number) => new Float64Array(length);
const map = (shape: readonly [number, number, number], values: readonly number[]) => ({
  shape,
  data: Float64Array.from(values),
});

describe("activations", () => {
  it("erf has its known values", () => {
    // Abramowitz and Stegun, table 7.1.
    expect(erf(0)).toBe(0);
    expect(erf(0.5)).toBeCloseTo(0.5204998778, 10);
    expect(erf(-1)).toBeCloseTo(-0.8427007929, 10);
    expect(erf(2)).toBeCloseTo(0.995322265, 10);
    expect(erf(7)).toBe(1);
    expect(erf(Number.NaN)).toBeNaN();
  });

  it("hard-swish is 0, 0, 3 at -3, 0, 3; exact GELU differs from the tanh form", () => {
    expect([-3, 0, 3].map((x) => plainActivation("hard-swish", x))).toEqual([-0, 0, 3]);
    const tanh = (x: number) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    const grid = Array.from({ length: 1201 }, (_, i) => i / 100 - 6);
    const most = Math.max(...grid.map((x) => Math.abs(plainActivation("gelu", x) - tanh(x))));
    expect(most).toBeGreaterThan(4e-4);
    expect(most).toBeLessThan(5e-4);
  });
});

describe("layers", () => {
  it("layer norm has mean 0 and variance 1 over the channels of each pixel", () => {
    const ones = { scale: make(3).fill(1), offset: make(3), epsilon: 1e-12 };
    const { data } = layerNorm(map([1, 2, 3], [1, 2, 3, 10, 10, 40]), ones, make);
    const root = Math.sqrt(1.5);
    expect([...data].map((x) => +x.toFixed(9))).toEqual(
      [-root, 0, root, -Math.SQRT1_2, -Math.SQRT1_2, Math.SQRT2].map((x) => +x.toFixed(9)),
    );
  });

  it("global average is the mean of each channel", () => {
    expect(globalAverage(map([2, 1, 2], [1, 10, 3, 30]), make)).toEqual(map([1, 1, 2], [2, 20]));
  });

  it("max pooling leaves the padding out", () => {
    const x = map([2, 2, 1], [-4, -3, -2, -1]);
    const options = { kernel: [3, 3], stride: 2, padding: 1 } as const;
    expect(maxPool(x, options, make)).toEqual(map([1, 1, 1], [-1]));
    const bytes = maxPool({ shape: [1, 1, 1], data: Int8Array.of(-128) }, options, (n) => new Int8Array(n));
    expect(bytes.data).toEqual(Int8Array.of(-128));
  });

  it("subsample takes every second pixel and puts zeros around its channels", () => {
    const x = map([3, 2, 1], [1, 2, 3, 4, 5, 6]);
    const y = subsample(x, { stride: 2, channels: 3, before: 1 }, make);
    expect(y).toEqual(map([2, 1, 3], [0, 1, 0, 0, 5, 0]));
  });

  it("a transposed convolution is the transpose of the strided one", () => {
    // One input value spreads its kernel from (k - stride) / 2 before its place on.
    const weights = { shape: [1, 1, 3, 1], data: Float32Array.of(1, 2, 3) };
    const y = conv2dTranspose(
      map([1, 2, 1], [1, 10]),
      { kernel: [1, 3], stride: 2, channels: 1 },
      weights,
      undefined,
      make,
    );
    expect([...y.data.subarray(0, 4)]).toEqual([1, 2, 3 + 10, 20]);
  });
});
