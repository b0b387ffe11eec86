import { describe, expect, it } from "vitest";
import { SESR_VARIANTS, type SesrOptions, type SesrVariant, sesr } from "../../src/models/sesr.ts";
import type { Model, Weight } from "../../src/network/description.ts";
import { weightShapes } from "../../src/network/weights.ts";
import { runReference } from "../../src/reference/run.ts";
import { randomMap, randomModel, seeded } from "../network/random-model.ts";

/** A model whose kernels and biases are all zero; slopes are arbitrary. */
function zeroModel(options: SesrOptions): Model {
  const model = randomModel(sesr(options), 2);
  const weights = new Map<string, Weight>();
  for (const [name, { shape, data }] of model.weights) {
    weights.set(name, { shape, data: name.endsWith(".slope") ? data : new Float32Array(data.length) });
  }
  return { ...model, weights };
}

function nearest(data: Float32Array, [height, width]: readonly number[], scale: number): number[] {
  const pixel = (i: number) => {
    const y = Math.floor(i / (width! * scale) / scale);
    const x = Math.floor((i % (width! * scale)) / scale);
    return data[y * width! + x]!;
  };
  return Array.from({ length: height! * width! * scale ** 2 }, (_, i) => pixel(i));
}

describe("sesr", () => {
  it.each([2, 4] as const)("with zero kernels returns nearest-neighbour upsampling, x%i", (scale) => {
    const picture = randomMap(seeded(1), [5, 7, 1]);
    for (const form of ["collapsed", "expanded"] as const) {
      const y = runReference(zeroModel({ variant: "m3", scale, form }), picture).get("y")!;
      expect([...y]).toEqual(nearest(picture.data, [5, 7], scale));
    }
  });

  it("clips the result to [0, 1] only at the end", () => {
    const model = zeroModel({ variant: "m3", scale: 2 });
    const weights = new Map(model.weights).set("last.bias", { shape: [4], data: Float32Array.of(2, -2, 0.25, 0) });
    const picture = { shape: [1, 1, 1] as const, data: Float32Array.of(0.5) };
    const tensors = runReference({ ...model, weights }, picture);
    expect([...tensors.get("cells")!]).toEqual([2.5, -1.5, 0.75, 0.5]);
    expect([...tensors.get("y")!]).toEqual([1, 0, 0.75, 0.5]);
  });

  it("x4 lays channel 8*dy1 + 4*dx1 + 2*dy2 + dx2 at row 2*dy1 + dy2, column 2*dx1 + dx2", () => {
    const model = zeroModel({ variant: "m3", scale: 4 });
    const bias = Float32Array.from({ length: 16 }, (_, c) => c / 16);
    const weights = new Map(model.weights).set("last.bias", { shape: [16], data: bias });
    const picture = { shape: [1, 1, 1] as const, data: Float32Array.of(0) };
    const y = [...runReference({ ...model, weights }, picture).get("y")!].map((v) => v * 16);
    expect(y).toEqual([0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
  });

  it("has the middle blocks, features and expansion of its variant", () => {
    for (const [variant, { blocks, features, expansion }] of Object.entries(SESR_VARIANTS)) {
      const shapes = weightShapes(sesr({ variant: variant as SesrVariant, scale: 2, form: "expanded" }));
      expect([...shapes.keys()].filter((name) => name.endsWith(".slope"))).toHaveLength(blocks);
      expect(shapes.get("blocks.0.expand.weight")).toEqual([expansion, 3, 3, features]);
    }
  });

  it.each([
    [{ variant: "m4", scale: 2 }, "variant: expected one of m3, m5, m7, m11, xl, got m4"],
    [{ variant: "m5", scale: 3 }, "scale: expected 2 or 4, got 3"],
    [{ variant: "m5", scale: 2, form: "flat" }, 'form: expected "collapsed" or "expanded", got flat'],
  ])("refuses %o", (options, message) => {
    expect(() => sesr(options as SesrOptions)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", message }));
  });
});
