import { describe, expect, it } from "vitest";
import { buildModel } from "../../src/models/registry.ts";
import type { Layer, Model, Network, Weight } from "../../src/network/description.ts";
import { foldBatchNorms } from "../../src/network/passes/fold-batch-norm.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { runReference } from "../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../network/random-model.ts";

/** Random weights with variances about 1. */
function trained(network: Network, seed = 1): Model {
  const { weights } = randomModel(network, seed);
  const changed = [...weights].map(([name, weight]): [string, Weight] => {
    const variance = name.endsWith("running_var");
    return [name, variance ? { ...weight, data: weight.data.map((v) => 1 + v) } : weight];
  });
  return { network, weights: new Map(changed) };
}

function withWeights(model: Model, change: (name: string) => number | undefined): Model {
  const weights = [...model.weights].map(([name, weight]): [string, Weight] => {
    const value = change(name);
    return [name, value === undefined ? weight : { ...weight, data: new Float32Array(weight.data.length).fill(value) }];
  });
  return { ...model, weights: new Map(weights) };
}

const named = (network: Network, name: string): Layer => network.layers.find((layer) => layer.name === name)!;
const affines = ({ network }: Model): string[] =>
  network.layers.filter(({ op }) => op === "channel-affine").map(({ name }) => name);

describe("normalisations in front", () => {
  // They go into the convolution before them, unless a residual sum stands there or the skip path needs the values before them.
  it.each([
    ["ran-e-gt", ["blocks.6.0.pre_bn", "blocks.6.1.pre_bn"]],
    ["ran-e-c", ["blocks.4.1.pre_bn", "blocks.5.1.pre_bn", "blocks.7.0.pre_bn", "blocks.8.2.pre_bn"]],
    ["resnet20-cifar", []],
    ["efficientnet-lite0", []],
  ])("%s keeps %o", (id, expected) => {
    expect(affines(foldBatchNorms(trained(buildModel(id))))).toEqual(expected);
  });

  it("RAN-e's stem and first normalisation are one convolution with a bias", () => {
    const { network } = foldBatchNorms(trained(buildModel("ran-e-gt")));
    expect(named(network, "blocks.0.0.pre_bn")).toMatchObject({ op: "conv2d", input: "x", kernel: [3, 3], stride: 2 });
  });
});

describe("what the networks compute", () => {
  it.each(["ran-e-c", "mobilenet-v2", "resnet20-cifar"])("%s: the form that runs gives the same logits", (id) => {
    const model = trained(buildModel(id), 2);
    const picture = randomMap(seeded(3), [32, 32, 3], -1, 1);
    const logits = ({ network, weights }: Model) => runReference({ network, weights }, picture).get(network.output)!;
    const expected = logits(model);
    expect(expected).toHaveLength(id.endsWith("cifar") ? 10 : 1000);
    expect(relativeError(logits(prepare(model)), expected)).toBeLessThan(2e-5);
  });

  it("a ConvNeXt block whose layer scale is 0 is the identity", () => {
    const network = buildModel("ran-i-t");
    const model = withWeights(trained(network), (name) => (name.endsWith(".gamma") ? 0 : undefined));
    const tensors = runReference(model, randomMap(seeded(1), [32, 32, 3]));
    expect(tensors.get("stages.0.4")).toEqual(tensors.get("downsample_layers.0.1"));
    expect(tensors.get("stages.3.4")).toEqual(tensors.get("downsample_layers.3.1"));
  });

  it("a CIFAR shortcut keeps every other pixel, between zero channels", () => {
    const network = buildModel("resnet20-cifar");
    // The second normalisation of the block gives nothing, so its sum is the shortcut.
    const silent = /^layer2\.0\.bn2\.(weight|bias)$/;
    const model = withWeights(trained(network), (name) => (silent.test(name) ? 0 : undefined));
    const tensors = runReference(model, randomMap(seeded(1), [7, 9, 3]));
    const before = tensors.get("layer1.2.relu")!;
    const after = tensors.get("layer2.0")!;
    const at = (y: number, x: number, c: number) =>
      c < 8 || c >= 24 ? 0 : before[(2 * y * 9 + 2 * x) * 16 + (c - 8)]!;
    const expected = Array.from({ length: 4 * 5 * 32 }, (_, i) => {
      const pixel = Math.floor(i / 32);
      return at(Math.floor(pixel / 5), pixel % 5, i % 32);
    });
    expect([...after]).toEqual(expected);
  });
});

describe("what the upscaling networks compute", () => {
  it("VDSR adds to its input what it predicts", () => {
    const model = withWeights(trained(buildModel("vdsr")), (name) => (name === "output.weight" ? 0 : undefined));
    const picture = randomMap(seeded(1), [6, 5, 1]);
    expect(runReference(model, picture).get("y")).toEqual(picture.data);
  });

  it.each([2, 3, 4] as const)(
    "FSRCNN x%i: one tap in the middle puts features into the upper left of each cell",
    (scale) => {
      const network = buildModel("fsrcnn", { scale });
      // The features of the first channel at the places that the tap reaches, zero between them.
      const model = withWeights(trained(network), (name) => (name.startsWith("deconv") ? 0 : undefined));
      const filter = model.weights.get("deconv.weight")!;
      const before = Math.floor((9 - scale) / 2);
      filter.data[(before * 9 + before) * 56] = 1;
      const tensors = runReference(model, randomMap(seeded(1), [4, 3, 1]));
      const features = tensors.get("expand.prelu")!;
      const width = 3 * scale;
      const expected = Array.from({ length: 12 * scale ** 2 }, (_, i) => {
        const [y, x] = [Math.floor(i / width), i % width];
        return y % scale || x % scale ? 0 : features[((y / scale) * 3 + x / scale) * 56]!;
      });
      expect([...tensors.get("deconv")!]).toEqual(expected);
    },
  );
});
