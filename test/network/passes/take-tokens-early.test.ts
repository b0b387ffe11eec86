import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildModel } from "../../../src/models/registry.ts";
import { crossCovarianceTransformer } from "../../../src/models/xcit.ts";
import { countNetwork } from "../../../src/network/counts.ts";
import type { Layer, Model, Network } from "../../../src/network/description.ts";
import { takeTokensEarly } from "../../../src/network/passes/take-tokens-early.ts";
import { runReferenceF64 } from "../../../src/reference/run.ts";
import { vit } from "../../attention/random-vit.ts";
import { randomMap, randomModel, seeded } from "../random-model.ts";

const net = (...layers: Layer[]): Network => ({
  name: "n",
  layers: [{ op: "input", name: "x", channels: 4 }, ...layers],
  output: layers.at(-1)!.name,
});
const norm = (name: string, input: string): Layer => ({
  op: "layer-norm",
  name,
  input,
  scale: `${name}.w`,
  offset: `${name}.b`,
  epsilon: 1e-6,
});
const take = (name: string, input: string): Layer => ({ op: "take-token", name, input });
const gelu = (name: string, input: string): Layer => ({
  op: "activation",
  name,
  input,
  activation: { kind: "gelu" },
});
const described = ({ network }: Model): string[] =>
  network.layers.map((layer) => {
    const inputs =
      layer.op === "add" || layer.op === "replace-token" ? layer.inputs.join("+") : "input" in layer ? layer.input : "";
    return `${layer.name}=${layer.op}(${inputs})`;
  });

function sameFunction(model: Model, size: readonly [number, number], channels: number): void {
  const early = takeTokensEarly(model);
  const picture = randomMap(seeded(3), [...size, channels], -1, 1);
  const { output } = model.network;
  expect(early.network.output).toBe(output);
  // Every token is computed by itself, so that the very same operations are left.
  expect(runReferenceF64(early, picture).get(output)).toEqual(runReferenceF64(model, picture).get(output));
}

describe("takeTokensEarly", () => {
  it("computes one token of a vision transformer's last block: the same bits, fewer products", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.nat(1e6), (heads, depth, seed) => {
        const network = vit({ heads, own: 4, depth, seed });
        sameFunction(randomModel(network, seed), [8, 12], 3);
      }),
      { numRuns: 15 },
    );
    const network = buildModel("deit-ti");
    const early = takeTokensEarly(randomModel(network)).network;
    // 196 of 197 tokens of one block: queries, output projection, MLP, scores and means.
    const saved = 196 * (192 * 192 * 10 + 2 * 197 * 192);
    expect(countNetwork(network, [224, 224]).macs - countNetwork(early, [224, 224]).macs).toBe(saved);
  });

  it.each([true, false])("class attention, all tokens normalised: %s", (normsTokens) => {
    const sizes = { name: "xcit", channels: 16, depth: 1, heads: 2, normsTokens, classes: 3 };
    const model = randomModel(crossCovarianceTransformer(sizes), 4);
    sameFunction(model, [32, 48], 3);
    const last = takeTokensEarly(model).network.layers.filter(({ name }) => name.startsWith("cls_attn_blocks.1"));
    expect(last.some(({ op }) => op === "replace-token")).toBe(false);
  });

  it("past layers that compute tokens one by one, under their old names", () => {
    const model = randomModel(net(norm("a", "x"), gelu("b", "a"), take("t", "b"), norm("y", "t")));
    expect(described(takeTokensEarly(model))).toEqual([
      "x=input()",
      "x.first=take-token(x)",
      "a=layer-norm(x.first)",
      "b=activation(a)",
      "y=layer-norm(b)",
    ]);
    sameFunction(model, [3, 3], 4);
  });

  it("but for the output, whose name stays", () => {
    const model = randomModel(net(norm("a", "x"), gelu("b", "a"), take("y", "b")));
    expect(described(takeTokensEarly(model)).at(-1)).toBe("y=activation(a)");
    sameFunction(model, [3, 3], 4);
  });

  it("not past what something else reads, and what mixes tokens", () => {
    const shared = net(norm("a", "x"), take("t", "a"), {
      op: "attention",
      name: "y",
      q: "t",
      k: "a",
      v: "a",
      heads: 2,
      map: "softmax",
    });
    const conv: Layer = {
      op: "conv2d",
      name: "a",
      input: "x",
      kernel: [3, 3],
      stride: 1,
      padding: "same",
      channels: 4,
      weights: "w",
    };
    const xca: Layer = { op: "attention", name: "a", q: "x", k: "x", v: "x", heads: 2, map: "xca", temperature: "t" };
    for (const network of [shared, net(conv, take("y", "a")), net(xca, take("y", "a"))]) {
      const model = randomModel(network);
      expect(described(takeTokensEarly(model))).toEqual(described({ network, weights: model.weights }));
    }
  });

  it("takes a token that was put back where it was made, and drops what nobody needs any more", () => {
    const model = randomModel(
      net(
        norm("a", "x"),
        take("t", "x"),
        gelu("g", "t"),
        { op: "replace-token", name: "r", inputs: ["a", "g"] },
        take("u", "r"),
        norm("y", "u"),
      ),
    );
    const early = takeTokensEarly(model);
    expect(described(early)).toEqual(["x=input()", "t=take-token(x)", "g=activation(t)", "y=layer-norm(g)"]);
    expect([...early.weights.keys()].sort()).toEqual(["y.b", "y.w"]);
    sameFunction(model, [3, 3], 4);
  });

  it("several tokens taken of one tensor are one; sums take of both", () => {
    const model = randomModel(
      net(
        norm("a", "x"),
        { op: "add", name: "s", inputs: ["a", "x"] },
        take("t", "s"),
        take("u", "s"),
        gelu("g", "u"),
        { op: "add", name: "y", inputs: ["t", "g"] },
      ),
    );
    expect(described(takeTokensEarly(model))).toEqual([
      "x=input()",
      "x.first=take-token(x)",
      "a=layer-norm(x.first)",
      "s=add(a+x.first)",
      "g=activation(s)",
      "y=add(s+g)",
    ]);
    sameFunction(model, [3, 3], 4);
  });

  it("refuses a name that is taken", () => {
    const model = randomModel(net(norm("a", "x"), take("t", "a"), norm("x.first", "t")));
    expect(() => takeTokensEarly(model)).toThrow(
      expect.objectContaining({
        code: "ERR_NETWORK",
        message: 'layer "x.first": expected the name to be free, got it in use',
      }),
    );
  });
});
