import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadWeights } from "../../src/formats/weights-file.ts";
import { buildModel } from "../../src/models/registry.ts";
import { entropyOf, measuredSize } from "../../src/quantization/weight-entropy.ts";
import { device } from "../../src/timing/devices/registry.ts";
import { simulate } from "../../src/timing/simulate.ts";

describe("entropy", () => {
  it("lies between 0 and 8 bits, is 0 of equal values and log2 n of n that all differ", () => {
    expect(entropyOf(new Int8Array(100).fill(3))).toBe(0);
    expect(entropyOf(Int8Array.from({ length: 64 }, (_, i) => i))).toBeCloseTo(6, 12);
    fc.assert(
      fc.property(fc.int8Array({ minLength: 1, maxLength: 400 }), (values) => {
        const bits = entropyOf(values);
        expect(bits).toBeGreaterThanOrEqual(0);
        expect(bits).toBeLessThanOrEqual(Math.min(8, Math.log2(values.length)) + 1e-9);
        expect(entropyOf(values.toReversed())).toBeCloseTo(bits, 9);
      }),
    );
  });
});

describe("measured sizes", () => {
  const network = buildModel("sesr-m5");
  const file = fileURLToPath(new URL("../../weights/sesr-m5-x2.safetensors", import.meta.url));

  it("of the shipped weights are below a byte a value, and make the flash less busy", () => {
    const target = device("ethos-u55-128");
    const input = [128, 128] as const;
    const model = { network, weights: loadWeights(readFileSync(file), network) };
    const encodedSize = measuredSize(model);
    const sizes: number[] = [];
    const measured = simulate(model.network, target, {
      input,
      encodedSize: (operation) => {
        const size = encodedSize(operation);
        expect(size).toBeLessThan(operation.filter.values);
        expect(size).toBeGreaterThan(0.4 * operation.filter.values);
        sizes.push(size);
        return size;
      },
    });
    expect(sizes.length).toBeGreaterThanOrEqual(7);
    const plain = simulate(model.network, target, { input });
    expect(measured.total.flashBytes).toBeLessThan(plain.total.flashBytes);
    expect(measured.total.ms).toBeLessThanOrEqual(plain.total.ms);
  });
});
