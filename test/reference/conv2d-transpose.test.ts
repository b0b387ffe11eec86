import { describe, expect, it } from "vitest";
import { conv2dTranspose } from "../../src/reference/conv2d-transpose.ts";

const make = (length: number) => new Float64Array(length);
const map = (shape: readonly [number, number, number], values: readonly number[]) => ({
  shape,
  data: Float64Array.from(values),
});

describe("conv2dTranspose", () => {
  it("spreads each input over its kernel, from (k - stride) / 2 before its place on", () => {
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
