/** Tensors that stay real between int8 convolutions and are read in two parts: what `quantise` makes of them, and what the engine computes. */
import { describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { sesr } from "../../src/models/sesr.ts";
import type { Layer, Network, Shape } from "../../src/network/description.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { type QuantiseOptions, quantise, type RealFilter } from "../../src/quantization/quantise.ts";
import { restoreModel, storeModel } from "../../src/quantization/stored-model.ts";
import { runReference, runReferenceQuantised } from "../../src/reference/run.ts";
import { random as seeded } from "../_helpers/random.ts";
import { conv, net } from "../_helpers/real-ends.ts";
import { randomMap, randomModel } from "../network/random-model.ts";

const shape: Shape = [13, 17, 1];
const m3 = sesr({ variant: "m3", scale: 2 });

function make(network: Network, options: QuantiseOptions, input = shape) {
  const model = randomModel(network);
  const calibration = calibrate(model, [randomMap(seeded(4), input)], runReference, {
    fixed: { x: { min: 0, max: 1 } },
  });
  return quantise(model, calibration, options);
}

const bytes = (values: Float32Array, scale: number, zeroPoint: number) =>
  Int8Array.from(values, (v) => Math.max(-128, Math.min(127, Math.round(v / scale) + zeroPoint)));

/** Every kind of output that can be fine, one behind the other. */
const every = net(
  "every",
  1,
  { op: "offset", name: "low", input: "x", value: -0.5 },
  conv("relu", "low", 9, { activation: { kind: "relu" } }),
  conv("relu6", "relu", 8, { activation: { kind: "relu6" }, kernel: [5, 5] }),
  conv("bare", "relu6", 3),
  conv("small", "bare", 12, { kernel: [1, 1] }),
  { op: "clip", name: "clipped", input: "small", min: -0.3, max: 0.2 },
  conv("rest", "clipped", 12, { activation: { kind: "prelu", slope: "rest.slope" } }),
  { op: "add", name: "sum", inputs: ["rest", "wide"] },
  conv("wide", "clipped", 12, { stride: 1 }),
  conv("zeros", "sum", 6, { activation: { kind: "relu" }, residual: { tensor: "one", position: "after-activation" } }),
  conv("one", "sum", 1),
  conv("y", "zeros", 4, { stride: 2 }),
);
const FINE = ["relu", "relu6", "bare", "clipped", "sum", "zeros"];

describe("SESR's features", () => {
  const options = { boundary: "f32", fine: ["features"] } as const;
  const [fine, plain] = [make(m3, options), make(m3, { boundary: "f32" })];

  test("stay real, are split behind, and the last convolution has two weights a channel", () => {
    expect(fine.real).toEqual(new Set([...plain.real!, "features"]));
    const at = fine.network.layers.findIndex(({ name }) => name === "features");
    expect(fine.network.layers[at + 1]).toEqual({ op: "split", name: "features.parts", input: "features" });
    expect(fine.network.layers.find(({ name }) => name === "y" || name === "cells")).toBeDefined();
    expect(fine.tensors.get("features.parts")).toEqual(fine.tensors.get("features"));
    expect(fine.tensors.get("features")).toEqual(plain.tensors.get("features"));
    const last = [...fine.filters.keys()].at(-1)!;
    expect(fine.filters.get(last)!.weights.length).toBe(2 * plain.filters.get(last)!.weights.length);
  });

  test("are what would be rounded otherwise", () => {
    const [real, rounded] = [fine.filters.get("features") as RealFilter, plain.filters.get("features")!];
    const { scale } = plain.tensors.get("features")!;
    for (const vector of ["multipliers", "negativeMultipliers", "residualMultipliers"] as const) {
      for (const [o, m] of real[vector]!.entries()) expect(m / scale / rounded[vector]![o]!).toBeCloseTo(1, 6);
    }
    expect([real.minimum, real.maximum]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  test("bring the result nearer to f32", () => {
    const map = randomMap(seeded(8), shape, 0.1, 0.9);
    const expected = runReference(randomModel(m3), map).get("y")!;
    const error = (model: typeof fine) => {
      const values = runReferenceQuantised(model, map).get("y")!;
      return Math.sqrt(expected.reduce((sum, v, i) => sum + (v - values[i]!) ** 2, 0) / expected.length);
    };
    expect(error(fine)).toBeLessThan(0.95 * error(plain));
  });

  test("are stored as JSON and restored", () => {
    expect(restoreModel(JSON.parse(JSON.stringify(storeModel(fine))))).toEqual(fine);
  });
});

describe.each([
  ["ends in f32", "f32"],
  ["ends in int8", "int8"],
] as const)("the engine equals the oracle bit for bit: %s", (_, boundary) => {
  test.each([
    ["SESR's features", m3, ["features"]],
    ["every tensor of SESR that can be", m3, ["blocks.0.prelu", "blocks.1.prelu", "features"]],
    ["activations, clips, residuals, sums", every, FINE],
  ] as [string, Network, string[]][])("%s", async (_, network, fine) => {
    const model = make(network, { boundary, fine });
    for (const algorithm of ["auto", "direct", "winograd"] as const) {
      using compiled = await compile(model, { algorithm });
      for (const [height, width] of [shape, [1, 1], [8, 3], [30, 29]] as const) {
        const map = randomMap(seeded(height), [height, width, 1], -0.2, 1.2);
        if (boundary === "f32") {
          expect(compiled.run(map).data, algorithm).toEqual(runReferenceQuantised(model, map).get(network.output));
        } else {
          const { scale, zeroPoint } = model.tensors.get("x")!;
          const rounded = { shape: map.shape, data: bytes(map.data, scale, zeroPoint) };
          expect(compiled.runInt8(rounded).data, algorithm).toEqual(
            runReferenceQuantised(model, rounded).get(network.output),
          );
        }
      }
    }
  });

  test("in strips of any height", async () => {
    using compiled = await compile(make(m3, { boundary: "f32", fine: ["features"] }));
    const { data } = randomMap(seeded(9), [40, 17, 1], 0, 1);
    const run = (stripRows: number) => {
      const plan = compiled.createPlan(40, 17, { stripRows });
      const output = new Float32Array(80 * 34);
      compiled.runReal(plan, data, output);
      plan.dispose();
      return output;
    };
    const whole = run(40);
    for (const rows of [1, 3, 7, 16]) expect(run(rows), `${rows} rows`).toEqual(whole);
  });
});

test("limits of real outputs are those of the activation and of the clip behind", () => {
  const { filters } = make(every, { boundary: "f32", fine: FINE });
  const limits = (name: string) => {
    const { minimum, maximum } = filters.get(name) as RealFilter;
    return [minimum, maximum];
  };
  expect(limits("relu")).toEqual([0, Number.POSITIVE_INFINITY]);
  expect(limits("relu6")).toEqual([0, 6]);
  expect(limits("clipped")).toEqual([-0.3, 0.2].map(Math.fround));
  expect(limits("zeros")).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

describe("refuses, in one line, what cannot be fine", () => {
  const low: Layer = { op: "offset", name: "low", input: "x", value: -0.5 };
  const a = conv("a", "low", 4);
  const cases: [string, Network, string][] = [
    ["the output", net("n", 1, low, conv("y", "low", 4)), "y"],
    ["what is no convolution", net("n", 1, low, a, conv("y", "a", 4)), "low"],
    ["a name that nothing has", net("n", 1, low, a, conv("y", "a", 4)), "b"],
    [
      "what a depthwise convolution reads",
      net("n", 1, low, a, conv("b", "a", 4, { depthwise: true }), conv("y", "b", 1)),
      "a",
    ],
    [
      "a residual",
      net(
        "n",
        1,
        low,
        a,
        conv("b", "a", 4, { residual: { tensor: "a", position: "after-activation" } }),
        conv("y", "b", 1),
      ),
      "a",
    ],
    ["the input", net("n", 1, low, a, conv("y", "a", 4)), "x"],
  ];
  test.each(cases)("%s", (_, network, name) => {
    const attempt = () => make(network, { fine: [name] });
    expect(attempt).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    expect(attempt).toThrow(
      `fine: expected outputs of convolutions that nothing but convolutions over all channels read, got ${name}`,
    );
  });
});
