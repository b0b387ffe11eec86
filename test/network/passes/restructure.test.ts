import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Layer, Model, Network, PlainActivation } from "../../../src/network/description.ts";
import { restructure } from "../../../src/network/passes/restructure.ts";
import { runReferenceF64 } from "../../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../random-model.ts";

const norm = (name: string, input: string): Layer => ({
  op: "batch-norm",
  name,
  input,
  scale: `${name}.weight`,
  offset: `${name}.bias`,
  mean: `${name}.running_mean`,
  variance: `${name}.running_var`,
  epsilon: 1e-3,
});
const mixed = (name: string, input: string, amount: number, of: PlainActivation["kind"] = "hard-swish"): Layer => ({
  op: "activation",
  name,
  input,
  activation: { kind: "mixed", of, amount },
});
const conv = (name: string, input: string, size: number, channels: number, more: object = {}): Layer => ({
  op: "conv2d",
  name,
  input,
  kernel: [size, size],
  stride: 1,
  padding: "same",
  channels,
  weights: `${name}.w`,
  ...more,
});
const net = (...layers: Layer[]): Network => ({
  name: "n",
  layers: [{ op: "input", name: "x", channels: 3 }, ...layers],
  output: layers.at(-1)!.name,
});

/** RAN-e's block before its collapse: kxk expansion, normalisation, activation, 1x1 projection, normalisation. */
const expanded = (size: number, amount: number, stride = 1): Network =>
  net(
    conv("expand", "x", size, 7, { stride }),
    norm("expand_bn", "expand"),
    mixed("bend", "expand_bn", amount),
    conv("project", "bend", 1, 4),
    norm("y", "project"),
  );

const BLOCK = { first: "expand", last: "y" };
const ops = ({ network }: Model) => network.layers.slice(1).map(({ op, name }) => `${name}: ${op}`);
const run = (model: Model, seed: number) =>
  runReferenceF64(model, randomMap(seeded(seed), [6, 7, 3], -1, 1)).get(model.network.output)!;

describe("restructure", () => {
  it("collapses a block at amount 0 to one convolution with the same values, borders included", () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 3, 5), fc.integer({ min: 1, max: 2 }), fc.nat(1e6), (size, stride, seed) => {
        const model = randomModel(expanded(size, 0, stride), seed);
        const collapsed = restructure(model, [BLOCK]);
        expect(ops(collapsed)).toEqual(["y: conv2d"]);
        expect(relativeError(run(collapsed, seed), run(model, seed))).toBeLessThanOrEqual(1e-6);
      }),
      { numRuns: 40 },
    );
  });

  it("refuses any other amount, and plain activations", () => {
    for (const amount of [1e-9, 0.5, 1]) {
      const message = `layer "bend": expected a restructurable activation with amount 0, got mixed with ${amount}`;
      expect(() => restructure(randomModel(expanded(3, amount)), [BLOCK])).toThrow(
        expect.objectContaining({ code: "ERR_UNSUPPORTED", message }),
      );
    }
    const relu: Layer = { op: "activation", name: "r", input: "a", activation: { kind: "relu" } };
    const model = randomModel(net(conv("a", "x", 3, 5), relu, conv("y", "r", 1, 2)));
    expect(() => restructure(model, [{ first: "a", last: "y" }])).toThrow("got relu with 1");
  });

  it("takes an inverted bottleneck without biases, and refuses one whose first bias the border would lose", () => {
    const bottleneck = (biased: boolean) =>
      net(
        conv("a", "x", 1, 6, biased ? { bias: "a.b" } : {}),
        mixed("m", "a", 0),
        conv("d", "m", 5, 6, { depthwise: true, bias: "d.b" }),
        mixed("n", "d", 0),
        conv("y", "n", 1, 4, { bias: "y.b" }),
      );
    const model = randomModel(bottleneck(false), 5);
    const collapsed = restructure(model, [{ first: "a", last: "y" }]);
    expect(ops(collapsed)).toEqual(["y: conv2d"]);
    expect(collapsed.weights.get("y.collapsed.weight")!.shape).toEqual([4, 5, 5, 3]);
    expect(relativeError(run(collapsed, 2), run(model, 2))).toBeLessThanOrEqual(1e-6);
    expect(() => restructure(randomModel(bottleneck(true)), [{ first: "a", last: "y" }])).toThrow(
      'layer "d": a bias before a padded convolution is missing beyond the border',
    );
  });

  it("refuses two kernels in a row, a layer that others read too, and names that are no chain", () => {
    const twice = randomModel(net(conv("a", "x", 3, 3), conv("y", "a", 3, 3)));
    expect(() => restructure(twice, [{ first: "a", last: "y" }])).toThrow("3x3 after 3x3 is one convolution away from");
    const skip = net(conv("a", "x", 3, 3), conv("b", "a", 1, 3), { op: "add", name: "y", inputs: ["b", "a"] });
    expect(() => restructure(randomModel(skip), [{ first: "a", last: "b" }])).toThrow(
      'layer "a": expected one reader inside a block, got 2',
    );
    expect(() => restructure(twice, [{ first: "nowhere", last: "y" }])).toThrow("expected a straight chain");
    expect(() => restructure(twice, [{ first: "a", last: "nowhere" }])).toThrow("expected the name of a layer");
  });
});
