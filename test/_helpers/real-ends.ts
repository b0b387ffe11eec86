/** Networks of int8 whose ends stay real. */
import type { Conv2dLayer, Layer, Network } from "../../src/network/description.ts";

export const conv = (name: string, input: string, channels: number, extra: Partial<Conv2dLayer> = {}): Layer => ({
  op: "conv2d",
  name,
  input,
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels,
  weights: `${name}.w`,
  bias: `${name}.b`,
  ...extra,
});

/** Layers behind an input of one channel or more; the last is the output. */
export const net = (name: string, channels: number, ...layers: Layer[]): Network => ({
  name,
  layers: [{ op: "input", name: "x", channels }, ...layers],
  output: layers.at(-1)!.name,
});

/** One offset is the only reader of the input, which may not lie where its int8 form does; no clip; three channels out. */
export const bare = net(
  "bare",
  3,
  { op: "offset", name: "low", input: "x", value: -0.25 },
  conv("a", "low", 9),
  conv("y", "a", 3, { stride: 2, kernel: [5, 5] }),
);

/** Two offsets, one of them offset again, a residual of as many channels, clips on both sides of depth-to-space. */
export const twoOffsets = net(
  "two offsets",
  4,
  { op: "offset", name: "low", input: "x", value: -0.5 },
  { op: "offset", name: "high", input: "x", value: 0.5 },
  { op: "offset", name: "higher", input: "high", value: 0.5 },
  conv("a", "low", 6, { activation: { kind: "relu" } }),
  conv("b", "higher", 6),
  { op: "add", name: "sum", inputs: ["a", "b"] },
  conv("last", "sum", 4, { kernel: [5, 5] }),
  { op: "add", name: "cells", inputs: ["last", "x"] },
  { op: "clip", name: "low.clip", input: "cells", min: -0.1, max: 3 },
  { op: "depth-to-space", name: "up", input: "low.clip", block: 2 },
  { op: "clip", name: "y", input: "up", min: -2, max: 0.7 },
);
