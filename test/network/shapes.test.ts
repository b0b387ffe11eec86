import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { convAxis } from "../../src/conv-axis.ts";
import { sesr } from "../../src/models/sesr.ts";
import type { Conv2dLayer, Layer, Network } from "../../src/network/description.ts";
import { inferChannels, inferShapes } from "../../src/network/shapes.ts";

const input: Layer = { op: "input", name: "x", channels: 3 };
const conv = (options: Partial<Conv2dLayer>): Conv2dLayer => ({
  op: "conv2d",
  name: "c",
  input: "x",
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels: 8,
  weights: "w",
  ...options,
});
const net = (...layers: Layer[]): Network => ({ name: "n", layers: [input, ...layers], output: layers.at(-1)!.name });

describe("convAxis", () => {
  it.each([
    [5, 3, 1, "same", { size: 5, padBefore: 1, padAfter: 1 }],
    [5, 4, 1, "same", { size: 5, padBefore: 1, padAfter: 2 }],
    [6, 3, 2, "same", { size: 3, padBefore: 0, padAfter: 1 }],
    [7, 3, 2, "same", { size: 4, padBefore: 1, padAfter: 1 }],
    [1, 5, 1, "same", { size: 1, padBefore: 2, padAfter: 2 }],
    [7, 3, 2, "valid", { size: 3, padBefore: 0, padAfter: 0 }],
    [2, 3, 1, "valid", { size: 0, padBefore: 0, padAfter: 0 }],
    [4, 1, 2, "same", { size: 2, padBefore: 0, padAfter: 0 }],
  ] as const)("%i wide, kernel %i, stride %i, %s", (size, kernel, stride, padding, expected) => {
    expect(convAxis(size, kernel, stride, padding)).toEqual(expected);
  });

  it("puts every window inside the padded input and would not fit one more", () => {
    const side = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(side, fc.integer({ min: 1, max: 9 }), fc.constantFrom(1, 2), (n, kernel, stride) => {
        const { size, padBefore, padAfter } = convAxis(n, kernel, stride, "same");
        const reach = (size - 1) * stride + kernel;
        expect(size).toBe(Math.ceil(n / stride));
        expect(reach).toBeLessThanOrEqual(padBefore + n + padAfter);
        expect(padAfter - padBefore).toBeGreaterThanOrEqual(0);
        expect(padAfter - padBefore).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("inferShapes", () => {
  it("follows a whole network", () => {
    const shapes = inferShapes(sesr({ variant: "m3", scale: 4 }), [7, 9]);
    expect(shapes.get("features")).toEqual([7, 9, 16]);
    expect(shapes.get("cells")).toEqual([7, 9, 16]);
    expect(shapes.get("upscaled.x2")).toEqual([14, 18, 4]);
    expect(shapes.get("y")).toEqual([28, 36, 1]);
  });

  it("broadcasts an operand of one channel from either side", () => {
    const one = conv({ name: "one", channels: 1 });
    for (const inputs of [["x", "one"] as const, ["one", "x"] as const]) {
      expect(inferChannels(net(one, { op: "add", name: "s", inputs })).get("s")).toBe(3);
    }
  });

  it.each<[string, Network, readonly [number, number], string]>([
    ["zero sizes", net(conv({})), [0, 4], "input: expected [height, width], positive integers, got [0,4]"],
    ["fractional sizes", net(conv({})), [1.5, 4], "positive integers, got [1.5,4]"],
    [
      "a valid kernel larger than its input",
      net(conv({ padding: "valid", kernel: [5, 3] })),
      [4, 9],
      "expected an input of at least 5x3, got 4x9",
    ],
    [
      "sums of different channels",
      net(conv({}), { op: "add", name: "s", inputs: ["x", "c"] }),
      [4, 4],
      "equal channels or one of 1 to add, got 3 and 8",
    ],
    [
      "sums of different sizes",
      net(conv({ stride: 2, channels: 3 }), { op: "add", name: "s", inputs: ["x", "c"] }),
      [4, 4],
      "maps of one size to add, got 4x4 and 2x2",
    ],
    [
      "indivisible depth-to-space",
      net({ op: "depth-to-space", name: "d", input: "x", block: 2 }),
      [4, 4],
      "channels divisible by block^2 = 4, got 3",
    ],
    [
      "a residual of other channels",
      net(conv({ residual: { tensor: "x", position: "before-activation" } })),
      [4, 4],
      'residual "x": expected 1 or 8 channels, got 3',
    ],
    [
      "a scaled residual of one channel for many",
      net(
        conv({ name: "one", channels: 1 }),
        conv({ residual: { tensor: "one", position: "before-activation", scale: "s" } }),
      ),
      [4, 4],
      'residual "one": expected 8 channels to scale, got 1',
    ],
    [
      "a residual of another size",
      net(conv({ stride: 2, channels: 3, residual: { tensor: "x", position: "before-activation" } })),
      [4, 4],
      "one size to add, got 2x2 and 4x4",
    ],
    [
      "a short residual of other channels",
      net({
        op: "linear-block",
        name: "b",
        input: "x",
        kernel: [3, 3],
        expansion: 4,
        channels: 8,
        shortResidual: true,
        expand: { weights: "e" },
        project: { weights: "p" },
      }),
      [4, 4],
      "shortResidual: expected 3 output channels as of its input, got 8",
    ],
  ])("refuses %s", (_, network, size, message) => {
    expect(() => inferShapes(network, size)).toThrow(
      expect.objectContaining({ code: "ERR_SHAPE", message: expect.stringContaining(message) }),
    );
  });
});
