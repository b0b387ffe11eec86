import { describe, expect, it } from "vitest";
import { fromFloat16, widenBfloat16, widenFloat16 } from "../../src/formats/half-floats.ts";

describe("half floats", () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x83ff, -1023 * 2 ** -24],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
  ])("binary16 0x%s is %d", (bits, value) => {
    expect(fromFloat16(bits)).toBe(value);
  });

  it("orders all positive binary16 values as their bits", () => {
    for (let bits = 0; bits < 0x7c00; bits++) expect(fromFloat16(bits + 1)).toBeGreaterThan(fromFloat16(bits));
    expect(widenFloat16(Uint16Array.of(0x3c00, 0x3800))).toEqual(Float32Array.of(1, 0.5));
  });

  it("widens bfloat16 by zeros", () => {
    expect(widenBfloat16(Uint16Array.of(0x3f80, 0xc040, 0x7f80))).toEqual(
      Float32Array.of(1, -3, Number.POSITIVE_INFINITY),
    );
  });
});
