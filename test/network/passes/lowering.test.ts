import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Layer, Network } from "../../../src/network/description.ts";
import { lowerMixed } from "../../../src/network/passes/lower-mixed.ts";
import { lowerTransposed } from "../../../src/network/passes/lower-transposed.ts";
import { halo } from "../../../src/network/receptive-field.ts";
import { runReferenceF64 } from "../../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../random-model.ts";

describe("lowerTransposed", () => {
  it("gives the values of the transposed convolution, any kernel and stride, biased or not", () => {
    fc.assert(
      fc.property(
        fc.record({
          kernel: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
          stride: fc.integer({ min: 2, max: 4 }),
          channels: fc.integer({ min: 1, max: 3 }),
          biased: fc.boolean(),
          seed: fc.nat(1e6),
        }),
        ({ kernel, stride, channels, biased, seed }) => {
          const up: Layer = {
            op: "conv2d-transpose",
            name: "y",
            input: "x",
            kernel,
            stride,
            channels,
            weights: "w",
            ...(biased && { bias: "b" }),
          };
          const network: Network = { name: "n", layers: [{ op: "input", name: "x", channels: 2 }, up], output: "y" };
          const model = randomModel(network, seed);
          const map = randomMap(seeded(seed), [5, 4, 2], -1, 1);
          const expected = runReferenceF64(model, map).get("y")!;
          const lowered = lowerTransposed(model);
          expect(relativeError(runReferenceF64(lowered, map).get("y")!, expected)).toBeLessThanOrEqual(1e-14);
          expect(halo(network)).toEqual(halo(lowered.network));
        },
      ),
      { numRuns: 80 },
    );
  });
});

describe("lowerMixed", () => {
  it.each([0, 0.25, 1])("gives a * h(x) + (1 - a) * x at a = %s, behind factors too", (amount) => {
    const network: Network = {
      name: "n",
      layers: [
        { op: "input", name: "x", channels: 2 },
        { op: "activation", name: "m", input: "x", activation: { kind: "mixed", of: "hard-swish", amount } },
        {
          op: "activation",
          name: "y",
          input: "m",
          activation: { kind: "mixed", of: "gelu", amount },
          affine: { scale: "s", offset: "o" },
        },
      ],
      output: "y",
    };
    const model = randomModel(network);
    const map = randomMap(seeded(3), [4, 4, 2], -5, 5);
    const lowered = lowerMixed(model);
    expect(lowered.network.layers.some((l) => l.op === "activation" && l.activation.kind === "mixed")).toBe(false);
    const expected = runReferenceF64(model, map).get("y")!;
    expect(relativeError(runReferenceF64(lowered, map).get("y")!, expected)).toBeLessThanOrEqual(1e-7);
  });
});
