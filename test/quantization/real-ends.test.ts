/** What `quantise` makes of networks whose ends stay real. */
import { describe, expect, test } from "vitest";
import { sesr } from "../../src/models/sesr.ts";
import type { Layer, Network } from "../../src/network/description.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { type QuantiseOptions, quantise, type RealFilter } from "../../src/quantization/quantise.ts";
import { restoreModel, storeModel } from "../../src/quantization/stored-model.ts";
import { runReference, runReferenceQuantised } from "../../src/reference/run.ts";
import { roundHalfEven } from "../../src/rounding.ts";
import { random as seeded } from "../_helpers/random.ts";
import { bare, conv, net, twoOffsets } from "../_helpers/real-ends.ts";
import { randomMap, randomModel } from "../network/random-model.ts";

function make(network: Network, options?: QuantiseOptions) {
  const channels = network.layers.find((layer) => layer.op === "input")!.channels;
  const model = randomModel(network);
  const fixed = { x: { min: 0, max: 1 } };
  const calibration = calibrate(model, [randomMap(seeded(4), [12, 10, channels])], runReference, { fixed });
  return quantise(model, calibration, options);
}
const real = { boundary: "f32" } as const;
const low: Layer = { op: "offset", name: "low", input: "x", value: -0.5 };

describe("SESR", () => {
  const network = sesr({ variant: "m3", scale: 4 });
  const [ends, plain] = [make(network, real), make(network)];

  test("says which tensors stay real, and how the input is rounded", () => {
    expect(ends.real).toEqual(new Set(["x", "y", "upscaled.x2", "cells"]));
    const int8 = [...plain.tensors].filter(([name]) => name === "x" || !ends.real!.has(name));
    expect(ends.tensors).toEqual(new Map(int8));
    expect(ends.tensors.get("x")).toEqual({ scale: 0.5 / 127, zeroPoint: -128 });
  });

  test("reads the input in two parts, of which the first has the weights that one would have", () => {
    const whole = plain.network.layers.map((layer) =>
      layer.op === "offset" ? { op: "split", name: layer.name, input: layer.input } : layer,
    );
    expect(ends.network).toEqual({ ...plain.network, layers: whole });
    const [{ weights, ...rest }, one] = [ends.filters.get("first")!, plain.filters.get("first")!];
    expect({ ...rest, weights: weights.filter((_, i) => i % 2 === 0) }).toEqual(one);
    const eighths = weights.filter((_, i) => i % 2 === 1);
    expect(eighths).toEqual(one.weights.map((w) => roundHalfEven(w / 8)));
  });

  test("keeps all between the ends, and gives the last convolution real multipliers and limits", () => {
    for (const [name, filter] of plain.filters)
      if (name !== "cells" && name !== "first") expect(ends.filters.get(name)).toEqual(filter);
    const last = ends.filters.get("cells") as RealFilter;
    const { weights, weightScales, bias } = plain.filters.get("cells")!;
    const { scale } = ends.tensors.get("features")!;
    const multipliers = weightScales.map((own) => scale * own);
    expect(last).toEqual({ weights, weightScales, bias, multipliers, minimum: 0, maximum: 1 });
  });

  test("is as it was without the option", () => {
    expect(make(network, {})).toEqual(plain);
    expect(make(network, { boundary: "int8" })).toEqual(plain);
    expect("real" in plain).toBe(false);
  });

  test("is nearer to f32 than with int8 ends", () => {
    const map = randomMap(seeded(8), [12, 10, 1], 0.1, 0.9);
    const expected = runReference(randomModel(network), map).get("y")!;
    const error = (values: ArrayLike<number>) =>
      Math.sqrt(expected.reduce((sum, v, i) => sum + (v - values[i]!) ** 2, 0) / expected.length);
    const { scale } = plain.tensors.get("x")!;
    const bytes = Int8Array.from(map.data, (v) => Math.round(v / scale) - 128);
    const rounded = runReferenceQuantised(plain, { shape: map.shape, data: bytes }).get("y")!;
    const whole = error(Float32Array.from(rounded, (q) => (q + 128) / 255));
    expect(error(runReferenceQuantised(ends, map).get("y")!)).toBeLessThan(0.9 * whole);
  });
});

test("clips become the limits, one after the other; without one there are none", () => {
  expect(make(twoOffsets, real).filters.get("y")).toBeUndefined();
  const { network, filters } = make(twoOffsets, real);
  expect(network.layers.at(-2)!.name).toBe("low.clip");
  const limits = { minimum: Math.fround(-0.1), maximum: Math.fround(0.7) };
  expect(filters.get("low.clip")).toMatchObject(limits);
  const open = { minimum: Number.NEGATIVE_INFINITY, maximum: Number.POSITIVE_INFINITY };
  expect(make(bare, real).filters.get("y")).toMatchObject(open);
  const apart = net(
    "apart",
    1,
    low,
    conv("a", "low", 1),
    { op: "clip", name: "b", input: "a", min: 0, max: 1 },
    {
      op: "clip",
      name: "y",
      input: "b",
      min: 2,
      max: 3,
    },
  );
  expect(make(apart, real).filters.get("y")).toMatchObject({ minimum: 2, maximum: 2 });
});

test.each([sesr({ variant: "m3", scale: 2 }), bare, twoOffsets])("$name is stored as JSON and restored", (network) => {
  const model = make(network, real);
  expect(restoreModel(storeModel(model))).toEqual(model);
  expect(restoreModel(JSON.parse(JSON.stringify(storeModel(model))))).toEqual(model);
});

test("the oracle asks for f32", () => {
  const model = make(bare, real);
  const input = { shape: [1, 2, 3] as const, data: new Int8Array(6) };
  expect(() => runReferenceQuantised(model, input)).toThrow("input: data: expected Float32Array, got Int8Array");
  const floats = { shape: [1, 2, 3] as const, data: new Float32Array(6) };
  expect(() => runReferenceQuantised(make(bare), floats)).toThrow("input: data: expected Int8Array, got Float32Array");
});

describe("refuses, in one line, ends that cannot stay real", () => {
  const output =
    /^boundary: f32: expected the output of n from a convolution without activation, with the unscaled input as its/;
  const readers = (got: string) =>
    new RegExp(`^boundary: f32: expected no readers of x but offsets and the .* y, got ${got}$`);
  const a = conv("a", "low", 4);
  const cases: [string, Network, RegExp][] = [
    ["a convolution on the input", net("n", 4, conv("a", "x", 4), conv("y", "a", 4)), readers("conv2d a")],
    ["one convolution alone", net("n", 4, conv("y", "x", 4)), readers("conv2d y")],
    [
      "the residual of another layer",
      net("n", 4, low, a, { op: "add", name: "s", inputs: ["a", "x"] }, conv("y", "s", 4)),
      readers("conv2d s"),
    ],
    [
      "a residual of another tensor",
      net("n", 4, low, a, conv("b", "a", 4), { op: "add", name: "y", inputs: ["b", "a"] }),
      output,
    ],
    [
      "a scaled residual",
      net("n", 4, low, a, conv("y", "a", 4, { residual: { tensor: "x", position: "before-activation", scale: "s" } })),
      output,
    ],
    ["an activation at the end", net("n", 4, low, conv("y", "low", 4, { activation: { kind: "relu" } })), output],
    ["a sum at the end", net("n", 4, low, a, conv("b", "a", 1), { op: "add", name: "y", inputs: ["a", "b"] }), output],
    ["an offset at the end", net("n", 4, low, a, { op: "offset", name: "y", input: "a", value: 0.5 }), output],
  ];
  test.each(cases)("%s", (_, network, message) => {
    expect(() => make(network, real)).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED" }));
    expect(() => make(network, real)).toThrow(message);
  });

  test("another boundary", () => {
    expect(() => make(bare, { boundary: "int4" as never })).toThrow('boundary: expected "int8" or "f32", got int4');
  });
});
