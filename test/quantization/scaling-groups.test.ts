import { describe, expect, it } from "vitest";
import { sesr } from "../../src/models/sesr.ts";
import type { Activation, Conv2dLayer, Layer, Network } from "../../src/network/description.ts";
import { fuseNetwork } from "../../src/network/passes/fuse.ts";
import { scalingGroups } from "../../src/quantization/scaling-groups.ts";

const conv = (name: string, input: string, more: Partial<Conv2dLayer> = {}): Conv2dLayer => ({
  op: "conv2d",
  name,
  input,
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels: 4,
  weights: `${name}.w`,
  bias: `${name}.b`,
  ...more,
});
const act = (name: string, input: string, kind: "relu" | "relu6" | "prelu"): Layer => {
  const activation: Activation = kind === "prelu" ? { kind, slope: `${name}.slope` } : { kind };
  return { op: "activation", name, input, activation };
};
const add = (name: string, a: string, b: string): Layer => ({ op: "add", name, inputs: [a, b] });
const net = (...layers: Layer[]): Network => ({
  name: "n",
  layers: [{ op: "input", name: "x", channels: 4 }, ...layers],
  output: layers.at(-1)!.name,
});
const names = (network: Network) => scalingGroups(network).map(({ tensors }) => tensors.join(" "));

describe("scalingGroups", () => {
  it("of SESR: every convolution but the last stands alone, as the fused skip ties nothing", () => {
    const groups = scalingGroups(fuseNetwork(sesr({ variant: "m3", scale: 2 })));
    expect(groups).toEqual([
      { tensors: ["first"], channels: 16 },
      { tensors: ["blocks.0.prelu"], channels: 16 },
      { tensors: ["blocks.1.prelu"], channels: 16 },
      { tensors: ["features"], channels: 16 },
    ]);
  });

  it("of SESR that is not fused: the skip ties the first convolution to the last block", () => {
    const groups = scalingGroups(sesr({ variant: "m3", scale: 2 }));
    expect(groups.map(({ tensors }) => tensors.join(" "))).toContain("first blocks.2 blocks.2.prelu features");
  });

  it.each<[string, Network, string[]]>([
    ["between two convolutions", net(conv("a", "x"), conv("y", "a")), ["a"]],
    ["through relu and prelu", net(conv("a", "x"), act("r", "a", "relu"), conv("y", "r")), ["a r"]],
    [
      "through a sum and what it joins",
      net(conv("a", "x"), conv("b", "a"), add("s", "a", "b"), act("p", "s", "prelu"), conv("y", "p")),
      ["a b s p"],
    ],
    [
      "a residual",
      net(conv("a", "x"), conv("b", "a", { residual: { tensor: "a", position: "before-activation" } }), conv("y", "b")),
      ["a", "b"],
    ],
    [
      "a residual from the network's input",
      net(conv("a", "x", { residual: { tensor: "x", position: "after-activation" } }), conv("y", "a")),
      ["a"],
    ],
  ])("finds %s", (_, network, expected) => {
    expect(names(network)).toEqual(expected);
  });

  it.each<[string, Network]>([
    ["the network's input and output", net(conv("y", "x"))],
    ["relu6", net(conv("a", "x", { activation: { kind: "relu6" } }), conv("y", "a"))],
    ["relu6 of its own", net(conv("a", "x"), act("r", "a", "relu6"), conv("y", "r"))],
    ["a sum with the input", net(conv("a", "x"), add("s", "a", "x"), conv("y", "s"))],
    ["a broadcast channel", net(conv("a", "x"), conv("b", "x", { channels: 1 }), add("s", "a", "b"), conv("y", "s"))],
    [
      "a broadcast residual",
      net(
        conv("b", "x", { channels: 1 }),
        conv("a", "x", { residual: { tensor: "b", position: "before-activation" } }),
        conv("y", "a"),
      ),
    ],
    ["an offset", net(conv("a", "x"), { op: "offset", name: "o", input: "a", value: 1 }, conv("y", "o"))],
    ["a clip", net(conv("a", "x"), { op: "clip", name: "k", input: "a", min: 0, max: 1 }, conv("y", "k"))],
    ["depth-to-space", net(conv("a", "x"), { op: "depth-to-space", name: "d", input: "a", block: 2 }, conv("y", "d"))],
    ["a shared filter", net(conv("a", "x", { weights: "w" }), conv("y", "a", { weights: "w" }))],
    [
      "residuals with one scale",
      net(
        conv("a", "x", { residual: { tensor: "x", position: "after-activation", scale: "s" } }),
        conv("b", "a", { residual: { tensor: "a", position: "after-activation", scale: "s" } }),
        conv("y", "b"),
      ),
    ],
    ["a shared bias", net(conv("a", "x", { bias: "v" }), conv("y", "a", { bias: "v" }))],
    [
      "a bias that is also a slope",
      net(conv("a", "x", { activation: { kind: "prelu", slope: "a.b" } }), conv("y", "a")),
    ],
  ])("leaves %s alone", (_, network) => {
    expect(names(network)).toEqual([]);
  });
});
