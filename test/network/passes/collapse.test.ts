import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SesrVariant, sesr } from "../../../src/models/sesr.ts";
import type { LinearBlockLayer, Network } from "../../../src/network/description.ts";
import { collapse, collapseNetwork } from "../../../src/network/passes/collapse.ts";
import { addIdentity, collapseFilters, type Filter } from "../../../src/network/passes/collapse-filter.ts";
import { validate } from "../../../src/network/validate.ts";
import { conv2dReal } from "../../../src/reference/conv2d-f32.ts";
import { collapseByDeltaImages } from "../../../src/reference/delta-collapse.ts";
import { runReference } from "../../../src/reference/run.ts";
import { type Random, randomMap, randomModel, relativeError, seeded } from "../random-model.ts";

const wide = (length: number) => new Float64Array(length);

/** Values with all 53 bits in use, so that f32 rounding anywhere would show. */
function wideValues(random: Random, length: number): Float64Array {
  return Float64Array.from({ length }, () => random() * 2 - 1);
}

function randomFilter(random: Random, shape: Filter["shape"]): Filter {
  const length = shape.reduce((a, b) => a * b, 1);
  return { shape, weights: wideValues(random, length), bias: wideValues(random, shape[0]) };
}

const block = fc.record({
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 9 }),
  kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  inputs: fc.integer({ min: 1, max: 4 }),
  inner: fc.integer({ min: 1, max: 7 }),
  out: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

describe("collapseFilters", () => {
  it("equals both convolutions at every pixel: borders, biases, odd sizes, pictures smaller than the kernel (1e-12)", () => {
    fc.assert(
      fc.property(block, ({ height, width, kernel, inputs, inner, out, seed }) => {
        const random = seeded(seed);
        const expand = randomFilter(random, [inner, ...kernel, inputs]);
        const project = randomFilter(random, [out, 1, 1, inner]);
        const x = { shape: [height, width, inputs] as const, data: wideValues(random, height * width * inputs) };
        const same = { stride: 1, padding: "same" } as const;
        const run = (input: typeof x, filter: Filter) =>
          conv2dReal(input, filter, { ...same, bias: filter.bias! }, wide);
        const expected = run(run(x, expand) as typeof x, project);
        const actual = run(x, collapseFilters(expand, project));
        expect(relativeError(actual.data, expected.data)).toBeLessThanOrEqual(1e-12);
      }),
      { numRuns: 60 },
    );
  });

  it("equals the collapse by delta images, with asymmetric kernels", () => {
    fc.assert(
      fc.property(block, ({ kernel, inputs, inner, out, seed }) => {
        const random = seeded(seed);
        const expand = randomFilter(random, [inner, ...kernel, inputs]);
        const project = randomFilter(random, [out, 1, 1, inner]);
        const direct = collapseFilters(expand, project);
        const delta = collapseByDeltaImages(expand, project);
        expect(delta.shape).toEqual(direct.shape);
        expect(relativeError(delta.weights, direct.weights)).toBeLessThanOrEqual(1e-14);
        expect(relativeError(delta.bias, direct.bias)).toBeLessThanOrEqual(1e-14);
      }),
      { numRuns: 40 },
    );
  });

  it("keeps the taps' places: a projection of one channel is the identity", () => {
    const weights = Float64Array.from({ length: 9 }, (_, t) => t + 1);
    const expand = { shape: [1, 3, 3, 1] as const, weights };
    const project = { shape: [1, 1, 1, 1] as const, weights: Float64Array.of(1) };
    expect(collapseFilters(expand, project).weights).toEqual(weights);
    expect(collapseByDeltaImages(expand, project).weights).toEqual(weights);
  });
});

describe("addIdentity", () => {
  it("makes the convolution add its input, borders included", () => {
    const random = seeded(3);
    const x = { shape: [4, 3, 2] as const, data: wideValues(random, 24) };
    const filter = collapseFilters(randomFilter(random, [5, 3, 5, 2]), randomFilter(random, [2, 1, 1, 5]));
    const run = () => conv2dReal(x, filter, { stride: 1, padding: "same", bias: filter.bias }, wide).data;
    const expected = run().map((y, i) => y + x.data[i]!);
    addIdentity(filter);
    expect(relativeError(run(), expected)).toBeLessThanOrEqual(1e-14);
  });
});

describe("collapse", () => {
  it("turns the expanded description into the collapsed one, for every variant and scale", () => {
    for (const variant of ["m3", "m5", "m7", "m11", "xl"] satisfies SesrVariant[]) {
      for (const scale of [2, 4] as const) {
        const collapsed = collapseNetwork(sesr({ variant, scale, form: "expanded" }));
        expect(collapsed).toEqual(validate(sesr({ variant, scale })));
      }
    }
  });

  it.each([
    [1, 1],
    [2, 9],
    [11, 7],
  ])("whole SESR on %ix%i: expanded equals collapsed (1e-5)", (height, width) => {
    const expanded = randomModel(sesr({ variant: "m3", scale: 2, form: "expanded" }), 11);
    const picture = randomMap(seeded(12), [height, width, 1]);
    const before = runReference(expanded, picture);
    const after = runReference(collapse(expanded), picture);
    for (const tensor of ["first", "blocks.0", "blocks.2.prelu", "features", "last", "y"]) {
      expect(relativeError(after.get(tensor)!, before.get(tensor)!)).toBeLessThanOrEqual(1e-5);
    }
  });

  it("returns what has nothing to collapse, after checking its weights", () => {
    const model = randomModel(sesr({ variant: "m3", scale: 2 }));
    expect(collapse(model).weights).toBe(model.weights);
    expect(() => collapse({ ...model, weights: new Map() })).toThrow(expect.objectContaining({ code: "ERR_WEIGHTS" }));
  });

  const layer: LinearBlockLayer = {
    op: "linear-block",
    name: "b",
    input: "x",
    kernel: [3, 3],
    expansion: 4,
    channels: 2,
    shortResidual: true,
    expand: { weights: "e" },
    project: { weights: "p" },
  };
  const net = (part: Partial<LinearBlockLayer>, ...more: Network["layers"]): Network => {
    const layers = [{ op: "input", name: "x", channels: 2 } as const, { ...layer, ...part }, ...more];
    return { name: "n", layers, output: layers.at(-1)!.name };
  };

  it("makes no bias where there is none, and one where either half has one", () => {
    const bias = (part: Partial<LinearBlockLayer>) => [...collapse(randomModel(net(part))).weights.keys()];
    expect(bias({})).toEqual(["b.weight"]);
    expect(bias({ expand: { weights: "e", bias: "eb" } })).toEqual(["b.weight", "b.bias"]);
    expect(bias({ project: { weights: "p", bias: "pb" } })).toEqual(["b.weight", "b.bias"]);
  });

  it("collapses an even kernel without residual, and blocks that share weights, each with its own residual", () => {
    const second = { ...layer, name: "c", input: "b" };
    for (const network of [net({ kernel: [2, 4], shortResidual: false }), net({ shortResidual: false }, second)]) {
      const model = randomModel(network, 4);
      const picture = randomMap(seeded(5), [5, 6, 2]);
      const { output } = network;
      const expected = runReference(model, picture).get(output)!;
      expect(relativeError(runReference(collapse(model), picture).get(output)!, expected)).toBeLessThanOrEqual(1e-5);
    }
  });

  it.each<[string, Network, string, string]>([
    [
      "an even kernel with residual",
      net({ kernel: [3, 2] }),
      "ERR_UNSUPPORTED",
      'layer "b": kernel: expected odd sizes to fold the short residual into the centre tap, got 3x2',
    ],
    [
      "other channels than the input's with residual",
      net({ channels: 3 }),
      "ERR_SHAPE",
      'layer "b": shortResidual: expected 2 output channels',
    ],
    [
      "a name that is taken",
      net(
        {},
        {
          op: "conv2d",
          name: "c",
          input: "b",
          kernel: [1, 1],
          stride: 1,
          padding: "same",
          channels: 1,
          weights: "b.weight",
        },
      ),
      "ERR_NETWORK",
      'layer "b": expected "b.weight" to be free for the collapsed weight, got it in use',
    ],
  ])("refuses %s", (_, network, code, message) => {
    expect(() => collapseNetwork(network)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
