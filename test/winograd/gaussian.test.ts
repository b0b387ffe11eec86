import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WasmogradError } from "../../src/errors.ts";
import { Gaussian, gaussianGcd } from "../../src/winograd/gaussian.ts";
import { formatMatrix, polynomial, primitive } from "../../src/winograd/matrix.ts";

const integer = fc.bigInt({ min: -60n, max: 60n });
const gaussian = fc
  .tuple(integer, integer, fc.bigInt({ min: 1n, max: 60n }))
  .map(([re, im, den]) => Gaussian.of(re, im, den));
const nonZero = gaussian.filter((z) => !z.isZero());

describe("parse and print", () => {
  test.each(["0", "-1", "1/2", "-3/2", "i", "-i", "1+i", "1-i", "-3/2i", "1/2-1/2i", "2i"])("%s comes back", (text) => {
    expect(String(Gaussian.parse(text))).toBe(text);
  });

  test("other spellings", () => {
    const spelt = ["+1", "2/4", " 0/5 ", "-0", "0+i", "1i", "+i", "1+0i", "-6/4i"];
    expect(spelt.map((text) => String(Gaussian.parse(text)))).toEqual([
      "1",
      "1/2",
      "0",
      "0",
      "i",
      "i",
      "i",
      "1",
      "-3/2i",
    ]);
  });

  test.each(["", "x", "1/0", "1//2", "i1", "1 + i", "2ii", "1.5", "1+", "--1", "1i2", "12i3i"])(
    "%j is refused",
    (text) => {
      expect(() => Gaussian.parse(text)).toThrow(WasmogradError);
      expect(() => Gaussian.parse(text)).toThrow(/^point: expected a number such as .*got "/);
    },
  );

  test("12i is twelve i, not 1 and 2i", () => {
    expect(Gaussian.parse("12i").equals(Gaussian.of(0, 12))).toBe(true);
  });

  test("any value comes back from its text", () => {
    fc.assert(fc.property(gaussian, (z) => Gaussian.parse(String(z)).equals(z)));
  });
});

describe("arithmetic", () => {
  test("a field", () => {
    fc.assert(
      fc.property(gaussian, gaussian, nonZero, (a, b, c) => {
        expect(
          a
            .add(b)
            .mul(c)
            .equals(a.mul(c).add(b.mul(c))),
        ).toBe(true);
        expect(a.sub(b).add(b).equals(a)).toBe(true);
        expect(a.div(c).mul(c).equals(a)).toBe(true);
        expect(a.mul(b).conj().equals(a.conj().mul(b.conj()))).toBe(true);
      }),
    );
  });

  test("by the rule of numbers", () => {
    const i = Gaussian.I;
    expect(i.mul(i).equals(Gaussian.of(-1))).toBe(true);
    expect(String(Gaussian.of(1, 1).pow(3))).toBe("-2+2i");
    expect(String(Gaussian.of(4, -6, -8))).toBe("-1/2+3/4i");
    expect(() => Gaussian.ONE.div(Gaussian.ZERO)).toThrow(WasmogradError);
    expect(() => Gaussian.of(1, 1).toNumber()).toThrow(WasmogradError);
    expect(() => Gaussian.of(2n ** 60n).toNumber()).toThrow(WasmogradError);
  });

  test("units rotate into the first quadrant", () => {
    fc.assert(
      fc.property(nonZero, (z) => {
        const rotated = z.div(z.unit());
        expect(z.unit().isUnit()).toBe(true);
        expect(rotated.re > 0n && rotated.im >= 0n).toBe(true);
      }),
    );
  });

  test("the greatest common divisor divides both and leaves nothing common", () => {
    const whole = fc.tuple(integer, integer).map(([re, im]) => Gaussian.of(re, im));
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        fc.pre(!a.isZero() || !b.isZero());
        const g = gaussianGcd(a, b);
        expect(a.div(g).isInteger() && b.div(g).isInteger()).toBe(true);
        expect(gaussianGcd(a.div(g), b.div(g)).equals(Gaussian.ONE)).toBe(true);
      }),
    );
  });
});

test("primitive rows", () => {
  const { content, row } = primitive(["1/4+1/4i", "-1/4+1/4i", "-1/4-1/4i"].map(Gaussian.parse));
  expect([String(content), row.join(" ")]).toEqual(["1/4+1/4i", "1 i -1"]);
});

test("polynomials from their roots", () => {
  expect(polynomial(["0", "1", "-1", "i"].map(Gaussian.parse)).join(" ")).toBe("0 i -1 -i 1");
});

test("matrices print in columns", () => {
  expect(formatMatrix([["1", "-i"].map(Gaussian.parse), ["10", "0"].map(Gaussian.parse)])).toEqual([
    "[ 1 -i]",
    "[10  0]",
  ]);
});
