import { describe, expect, it } from "vitest";
import { sesr } from "../../../src/models/sesr.ts";
import type { Activation, Conv2dLayer, Layer, Network } from "../../../src/network/description.ts";
import { fuse, fuseNetwork } from "../../../src/network/passes/fuse.ts";
import { runReference } from "../../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../random-model.ts";

const input: Layer = { op: "input", name: "x", channels: 3 };
const conv = (name: string, from = "x", channels = 3): Conv2dLayer => ({
  op: "conv2d",
  name,
  input: from,
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels,
  weights: `${name}.w`,
});
const act = (name: string, from: string, kind: "relu" | "relu6" | "prelu"): Layer => {
  const activation: Activation = kind === "prelu" ? { kind, slope: `${name}.slope` } : { kind };
  return { op: "activation", name, input: from, activation };
};
const add = (name: string, a: string, b: string): Layer => ({ op: "add", name, inputs: [a, b] });
const net = (...layers: Layer[]): Network => ({ name: "n", layers: [input, ...layers], output: layers.at(-1)!.name });

/** A fused layer in short: name, activation, residual. */
function short({ layers }: Network): string[] {
  return layers.flatMap((layer) => {
    if (layer.op === "input") return [];
    if (layer.op !== "conv2d") return [`${layer.name}: ${layer.op}`];
    const { name, activation, residual } = layer;
    const sum = residual && `${residual.position.split("-")[0]} ${residual.tensor}`;
    return [[`${name}: conv2d`, activation?.kind, sum].filter(Boolean).join(" ")];
  });
}

const CASES: [string, Network, string[]][] = [
  ["conv -> relu", net(conv("c"), act("y", "c", "relu")), ["y: conv2d relu"]],
  ["conv -> relu6", net(conv("c"), act("y", "c", "relu6")), ["y: conv2d relu6"]],
  ["conv -> prelu", net(conv("c"), act("y", "c", "prelu")), ["y: conv2d prelu"]],
  [
    "conv -> prelu -> relu",
    net(conv("c"), act("p", "c", "prelu"), act("y", "p", "relu")),
    ["p: conv2d prelu", "y: activation"],
  ],
  ["conv -> add", net(conv("c"), add("y", "c", "x")), ["y: conv2d before x"]],
  ["conv -> add from the other side", net(conv("c"), add("y", "x", "c")), ["y: conv2d before x"]],
  ["conv -> add -> relu", net(conv("c"), add("s", "c", "x"), act("y", "s", "relu")), ["y: conv2d relu before x"]],
  ["conv -> add -> relu6", net(conv("c"), add("s", "c", "x"), act("y", "s", "relu6")), ["y: conv2d relu6 before x"]],
  [
    "conv -> add -> prelu",
    net(conv("c"), add("s", "c", "x"), act("y", "s", "prelu")),
    ["s: conv2d before x", "y: activation"],
  ],
  ["conv -> prelu -> add", net(conv("c"), act("p", "c", "prelu"), add("y", "p", "x")), ["y: conv2d prelu after x"]],
  ["conv -> relu -> add", net(conv("c"), act("p", "c", "relu"), add("y", "p", "x")), ["y: conv2d relu after x"]],
  ["conv -> relu6 -> add", net(conv("c"), act("p", "c", "relu6"), add("y", "p", "x")), ["p: conv2d relu6", "y: add"]],
  [
    "conv -> add -> add",
    net(conv("c"), add("s", "c", "x"), conv("d"), add("y", "s", "d")),
    ["s: conv2d before x", "y: conv2d before s"],
  ],
  [
    "two convolutions: the later takes the sum",
    net(conv("c"), conv("d"), add("y", "c", "d")),
    ["c: conv2d", "y: conv2d before c"],
  ],
  [
    "a residual of one channel",
    net(conv("one", "x", 1), conv("c"), add("y", "one", "c")),
    ["one: conv2d", "y: conv2d before one"],
  ],
  [
    "a convolution of one channel is no place for three",
    net(conv("one", "x", 1), add("y", "one", "x")),
    ["one: conv2d", "y: add"],
  ],
  ["a sum with itself", net(conv("c"), add("y", "c", "c")), ["c: conv2d", "y: add"]],
  [
    "a second reader",
    net(conv("c"), act("r", "c", "relu"), add("y", "r", "c")),
    ["c: conv2d", "r: activation", "y: add"],
  ],
  [
    "the residual is computed after the convolution",
    net(conv("c"), conv("d"), act("r", "d", "relu6"), act("q", "r", "relu"), add("y", "c", "q")),
    ["r: conv2d relu6", "q: activation", "y: conv2d before q"],
  ],
];

describe("fuse", () => {
  it.each(CASES)("%s", (_, network, expected) => {
    expect(short(fuseNetwork(network))).toEqual(expected);
  });

  it.each(CASES)("%s: every tensor that remains keeps its values", (_, network) => {
    const model = randomModel(network, 3);
    const picture = randomMap(seeded(4), [5, 4, 3], -1, 1);
    const before = runReference(model, picture);
    for (const [name, values] of runReference(fuse(model), picture)) {
      expect(relativeError(values, before.get(name)!)).toBeLessThanOrEqual(1e-6);
    }
  });

  it("takes a description's residual after nothing for one before the activation that follows", () => {
    const c: Conv2dLayer = { ...conv("c"), residual: { tensor: "x", position: "after-activation" } };
    expect(short(fuseNetwork(net(c, act("y", "c", "relu"))))).toEqual(["y: conv2d relu before x"]);
    const scaled: Conv2dLayer = { ...c, channels: 3, residual: { ...c.residual!, scale: "s" } };
    const { layers } = fuseNetwork(net(scaled, act("y", "c", "relu")));
    expect(layers.at(-1)).toMatchObject({ residual: { tensor: "x", position: "before-activation", scale: "s" } });
  });

  it("leaves SESR with one layer per convolution, under the names of what they produce", () => {
    expect(short(fuseNetwork(sesr({ variant: "m3", scale: 4 })))).toEqual([
      "x.centred: offset",
      "first: conv2d",
      "blocks.0.prelu: conv2d prelu",
      "blocks.1.prelu: conv2d prelu",
      "features: conv2d prelu after first",
      "cells: conv2d before x",
      "upscaled.x2: depth-to-space",
      "upscaled.x4: depth-to-space",
      "y: clip",
    ]);
  });

  it("is idempotent", () => {
    const once = fuseNetwork(sesr({ variant: "m5", scale: 2 }));
    expect(fuseNetwork(once)).toBe(once);
  });
});
