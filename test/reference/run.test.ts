import { describe, expect, it } from "vitest";
import { sesr } from "../../src/models/sesr.ts";
import type { Network } from "../../src/network/description.ts";
import { inferShapes } from "../../src/network/shapes.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { quantise } from "../../src/quantization/quantise.ts";
import { runReference, runReferenceF64, runReferenceQuantised } from "../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../network/random-model.ts";

const network = sesr({ variant: "m3", scale: 2 });
const model = randomModel(network, 1);
const picture = randomMap(seeded(2), [5, 6, 1]);

describe("runReference", () => {
  it("returns every tensor at its inferred shape", () => {
    const tensors = runReference(model, picture);
    for (const [name, [h, w, c]] of inferShapes(network, [5, 6])) expect(tensors.get(name)).toHaveLength(h * w * c);
    expect(tensors.get("x")).toEqual(picture.data);
  });

  it("differs from float64 storage by rounding only", () => {
    const wide = runReferenceF64(model, picture);
    for (const [name, values] of runReference(model, picture)) {
      expect(relativeError(values, wide.get(name)!)).toBeLessThanOrEqual(1e-6);
    }
  });

  it("runs an unsorted description", () => {
    const shuffled: Network = { ...network, layers: network.layers.toReversed() };
    expect(runReference({ ...model, network: shuffled }, picture).get("y")).toEqual(
      runReference(model, picture).get("y"),
    );
  });

  it.each([
    [
      "missing weights",
      () => runReference({ network, weights: new Map() }, picture),
      "ERR_WEIGHTS",
      '"first.weight" is missing',
    ],
    [
      "other channels",
      () => runReference(model, randomMap(seeded(1), [2, 2, 3])),
      "ERR_SHAPE",
      "input: expected 1 channels, got 3",
    ],
    [
      "data of another length",
      () => runReference(model, { shape: [5, 6, 1], data: new Float32Array(29) }),
      "ERR_SHAPE",
      "expected 30 values for [5,6,1], got 29",
    ],
    [
      "an empty picture",
      () => runReference(model, { shape: [0, 6, 1], data: new Float32Array() }),
      "ERR_SHAPE",
      "positive integers, got [0,6]",
    ],
  ])("refuses %s", (_, act, code, message) => {
    expect(act).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});

describe("runReferenceQuantised", () => {
  const quantised = quantise(model, calibrate(model, [picture], runReference, { fixed: { x: { min: 0, max: 1 } } }));

  it("returns int8 values of every tensor", () => {
    const tensors = runReferenceQuantised(quantised, { shape: [5, 6, 1], data: new Int8Array(30) });
    for (const { name } of quantised.network.layers) expect(tensors.get(name)).toBeInstanceOf(Int8Array);
    expect(tensors.get("y")).toHaveLength(120);
  });

  it("refuses input of another length", () => {
    expect(() => runReferenceQuantised(quantised, { shape: [5, 6, 1], data: new Int8Array(31) })).toThrow(
      expect.objectContaining({ code: "ERR_SHAPE" }),
    );
  });
});
