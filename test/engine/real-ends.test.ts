/** int8 networks whose ends stay real, by the engine. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import type { CompiledNetwork } from "../../src/engine/compiled-network.ts";
import { sesr } from "../../src/models/sesr.ts";
import type { FeatureMap, Network, Shape } from "../../src/network/description.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { type QuantisedModel, quantise } from "../../src/quantization/quantise.ts";
import { runReference, runReferenceQuantised } from "../../src/reference/run.ts";
import { random as seeded } from "../_helpers/random.ts";
import { bare, twoOffsets } from "../_helpers/real-ends.ts";
import { randomMap, randomModel } from "../network/random-model.ts";

const NETWORKS = [
  ["SESR-M3 x2", sesr({ variant: "m3", scale: 2 }), [23, 37, 1]],
  ["SESR-M3 x4", sesr({ variant: "m3", scale: 4 }), [18, 11, 1]],
  ["no residual, no clip, stride 2", bare, [19, 14, 3]],
  ["two offsets, a residual of four channels, two clips", twoOffsets, [17, 9, 4]],
] as const;

function quantised(network: Network, shape: Shape, seed = 3): QuantisedModel {
  const model = randomModel(network, seed);
  const calibration = calibrate(model, [randomMap(seeded(seed + 1), shape)], runReference, {
    fixed: { x: { min: 0, max: 1 } },
  });
  return quantise(model, calibration, { boundary: "f32" });
}

/** Values around the calibrated range and, where asked for, everything that f32 has beside. */
function input(seed: number, shape: Shape, strange = false): FeatureMap<Float32Array> {
  const next = seeded(seed);
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -1e-42, 0];
  const map = randomMap(next, shape, -0.5, 1.5);
  if (strange)
    for (const i of map.data.keys()) if (next() < 0.05) map.data[i] = values[Math.floor(next() * values.length)]!;
  return map;
}

const oracle = (model: QuantisedModel, map: FeatureMap<Float32Array>): Float32Array =>
  runReferenceQuantised(model, map).get(model.network.output) as Float32Array;

/** The output, by strips of some rows, over memory full of NaN. */
function inStrips(compiled: CompiledNetwork, { shape, data }: FeatureMap<Float32Array>, stripRows: number) {
  const plan = compiled.createPlan(shape[0], shape[1], { stripRows });
  const { memory } = compiled.kernels;
  memory.f32.fill(Number.NaN, plan.arenaPointer >> 2, (plan.arenaPointer + plan.arenaBytes) >> 2);
  const [height, width, channels] = plan.outputShape;
  const output = new Float32Array(height * width * channels);
  compiled.runReal(plan, data, output);
  const { strips } = plan;
  plan.dispose();
  return { output, strips };
}

describe.each(NETWORKS)("%s", (_, network, shape) => {
  const model = quantised(network, shape);

  test("equals the oracle bit for bit, whatever the algorithm", async () => {
    for (const algorithm of ["auto", "direct", "winograd"] as const) {
      using compiled = await compile(model, { algorithm });
      for (const strange of [false, true]) {
        const map = input(7, shape, strange);
        expect(compiled.run(map).data, algorithm).toEqual(oracle(model, map));
      }
    }
  });

  test("any size", async () => {
    using compiled = await compile(model);
    const sizes = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 21 }));
    fc.assert(
      fc.property(sizes, ([seed, height, width]) => {
        const map = input(seed, [height, width, shape[2]], true);
        expect(compiled.run(map).data).toEqual(oracle(model, map));
      }),
      { numRuns: 40 },
    );
  });

  test("strips give the bits of the whole, with scaled filters too", async () => {
    const filterScaling = { bits: 8, granularity: "static" } as const;
    for (const options of [{}, { algorithm: "direct" }, { algorithm: "winograd", filterScaling }] as const) {
      using compiled = await compile(model, options);
      const map = input(9, shape);
      const whole = inStrips(compiled, map, shape[0]);
      expect(whole.strips).toBe(1);
      if (!("filterScaling" in options)) expect(whole.output).toEqual(oracle(model, map));
      for (const rows of [1, 2, 3, 4, 5, 8, 13]) {
        const { output, strips } = inStrips(compiled, map, rows);
        expect(strips).toBeGreaterThan(1);
        expect(output, `${rows} rows`).toEqual(whole.output);
      }
    }
  });

  test("has no int8 at its ends: runInt8 refuses", async () => {
    using compiled = await compile(model);
    expect(compiled.precision).toBe("int8");
    expect([compiled.inputQuantization, compiled.outputQuantization]).toEqual([undefined, undefined]);
    const map = { shape, data: new Int8Array(shape[0] * shape[1] * shape[2]) };
    expect(() => compiled.runInt8(map)).toThrow(
      "runInt8: expected an int8 network, its ends included, got one with ends in f32",
    );
  });
});

test("a real input is rounded to eighths of a step for its convolutions, and not at all for the residual", async () => {
  const [, network, shape] = NETWORKS[0];
  const model = quantised(network, shape);
  const { scale } = model.tensors.get("x")!;
  using compiled = await compile(model);
  // A value within half an eighth of a step moves the output by what it lies beside the step, to a rounding of f32.
  const step = 60;
  const flat = (beside: number) => ({ shape, data: new Float32Array(23 * 37).fill((step + beside) * scale) });
  const at = compiled.run(flat(0)).data;
  for (const beside of [-0.06, 0.03, 0.0624]) {
    const moved = compiled.run(flat(beside)).data;
    for (const [i, y] of moved.entries()) {
      if (at[i]! > 0.01 && at[i]! < 0.99) expect(Math.abs(y - at[i]! - beside * scale)).toBeLessThan(2 ** -22);
    }
  }
});

test("NaN in the input is black for the convolutions and stays NaN in the residual", async () => {
  const [, network, shape] = NETWORKS[0];
  const model = quantised(network, shape);
  const map = input(5, shape);
  const black = { shape, data: map.data.slice() };
  const pixel = 9 * 37 + 20;
  map.data[pixel] = Number.NaN;
  black.data[pixel] = 0;
  using compiled = await compile(model);
  const [result, expected] = [compiled.run(map).data, compiled.run(black).data];
  const cells = new Set([0, 1, 74, 75].map((offset) => 18 * 74 + 40 + offset));
  for (const [i, y] of result.entries()) expect(y).toBe(cells.has(i) ? Number.NaN : expected[i]);
});
