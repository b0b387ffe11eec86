import { describe, expect, it } from "vitest";
import { sesr } from "../../src/models/sesr.ts";
import type { Network } from "../../src/network/description.ts";
import { checkWeights, weightShapes } from "../../src/network/weights.ts";
import { randomModel } from "./random-model.ts";

describe("weightShapes", () => {
  it("names the collapsed export's tensors in OHWI", () => {
    const shapes = weightShapes(sesr({ variant: "m3", scale: 2 }));
    expect(Object.fromEntries(shapes)).toEqual({
      "first.weight": [16, 5, 5, 1],
      "first.bias": [16],
      ...Object.fromEntries(
        [0, 1, 2].flatMap((i) => [
          [`blocks.${i}.weight`, [16, 3, 3, 16]],
          [`blocks.${i}.bias`, [16]],
          [`blocks.${i}.slope`, [16]],
        ]),
      ),
      "last.weight": [4, 5, 5, 16],
      "last.bias": [4],
    });
  });

  it("names the expanded export's tensors", () => {
    const shapes = weightShapes(sesr({ variant: "m11", scale: 4, form: "expanded" }));
    expect(shapes.get("first.expand.weight")).toEqual([64, 5, 5, 1]);
    expect(shapes.get("first.expand.bias")).toEqual([64]);
    expect(shapes.get("blocks.10.project.weight")).toEqual([16, 1, 1, 64]);
    expect(shapes.get("blocks.10.slope")).toEqual([16]);
    expect(shapes.get("last.project.bias")).toEqual([16]);
    expect(shapes.size).toBe(2 * 4 + 11 * 5);
  });

  it("refuses one name for two shapes", () => {
    const conv = { op: "conv2d", kernel: [1, 1], stride: 1, padding: "same", weights: "w" } as const;
    const network: Network = {
      name: "n",
      layers: [
        { op: "input", name: "x", channels: 1 },
        { ...conv, name: "a", input: "x", channels: 2 },
        { ...conv, name: "b", input: "a", channels: 2 },
      ],
      output: "b",
    };
    expect(() => weightShapes(network)).toThrow('weight "w": expected one shape, got [2,1,1,1] and [2,1,1,2]');
  });
});

describe("checkWeights", () => {
  it("accepts what fits", () => {
    const { network, weights } = randomModel(sesr({ variant: "m3", scale: 2 }));
    expect(() => checkWeights(network, weights)).not.toThrow();
  });

  it("lists every fault in one line", () => {
    const { network, weights } = randomModel(sesr({ variant: "m3", scale: 2 }));
    const broken = new Map(weights);
    broken.delete("first.bias");
    broken.set("spare", { shape: [1], data: new Float32Array(1) });
    broken.set("last.weight", { shape: [4, 16, 5, 5], data: new Float32Array(1600) });
    broken.set("blocks.0.slope", { shape: [16], data: new Float32Array(15) });
    broken.set("blocks.1.slope", { shape: [16], data: new Float32Array(16).fill(Number.NaN) });
    const expected =
      'weights of "sesr-m3-x2": "first.bias" is missing, expected [16]; "blocks.0.slope" has 15 values, expected 16; ' +
      '"blocks.1.slope" is NaN at index 0, expected finite values; ' +
      '"last.weight" has shape [4,16,5,5], expected [4,5,5,16]; "spare" is not a weight of the network';
    expect(() => checkWeights(network, broken)).toThrow(
      expect.objectContaining({ code: "ERR_WEIGHTS", message: expected }),
    );
  });
});
