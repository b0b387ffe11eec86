import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseSafetensors, serialiseSafetensors, type TensorToWrite } from "../../src/formats/safetensors.ts";
import { loadWeights, saveWeights } from "../../src/formats/weights-file.ts";
import { buildModel } from "../../src/models/registry.ts";
import { sesr } from "../../src/models/sesr.ts";
import type { Weights } from "../../src/network/description.ts";
import { randomModel } from "../network/random-model.ts";

/** What PyTorch would write: filters [out, in, height, width]. */
function asOihw(weights: Weights): Map<string, TensorToWrite> {
  return new Map(
    [...weights].map(([name, { shape, data }]): [string, TensorToWrite] => {
      if (shape.length !== 4) return [name, { shape, data }];
      const [o, h, w, i] = shape as [number, number, number, number];
      const moved = data.map((_, at) => {
        const [x, y, c] = [at % w, Math.floor(at / w) % h, Math.floor(at / (w * h)) % i];
        return data[((Math.floor(at / (w * h * i)) * h + y) * w + x) * i + c]!;
      });
      return [name, { shape: [o, i, h, w], data: moved }];
    }),
  );
}

describe("loadWeights", () => {
  const { network, weights } = randomModel(sesr({ variant: "m3", scale: 2 }), 9);
  const metadata = (layout?: string) => new Map(layout ? [["layout", layout]] : []);

  it("brings OIHW, the default and by name, into OHWI", () => {
    for (const layout of [undefined, "OIHW"]) {
      expect(loadWeights(serialiseSafetensors(asOihw(weights), metadata(layout)), network)).toEqual(weights);
    }
  });

  it("takes the matrices of fully connected layers, which PyTorch writes with two axes", () => {
    const model = randomModel(buildModel("resnet20-cifar"), 3);
    const file = asOihw(model.weights);
    file.set("linear.weight", { shape: [10, 64], data: model.weights.get("linear.weight")!.data });
    expect(loadWeights(serialiseSafetensors(file), model.network)).toEqual(model.weights);
  });

  it("reads back what saveWeights writes, with its metadata", () => {
    const bytes = saveWeights(weights, new Map([["variant", "m3"]]));
    expect(loadWeights(bytes, network)).toEqual(weights);
    expect(Object.fromEntries(parseSafetensors(bytes).metadata)).toEqual({ variant: "m3", layout: "OHWI" });
  });

  it("refuses an unknown layout, integers, and weights of another network", () => {
    expect(() => loadWeights(serialiseSafetensors(asOihw(weights), metadata("HWIO")), network)).toThrow(
      expect.objectContaining({
        code: "ERR_FORMAT",
        message: expect.stringContaining('expected OIHW or OHWI, got "HWIO"'),
      }),
    );
    const integers = asOihw(weights).set("last.bias", { shape: [4], data: new Int32Array(4) });
    expect(() => loadWeights(serialiseSafetensors(integers), network)).toThrow(
      expect.objectContaining({
        code: "ERR_WEIGHTS",
        message: expect.stringContaining('"last.bias": expected dtype F32'),
      }),
    );
    expect(() => loadWeights(saveWeights(weights), sesr({ variant: "m5", scale: 2 }))).toThrow(
      expect.objectContaining({
        code: "ERR_WEIGHTS",
        message: expect.stringContaining('"blocks.3.weight" is missing'),
      }),
    );
  });

  it("reads the trained SESR-M5 x2", () => {
    const path = new URL("../../weights/sesr-m5-x2.safetensors", import.meta.url);
    const trained = loadWeights(readFileSync(path), sesr({ variant: "m5", scale: 2 }));
    expect(trained.get("blocks.4.weight")!.shape).toEqual([16, 3, 3, 16]);
  });
});
