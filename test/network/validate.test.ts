import { describe, expect, it } from "vitest";
import { sesr } from "../../src/models/sesr.ts";
import { validate } from "../../src/network/validate.ts";

const x = { op: "input", name: "x", channels: 1 };
const clip = { op: "clip", name: "y", input: "x", min: 0, max: 1 };
const conv = {
  op: "conv2d",
  name: "c",
  input: "x",
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels: 4,
  weights: "w",
};
const block = {
  op: "linear-block",
  name: "b",
  input: "x",
  kernel: [3, 3],
  expansion: 8,
  channels: 1,
  shortResidual: true,
  expand: { weights: "e" },
  project: { weights: "p" },
};
const net = (layers: unknown[], output = "y") => ({ name: "n", layers, output });

describe("validate", () => {
  it("sorts layers so that inputs come first and keeps a sorted order", () => {
    const { layers } = sesr({ variant: "m3", scale: 2 });
    const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);
    expect(names(validate({ name: "n", layers, output: "y" }).layers)).toEqual(names(layers));
    const shuffled = validate({ name: "n", layers: layers.toReversed(), output: "y" });
    expect(new Set(names(shuffled.layers))).toEqual(new Set(names(layers)));
    const seen = new Set<string>();
    for (const layer of shuffled.layers) {
      if ("input" in layer) expect(seen).toContain(layer.input);
      seen.add(layer.name);
    }
  });

  it("returns a frozen copy, drops undefined fields, and is free the second time", () => {
    const source = net([x, { ...conv, bias: undefined }, { ...clip, input: "c" }]);
    const result = validate(source);
    expect(validate(result)).toBe(result);
    expect(Object.isFrozen(result.layers[1])).toBe(true);
    expect("bias" in result.layers[1]!).toBe(false);
    expect(Object.isFrozen(source.layers)).toBe(false);
  });

  it("sorts a reversed chain of 20,000 layers without overflowing the stack", () => {
    const chain: unknown[] = [x];
    for (let i = 0; i < 20000; i++)
      chain.push({ op: "offset", name: `t${i}`, input: i === 0 ? "x" : `t${i - 1}`, value: 1 });
    const { layers } = validate(net(chain.toReversed(), "t19999"));
    expect(layers.at(-1)!.name).toBe("t19999");
  });

  it.each<[string, unknown, string]>([
    ["no object", 3, "network: expected an object with layers, got 3"],
    ["no layers", net([]), "network: layers: expected a non-empty array of layers, got []"],
    [
      "no output",
      { name: "n", layers: [x] },
      "network: output: expected a non-empty string without control characters, got nothing",
    ],
    ["an unknown field of the network", { ...net([x, clip]), outputs: [] }, "network: outputs: not a field here"],
    ["a layer that is no object", net([x, 7]), "layers[1]: expected an object with op and name, got 7"],
    ["a name that moves the cursor", net([x, { op: "clip", name: "a\u001b[2J" }]), "without control characters"],
    ["a layer without a name", net([x, { op: "clip" }]), "layers[1].name: expected a non-empty string"],
    ["an unknown op", net([x, { op: "softmax", name: "y" }]), 'layer "y": op: expected one of input, conv2d, '],
    ["an inherited op", net([x, { op: "toString", name: "y" }]), 'layer "y": op: expected one of input'],
    [
      "a missing field",
      net([x, { op: "clip", name: "y", input: "x", min: 0 }]),
      'layer "y": max: expected a finite number',
    ],
    [
      "a mistyped field",
      net([x, { ...clip, maximum: 1 }]),
      'layer "y": maximum: not a field here; expected only op, name',
    ],
    ["duplicate names", net([x, clip, clip]), 'layer "y": expected a unique name, got it twice'],
    [
      "an unknown input",
      net([x, { ...clip, input: "z" }]),
      'layer "y": expected the name of a layer as its input, got "z"',
    ],
    ["an unknown output", net([x, clip], "z"), 'output: expected the name of a layer, got "z"'],
    ["two inputs", net([x, { ...x, name: "x2" }, clip]), 'expected exactly one input, got ["x","x2"]'],
    ["no input", net([{ ...clip, input: "y" }]), "expected exactly one input, got []"],
    [
      "a cycle",
      net([
        x,
        { op: "add", name: "a", inputs: ["x", "b"] },
        { ...clip, name: "b", input: "y" },
        { ...clip, input: "a" },
      ]),
      "layers: expected no cycle, got a -> b -> y -> a",
    ],
    [
      "a layer that reads itself",
      net([x, { op: "add", name: "y", inputs: ["x", "y"] }]),
      "expected no cycle, got y -> y",
    ],
    ["an unused layer", net([x, clip, conv]), 'expected all to lead to the output "y", got unused c'],
    [
      "an empty kernel",
      net([x, { ...conv, kernel: [0, 3] }], "c"),
      'layer "c": kernel: expected two of: an integer from 1',
    ],
    [
      "stride 17",
      net([x, { ...conv, stride: 17 }], "c"),
      'layer "c": stride: expected an integer from 1 to 16, got 17',
    ],
    [
      "unknown padding",
      net([x, { ...conv, padding: "full" }], "c"),
      'padding: expected "same", "valid" or an integer from 0 to 127, got "full"',
    ],
    ["negative padding", net([x, { ...conv, padding: -1 }], "c"), "an integer from 0 to 127, got -1"],
    ["no channels", net([x, { ...conv, channels: 0 }], "c"), "channels: expected an integer from 1 to 65536, got 0"],
    [
      "a broken activation",
      net([x, { ...conv, activation: { kind: "swish" } }], "c"),
      'layer "c": activation: expected { kind:',
    ],
    ["PReLU without slope", net([x, { ...conv, activation: { kind: "prelu" } }], "c"), 'got {"kind":"prelu"}'],
    [
      "a residual without position",
      net([x, { ...conv, residual: { tensor: "x" } }], "c"),
      'layer "c": residual: expected {',
    ],
    [
      "a residual's scale without a name",
      net([x, { ...conv, residual: { tensor: "x", position: "after-activation", scale: "" } }], "c"),
      'layer "c": residual: expected {',
    ],
    [
      "an unknown residual",
      net([x, { ...conv, residual: { tensor: "q", position: "after-activation" } }], "c"),
      'got "q"',
    ],
    [
      "block 1",
      net([x, { op: "depth-to-space", name: "y", input: "x", block: 1 }]),
      "block: expected an integer from 2 to 64, got 1",
    ],
    ["a clip upside down", net([x, { ...clip, min: 2 }]), 'layer "y": min: expected less than max 1, got 2'],
    [
      "an infinite offset",
      net([x, { op: "offset", name: "y", input: "x", value: Number.NaN }]),
      "value: expected a finite number, got NaN",
    ],
    [
      "one operand to add",
      net([x, { op: "add", name: "y", inputs: ["x"] }]),
      "inputs: expected two of: a non-empty string",
    ],
    ["no flag", net([x, { ...block, shortResidual: 1 }], "b"), "shortResidual: expected true or false, got 1"],
    [
      "a filter without weights",
      net([x, { ...block, expand: {} }], "b"),
      'layer "b": expand: expected { weights: a non-empty',
    ],
  ])("refuses %s", (_, network, message) => {
    expect(() => validate(network)).toThrow(
      expect.objectContaining({ code: "ERR_NETWORK", message: expect.stringContaining(message) }),
    );
    try {
      validate(network);
    } catch (error) {
      expect((error as Error).message).not.toContain("\n");
    }
  });
});
