/** The hash of the golden outputs: values written by its Python twin, to the bit. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashTensor, hashValue, roleOf } from "./hash-weights.ts";

interface Example {
  readonly name: string;
  readonly shape: readonly number[];
  readonly gain: number;
  readonly sum: number;
  readonly values: readonly (readonly [number, number])[];
}

const { examples }: { examples: Example[] } = JSON.parse(
  readFileSync(new URL("./hash-weights.json", import.meta.url), "utf8"),
);

describe("hashTensor", () => {
  it.each(examples)("$name $shape has the values of hash_weights.py", ({ name, shape, gain, sum, values }) => {
    const tensor = hashTensor(name, shape, gain);
    expect(values.map(([index]) => [index, tensor[index]])).toEqual(values);
    // Float64 sums of at most 511,000 values below 2 differ by the order of additions only.
    expect(Math.abs(tensor.reduce((total, value) => total + value, 0) - sum)).toBeLessThan(1e-6);
  });

  it("covers every role", () => {
    expect(new Set(examples.map(({ name, shape }) => roleOf(name, shape))).size).toBe(7);
  });

  it("refuses a name without a role", () => {
    expect(() => hashTensor("bn.num_batches_tracked", [])).toThrow('no role for the tensor "bn.num_batches_tracked"');
  });
});

describe("hashValue", () => {
  it("lies in [-1, 1) and is exact in float32, whatever the index", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(2 ** 31 - 1), fc.boolean(), (name, low, high) => {
        const value = hashValue(name, low + (high ? 2 ** 31 : 0));
        return value >= -1 && value < 1 && Math.fround(value) === value;
      }),
    );
  });
});
