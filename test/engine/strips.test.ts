import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import type { CompiledNetwork } from "../../src/engine/compiled-network.ts";
import { type RowRange, type StripLayer, scheduleStrips } from "../../src/engine/strips.ts";
import type { AlgorithmOption } from "../../src/kernels/convolution/choice.ts";
import { sesr } from "../../src/models/sesr.ts";
import type { Layer, Network } from "../../src/network/description.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { quantise } from "../../src/quantization/quantise.ts";
import { runReference } from "../../src/reference/run.ts";
import { randomMap, randomModel, seeded } from "../network/random-model.ts";

/** A chain with skips: each layer reads the one before through a kernel, and some also an earlier one, row by row. */
const chain = fc.record({
  height: fc.integer({ min: 1, max: 60 }),
  step: fc.integer({ min: 1, max: 20 }),
  layers: fc.array(
    fc.record({
      kernel: fc.integer({ min: 1, max: 7 }),
      stride: fc.constantFrom(1, 1, 1, 2),
      tile: fc.constantFrom(1, 2, 4),
      multiple: fc.constantFrom(1, 1, 2, 4),
      shared: fc.boolean(),
      skip: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 7 },
  ),
});

function layersOf({ height, layers: described }: { height: number; layers: readonly Described[] }): StripLayer[] {
  const layers: StripLayer[] = [{ height, multiple: 1, inputs: [], buffer: 0 }];
  let buffer = 0;
  for (const { kernel, stride, tile, multiple, shared, skip } of described) {
    const last = layers.length - 1;
    const above = layers[last]!.height;
    if (shared) {
      // In place: the same rows, in the same buffer.
      const rows = (range: RowRange): RowRange => range;
      layers.push({ height: above, multiple: 1, inputs: [{ layer: last, needs: rows, touches: rows }], buffer });
      continue;
    }
    const padTop = (kernel - 1) >> 1;
    const needs = ([begin, end]: RowRange): RowRange => [
      Math.max(0, begin * stride - padTop),
      Math.min(above, (end - 1) * stride - padTop + kernel),
    ];
    const touches = ([begin, end]: RowRange): RowRange =>
      needs([begin, begin + Math.ceil((end - begin) / tile) * tile]);
    const own = Math.ceil(above / stride);
    const inputs = [{ layer: last, needs, touches }];
    const earlier = skip === undefined ? undefined : layers.findIndex((l, i) => i <= skip && l.height === own);
    if (earlier !== undefined && earlier >= 0) {
      inputs.push({ layer: earlier, needs: (rows) => rows, touches: (rows) => rows });
    }
    layers.push({ height: own, multiple, inputs, buffer: ++buffer });
  }
  return layers;
}
type Described = {
  readonly kernel: number;
  readonly stride: number;
  readonly tile: number;
  readonly multiple: number;
  readonly shared: boolean;
  readonly skip: number | undefined;
};

test("every row is computed once, in order, from rows that are there and within the buffers' room", () => {
  fc.assert(
    fc.property(chain, (described) => {
      const layers = layersOf(described);
      const output = layers.length - 1;
      const { strips, capacities } = scheduleStrips(layers, output, described.step);
      const done = layers.map(() => 0);
      /** The first row that each buffer holds. */
      let first = capacities.map(() => 0);
      for (const { rows, held } of strips) {
        for (const [buffer, [begin, end]] of held.entries()) {
          // What is held was there before: nothing is forgotten and asked for again.
          expect(begin).toBeGreaterThanOrEqual(first[buffer]!);
          const written = layers.map((layer, i) => (layer.buffer === buffer ? done[i]! : 0));
          if (end > begin) expect(Math.max(...written)).toBe(end);
        }
        first = held.map(([begin]) => begin);
        for (const [i, [begin, end]] of rows.entries()) {
          const { inputs, height, multiple, buffer } = layers[i]!;
          expect(begin).toBe(done[i]);
          expect(end).toBeLessThanOrEqual(height);
          expect(end % multiple === 0 || end === height).toBe(true);
          if (begin === end) continue;
          expect(begin).toBeGreaterThanOrEqual(first[buffer]!);
          expect(end - first[buffer]!).toBeLessThanOrEqual(capacities[buffer]!);
          for (const { layer, needs, touches } of inputs) {
            const source = layers[layer]!.buffer;
            const [from, to] = needs([begin, end]);
            expect(from).toBeGreaterThanOrEqual(first[source]!);
            expect(to).toBeLessThanOrEqual(done[layer]!);
            expect(touches([begin, end])[1] - first[source]!).toBeLessThanOrEqual(capacities[source]!);
          }
          done[i] = end;
        }
      }
      expect(done[output]).toBe(layers[output]!.height);
    }),
    { numRuns: 500 },
  );
});

const conv = (name: string, input: string, extra: object = {}): Layer =>
  ({
    op: "conv2d",
    name,
    input,
    kernel: [3, 3],
    stride: 1,
    padding: "same",
    channels: 8,
    weights: `${name}.w`,
    bias: `${name}.b`,
    ...extra,
  }) as Layer;

/** Strides, valid padding, an in-place activation, skips over several layers, depth-to-space in the middle and at the end. */
const winding: Network = {
  name: "winding",
  layers: [
    { op: "input", name: "x", channels: 3 },
    conv("a", "x", { kernel: [5, 3], stride: 2 }),
    conv("b", "a", { channels: 16 }),
    { op: "depth-to-space", name: "up", input: "b", block: 2 },
    conv("c", "up", { channels: 3, kernel: [7, 7] }),
    { op: "activation", name: "c.act", input: "c", activation: { kind: "prelu", slope: "c.slope" } },
    { op: "add", name: "c.sum", inputs: ["c.act", "x"] },
    conv("d", "c.sum", { padding: "valid", channels: 12, activation: { kind: "relu" } }),
    conv("e", "d", { channels: 12, kernel: [5, 5] }),
    { op: "add", name: "e.sum", inputs: ["e", "d"] },
    { op: "clip", name: "e.clip", input: "e.sum", min: -1, max: 1.5 },
    { op: "depth-to-space", name: "y", input: "e.clip", block: 2 },
  ],
  output: "y",
};

const NETWORKS = [
  ["winding", winding, [34, 22, 3]],
  ["SESR-M5 x2", sesr({ variant: "m5", scale: 2 }), [37, 11, 1]],
  ["SESR-M3 x4", sesr({ variant: "m3", scale: 4 }), [23, 9, 1]],
] as const;

const STRIPS = [1, 2, 3, 4, 5, 8, 13, 16, 31];

/** The output, from plans with the given rows a strip. */
function run(compiled: CompiledNetwork, input: Int8Array | Float32Array, height: number, width: number, rows: number) {
  const plan = compiled.createPlan(height, width, { stripRows: rows });
  const { memory } = compiled.kernels;
  const rowOf = (shape: readonly number[]): number => shape[1]! * shape[2]!;
  const [inputRow, outputRow] = [rowOf(plan.inputShape), rowOf(plan.outputShape)];
  const float = compiled.precision === "f32";
  const output = new (float ? Float32Array : Int8Array)(plan.outputShape[0] * outputRow);
  const heap = (): Int8Array | Float32Array => (float ? memory.f32 : memory.i8);
  const at = (pointer: number): number => (float ? pointer >> 2 : pointer);
  // What is there before must not matter: not even infinities in rows that nobody needs.
  if (float) memory.f32.fill(Number.NaN, at(plan.arenaPointer), at(plan.arenaPointer + plan.arenaBytes));
  else memory.i8.fill(-77, plan.arenaPointer, plan.arenaPointer + plan.arenaBytes);
  plan.run(
    (begin, end, pointer) => heap().set(input.subarray(begin * inputRow, end * inputRow) as never, at(pointer)),
    (begin, end, pointer) => {
      output.set(heap().subarray(at(pointer), at(pointer) + (end - begin) * outputRow) as never, begin * outputRow);
    },
  );
  const { strips, arenaBytes } = plan;
  plan.dispose();
  return { output, strips, arenaBytes };
}

describe.each(NETWORKS)("%s in strips", (_, network, shape) => {
  const random = seeded(7);
  const [height, width] = shape;
  const model = randomModel(network);
  const values = randomMap(random, shape).data;
  const quantised = quantise(model, calibrate(model, [randomMap(random, shape)], runReference));

  test.each(["direct", "auto", "winograd"] as const)("int8, %s: the bits of layer by layer", async (algorithm) => {
    const compiled = await compile(quantised, { algorithm: algorithm as AlgorithmOption });
    const input = Int8Array.from(values, (v) => Math.round(v * 100));
    const whole = run(compiled, input, height, width, height);
    expect(whole.strips).toBe(1);
    for (const rows of STRIPS) expect(run(compiled, input, height, width, rows).output).toEqual(whole.output);
    compiled.dispose();
  });

  test("scaled filters: the bits of layer by layer", async () => {
    const compiled = await compile(quantised, {
      algorithm: "winograd",
      filterScaling: { bits: 8, granularity: "static" },
    });
    const input = Int8Array.from(values, (v) => Math.round(v * 100));
    const whole = run(compiled, input, height, width, height);
    for (const rows of STRIPS) expect(run(compiled, input, height, width, rows).output).toEqual(whole.output);
    compiled.dispose();
  });

  test.each(["direct", "winograd"] as const)("f32, %s: the bits of layer by layer", async (algorithm) => {
    const compiled = await compile(model, { algorithm: algorithm as AlgorithmOption });
    const whole = run(compiled, values, height, width, height);
    for (const rows of STRIPS) expect(run(compiled, values, height, width, rows).output).toEqual(whole.output);
    compiled.dispose();
  });

  test("memory does not grow with the height", async () => {
    const compiled = await compile(quantised);
    const bytes = (times: number): number => {
      const plan = compiled.createPlan(height * times, width, { stripRows: 4 });
      plan.dispose();
      return plan.arenaBytes;
    };
    expect(bytes(4)).toBe(bytes(400));
    compiled.dispose();
  });
});

test("strips are run in order", async () => {
  const model = randomModel(sesr({ variant: "m3", scale: 2 }));
  const compiled = await compile(model);
  const plan = compiled.createPlan(20, 20, { stripRows: 4 });
  const nothing = (): void => {};
  plan.runStrip(0, nothing, nothing);
  expect(() => plan.runStrip(2, nothing, nothing)).toThrow("strip: expected 1, got 2");
  plan.runStrip(1, nothing, nothing);
  plan.runStrip(0, nothing, nothing);
  plan.dispose();
  compiled.dispose();
});

test("where strips would hold more than layer by layer, rows and all, there are none", async () => {
  // Twelve 7x7 before stride 8: the first rows of the result need nearly all rows of everything before.
  const wide = (name: string, input: string): Layer => conv(name, input, { kernel: [7, 7], channels: 8 });
  const network: Network = {
    name: "wide",
    layers: [
      { op: "input", name: "x", channels: 3 },
      ...[..."abcdefghijkl"].map((name, i, names) => wide(name, i === 0 ? "x" : names[i - 1]!)),
      conv("y", "l", { kernel: [8, 8], stride: 8, padding: "valid" }),
    ],
    output: "y",
  };
  const compiled = await compile(randomModel(network));
  const planned = (height: number, stripRows?: number) => {
    const plan = compiled.createPlan(height, 400, { stripRows });
    plan.dispose();
    return { strips: plan.strips, arenaBytes: plan.arenaBytes };
  };
  for (const height of [48, 96, 192, 1600]) {
    const chosen = planned(height);
    const whole = planned(height, height);
    expect(chosen.arenaBytes).toBeLessThanOrEqual(whole.arenaBytes);
    expect(chosen.strips === 1).toBe(chosen.arenaBytes === whole.arenaBytes);
  }
  expect(planned(48).strips).toBe(1);
  expect(planned(1600).strips).toBeGreaterThan(1);
  compiled.dispose();
});

test("a plan's steps can be measured: each is called with its layer, and the result is the same", async () => {
  const compiled = await compile(randomModel(winding));
  const input = randomMap(seeded(3), [34, 22, 3]);
  const expected = compiled.run(input);
  const called = new Map<string, number>();
  const plan = compiled.createPlan(34, 22, {
    stripRows: 8,
    around: (layer, step) => (begin, end) => {
      called.set(layer.name, (called.get(layer.name) ?? 0) + end - begin);
      step(begin, end);
    },
  });
  const output = new Float32Array(expected.data.length);
  compiled.runReal(plan, input.data, output);
  plan.dispose();
  expect(output).toEqual(expected.data);
  const layers = compiled.network.layers.filter(({ op }) => op !== "input");
  expect([...called.keys()].sort()).toEqual(layers.map(({ name }) => name).sort());
  for (const [name, rows] of called) expect(rows, name).toBeGreaterThan(0);
  expect(called.get(compiled.network.output)).toBe(expected.shape[0]);
  compiled.dispose();
});
