import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildModel } from "../../../src/models/registry.ts";
import type { Layer, Model, Network, Padding, Weight } from "../../../src/network/description.ts";
import { foldBatchNorms } from "../../../src/network/passes/fold-batch-norm.ts";
import { mergeBranches } from "../../../src/network/passes/merge-branches.ts";
import { runReferenceF64 } from "../../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../random-model.ts";

interface Conv {
  readonly kernel: readonly [number, number];
  readonly stride?: number;
  readonly padding: Padding;
  readonly channels?: number;
  readonly bias?: boolean;
  readonly depthwise?: boolean;
}

const CHANNELS = 3;

function conv(name: string, { kernel, stride = 1, padding, channels = CHANNELS, bias, depthwise }: Conv): Layer {
  return {
    op: "conv2d",
    name,
    input: "x",
    kernel,
    stride,
    padding,
    channels,
    weights: `${name}.w`,
    ...(bias && { bias: `${name}.b` }),
    ...(depthwise && { depthwise }),
  };
}

const input: Layer = { op: "input", name: "x", channels: CHANNELS };
const affine = (name: string, offset: boolean): Layer => {
  return { op: "channel-affine", name, input: "x", scale: `${name}.s`, ...(offset && { offset: `${name}.o` }) };
};
const add = (name: string, a: string, b: string): Layer => ({ op: "add", name, inputs: [a, b] });
const net = (...layers: Layer[]): Network => ({ name: "n", layers: [input, ...layers], output: layers.at(-1)!.name });

/** Small integers, with which all sums are exact. */
function integerModel(network: Network, seed: number): Model {
  const { weights } = randomModel(network, seed);
  const rounded = [...weights].map(([name, { shape, data }]): [string, Weight] => [
    name,
    { shape, data: data.map((v) => Math.round(v * 20)) },
  ]);
  return { network, weights: new Map(rounded) };
}

const run = (model: Model, map: Parameters<typeof runReferenceF64>[1]) =>
  runReferenceF64(model, map).get(model.network.output)!;

const ops = ({ network }: Model) => network.layers.map(({ name, op }) => `${name}: ${op}`);

describe("mergeBranches", () => {
  it("sums that fit become one convolution with exactly the same outputs, of any size, stride and number of branches", () => {
    const branches = fc.record({
      outer: fc.tuple(fc.constantFrom(1, 3, 5), fc.constantFrom(1, 3, 5)),
      narrower: fc.tuple(fc.constantFrom(0, 2, 4), fc.constantFrom(0, 2, 4)),
      padding: fc.integer({ min: 0, max: 3 }),
      stride: fc.constantFrom(1, 2),
      size: fc.tuple(fc.integer({ min: 5, max: 9 }), fc.integer({ min: 5, max: 9 })),
      biases: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
      depthwise: fc.boolean(),
      swapped: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(branches, ({ outer, narrower, padding, stride, size, biases, depthwise, swapped, seed }) => {
        // Square steps inwards, as the padding is one number.
        const step = Math.min(narrower[0], outer[0] - 1, outer[1] - 1, 2 * padding);
        const inner = [outer[0] - step, outer[1] - step] as const;
        const wide = conv("wide", { kernel: outer, stride, padding, bias: biases[0], depthwise });
        const narrow = conv("narrow", {
          kernel: inner,
          stride,
          padding: padding - step / 2,
          bias: biases[1],
          depthwise,
        });
        const pair = swapped ? add("pair", "narrow", "wide") : add("pair", "wide", "narrow");
        const centred = stride === 1 && outer[0] === outer[1] && 2 * padding === outer[0] - 1;
        const third = centred ? [affine("third", biases[2]), add("y", "third", "pair")] : [];
        const model = integerModel(net(wide, narrow, pair, ...third), seed);
        const after = mergeBranches(model);
        const last = centred ? "y" : "pair";
        expect(ops(after)).toEqual(["x: input", `${last}: conv2d`]);
        const map = randomMap(seeded(seed), [...size, CHANNELS]);
        const picture = { ...map, data: map.data.map((v) => Math.round(v * 16)) };
        const values = (of: Model) => [...run(of, picture)].map((v) => v + 0); // -0 is 0
        expect(values(after)).toEqual(values(model));
      }),
    );
  });

  it("takes padding by its name where that is fixed", () => {
    const merged = (wide: Conv, narrow: Conv) =>
      ops(mergeBranches(integerModel(net(conv("a", wide), conv("b", narrow), add("y", "a", "b")), 1))).length === 2;
    const one = { kernel: [1, 1], padding: "valid" } as const;
    expect(merged({ kernel: [3, 3], padding: "same" }, one)).toBe(true);
    expect(merged({ kernel: [3, 5], padding: "same" }, { kernel: [1, 3], padding: "same" })).toBe(true);
    expect(merged({ kernel: [1, 1], padding: "same" }, one)).toBe(true);
    // TensorFlow's padding of strided and even kernels is not the same on both sides.
    expect(merged({ kernel: [3, 3], padding: "same", stride: 2 }, { ...one, stride: 2 })).toBe(false);
    expect(merged({ kernel: [2, 2], padding: "same" }, one)).toBe(false);
  });

  const three = conv("a", { kernel: [3, 3], padding: 1 });
  const oneByOne = conv("b", { kernel: [1, 1], padding: 0 });
  const cases: [string, Layer[]][] = [
    ["another input", [three, { ...oneByOne, input: "a2" } as Layer, affine("a2", false), add("y", "a", "b")]],
    ["different strides", [conv("a", { kernel: [3, 3], padding: 1, stride: 2 }), oneByOne, add("y", "a", "b")]],
    ["a kernel beside the middle", [conv("a", { kernel: [3, 3], padding: 0 }), oneByOne, add("y", "a", "b")]],
    ["a broadcast operand", [three, conv("b", { kernel: [1, 1], padding: 0, channels: 1 }), add("y", "a", "b")]],
    ["depthwise beside full", [three, conv("b", { kernel: [1, 1], padding: 0, depthwise: true }), add("y", "a", "b")]],
    ["a branch that is read elsewhere", [three, oneByOne, add("s", "a", "b"), add("y", "s", "b")]],
    ["one tensor twice", [three, add("y", "a", "a")]],
    ["an activation", [{ ...three, activation: { kind: "relu" } } as Layer, oneByOne, add("y", "a", "b")]],
    ["no convolution", [affine("a", true), affine("b", false), add("y", "a", "b")]],
    ["the input itself", [three, add("y", "a", "x")]],
  ];
  it.each(cases)("leaves alone: %s", (_, layers) => {
    const model = integerModel(net(...layers), 1);
    expect(mergeBranches(model)).toBe(model);
  });

  it("refuses a name that is taken", () => {
    const taken = { ...conv("y.weight", { kernel: [1, 1], padding: 0 }), weights: "y.weight", input: "y" } as Layer;
    const model = integerModel(net(three, oneByOne, add("y", "a", "b"), taken), 1);
    expect(() => mergeBranches(model)).toThrow(expect.objectContaining({ code: "ERR_NETWORK" }));
  });

  it("RepVGG-A0: the training form, folded and merged, is the deployed network", () => {
    const model = randomModel(buildModel("repvgg-a0", { form: "train" }), 3);
    const weights = new Map<string, Weight>();
    // Variances about 1.
    for (const [name, weight] of model.weights) {
      const variance = name.endsWith("running_var");
      weights.set(name, variance ? { ...weight, data: weight.data.map((v) => 1 + v) } : weight);
    }
    const train = { network: model.network, weights };
    const deployed = mergeBranches(foldBatchNorms(train));
    const byName = ({ layers }: Network) => [...layers].sort((a, b) => a.name.localeCompare(b.name));
    expect(byName(deployed.network)).toEqual(byName(buildModel("repvgg-a0")));
    const picture = randomMap(seeded(1), [32, 32, 3], -1, 1);
    // 22 layers of weights that were rounded to f32 twice.
    expect(relativeError(run(deployed, picture), run(train, picture))).toBeLessThan(1e-5);
  });
});
