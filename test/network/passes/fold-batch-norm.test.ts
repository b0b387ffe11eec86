import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Layer, Network, Padding } from "../../../src/network/description.ts";
import { foldBatchNorms } from "../../../src/network/passes/fold-batch-norm.ts";
import { runReferenceF64 } from "../../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../random-model.ts";

const input: Layer = { op: "input", name: "x", channels: 3 };
const conv = (name: string, from: string, more: object = {}): Layer => ({
  op: "conv2d",
  name,
  input: from,
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels: 3,
  weights: `${name}.w`,
  ...more,
});
const norm = (name: string, from: string): Layer => ({
  op: "batch-norm",
  name,
  input: from,
  scale: `${name}.weight`,
  offset: `${name}.bias`,
  mean: `${name}.running_mean`,
  variance: `${name}.running_var`,
  epsilon: 1e-3,
});
const net = (...layers: Layer[]): Network => ({ name: "n", layers: [input, ...layers], output: layers.at(-1)!.name });
const ops = ({ layers }: Network) => layers.map(({ op, name }) => `${name}: ${op}`).slice(1);

/** The folded model's result against the original's, in float64 but for the folded weights. */
function differs(network: Network, seed = 1): number {
  const model = randomModel(network, seed);
  const map = randomMap(seeded(seed), [7, 6, 3], -1, 1);
  const expected = runReferenceF64(model, map).get(network.output)!;
  return relativeError(runReferenceF64(foldBatchNorms(model), map).get(network.output)!, expected);
}

const ROUNDING = 3e-7;

describe("foldBatchNorms", () => {
  it("goes into the convolution before it, of any kind, borders included", () => {
    fc.assert(
      fc.property(
        fc.record({
          kernel: fc.constantFrom([1, 1], [3, 3], [5, 3]),
          stride: fc.integer({ min: 1, max: 2 }),
          padding: fc.constantFrom<Padding>("same", "valid", 1),
          depthwise: fc.boolean(),
          biased: fc.boolean(),
          seed: fc.nat(1e6),
        }),
        ({ kernel, stride, padding, depthwise, biased, seed }) => {
          const more = { kernel, stride, padding, ...(depthwise && { depthwise }), ...(biased && { bias: "c.b" }) };
          const network = net(conv("c", "x", more), norm("y", "c"));
          expect(ops(foldBatchNorms(randomModel(network)).network)).toEqual(["y: conv2d"]);
          expect(differs(network, seed)).toBeLessThanOrEqual(ROUNDING);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("takes two in a row into one convolution, as RAN-e's stem and first block", () => {
    const network = net(conv("c", "x"), norm("a", "c"), norm("y", "a"));
    expect(ops(foldBatchNorms(randomModel(network)).network)).toEqual(["y: conv2d"]);
    expect(differs(network)).toBeLessThanOrEqual(ROUNDING);
  });

  it("stays a factor and an offset behind a sum, and where somebody else reads the convolution", () => {
    const residual = net(conv("c", "x"), { op: "add", name: "s", inputs: ["c", "x"] }, norm("p", "s"), conv("y", "p"));
    expect(ops(foldBatchNorms(randomModel(residual)).network)).toContain("p: channel-affine");
    expect(differs(residual)).toBeLessThanOrEqual(ROUNDING);
    const skip = net(conv("c", "x"), norm("p", "c"), conv("d", "p"), { op: "add", name: "y", inputs: ["d", "c"] });
    expect(ops(foldBatchNorms(randomModel(skip)).network)).toContain("p: channel-affine");
    expect(differs(skip)).toBeLessThanOrEqual(ROUNDING);
  });

  it("does not fold into the convolution behind it, which would be wrong at the border", () => {
    const network = net(norm("p", "x"), conv("y", "p"));
    expect(ops(foldBatchNorms(randomModel(network)).network)).toEqual(["p: channel-affine", "y: conv2d"]);
  });

  it("refuses variances below zero", () => {
    const model = randomModel(net(conv("c", "x"), norm("y", "c")));
    model.weights.get("y.running_var")!.data[1] = -0.5;
    const message = '"y.running_var": expected variances of at least 0, got -0.5 at index 1';
    expect(() => foldBatchNorms(model)).toThrow(expect.objectContaining({ code: "ERR_WEIGHTS", message }));
  });
});
