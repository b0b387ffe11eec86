import { describe, expect, test } from "vitest";
import { compareF32, compareInt8, F32_TOLERANCE } from "../../bench/peers/comparison.mjs";

const shape = [1, 2, 3];
const quantization = { scale: 0.5, zeroPoint: 3 };
/** NHWC: two pixels of three channels. */
const ours = Int8Array.of(-128, -1, 0, 5, 6, 127);

describe("int8 outputs against ours", () => {
  test("the same in every encoding and order", () => {
    const nchw = [-128, 5, -1, 6, 0, 127];
    const same = { outputs: 6, differing: 0, largest: 0 };
    const compare = (values: ArrayLike<number>, layout: "NHWC" | "NCHW", encoding: "int8" | "uint8" | "real") =>
      compareInt8(ours, values, { layout, encoding, shape, quantization });
    expect(compare(ours, "NHWC", "int8")).toEqual(same);
    expect(compare(Int8Array.from(nchw), "NCHW", "int8")).toEqual(same);
    expect(
      compare(
        Uint8Array.from(nchw, (q) => q + 128),
        "NCHW",
        "uint8",
      ),
    ).toEqual(same);
    expect(
      compare(
        Float32Array.from(ours, (q) => (q - 3) * 0.5),
        "NHWC",
        "real",
      ),
    ).toEqual(same);
  });

  test("differences are counted in steps", () => {
    const theirs = Int8Array.of(-127, -1, 0, 5, 3, 127);
    const found = compareInt8(ours, theirs, { layout: "NHWC", encoding: "int8", shape, quantization });
    expect(found).toEqual({ outputs: 6, differing: 2, largest: 3 });
  });

  test("where a case has a tolerance, the largest difference is held against it", () => {
    const theirs = Int8Array.of(-127, -1, 0, 5, 3, 127);
    const form = { layout: "NHWC", encoding: "int8", shape, quantization } as const;
    const counted = { outputs: 6, differing: 2, largest: 3 };
    expect(compareInt8(ours, theirs, { ...form, tolerance: 3 })).toEqual({ ...counted, tolerance: 3, within: true });
    expect(compareInt8(ours, theirs, { ...form, tolerance: 2 })).toEqual({ ...counted, tolerance: 2, within: false });
  });

  test("another length is refused", () => {
    const form = { layout: "NHWC", encoding: "int8", shape, quantization } as const;
    expect(() => compareInt8(ours, new Int8Array(5), form)).toThrow("output: expected 6 values, got 5");
  });
});

describe("f32 outputs against ours", () => {
  const values = Float32Array.of(1, -2, 0.5, 0, 4, 3);

  test("relative to the largest value", () => {
    const theirs = values.map((v, i) => (i === 0 ? v + 2 ** -16 : v));
    const found = compareF32(values, theirs, { layout: "NHWC", shape });
    expect(found).toEqual({ outputs: 6, relative: 0.00000381, tolerance: F32_TOLERANCE, within: true });
  });

  test("another order of the values is outside the tolerance, what is not a number is refused", () => {
    expect(compareF32(values, values, { layout: "NCHW", shape }).within).toBe(false);
    const broken = values.map((v, i) => (i === 2 ? Number.NaN : v));
    expect(() => compareF32(values, broken, { layout: "NHWC", shape })).toThrow(
      "output[2]: expected a finite number, got NaN",
    );
  });
});
