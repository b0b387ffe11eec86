import { describe, expect, it } from "vitest";
import { type SesrVariant, sesr } from "../../src/models/sesr.ts";
import type { FeatureMap, Layer, Network } from "../../src/network/description.ts";
import { fuseNetwork } from "../../src/network/passes/fuse.ts";
import { halo, margins } from "../../src/network/receptive-field.ts";
import { inferShapes } from "../../src/network/shapes.ts";
import { runReference } from "../../src/reference/run.ts";
import { randomMap, randomModel, seeded } from "./random-model.ts";

const even = (n: number, scale: number) => ({ top: n, bottom: n, left: n, right: n, scale });

function crop({ shape: [, width, channels], data }: FeatureMap<Float32Array>, [y0, y1]: number[], [x0, x1]: number[]) {
  const rows: number[] = [];
  for (let y = y0!; y < y1!; y++)
    rows.push(...data.subarray((y * width + x0!) * channels, (y * width + x1!) * channels));
  return { shape: [y1! - y0!, x1! - x0!, channels] as const, data: Float32Array.from(rows) };
}

/** Convolutions before and after depth-to-space, an even kernel among them. */
const MIXED: Network = {
  name: "mixed",
  layers: [
    { op: "input", name: "x", channels: 1 },
    { op: "conv2d", name: "a", input: "x", kernel: [4, 3], stride: 1, padding: "same", channels: 4, weights: "a" },
    { op: "depth-to-space", name: "d", input: "a", block: 2 },
    { op: "conv2d", name: "b", input: "d", kernel: [3, 6], stride: 1, padding: "same", channels: 1, weights: "b" },
    { op: "offset", name: "y", input: "b", value: 1 },
  ],
  output: "y",
};

describe("halo", () => {
  it.each<[SesrVariant, number]>([
    ["m3", 7],
    ["m5", 9],
    ["m7", 11],
    ["m11", 15],
    ["xl", 15],
  ])("of sesr-%s is %i, in every form and at both scales", (variant, expected) => {
    for (const scale of [2, 4] as const) {
      expect(halo(sesr({ variant, scale }))).toEqual(even(expected, scale));
      expect(halo(fuseNetwork(sesr({ variant, scale })))).toEqual(even(expected, scale));
      expect(halo(sesr({ variant, scale, form: "expanded" }))).toEqual(even(expected, scale));
    }
  });

  it("counts reach behind depth-to-space in input pixels, rounded up, and even kernels by side", () => {
    expect(margins(MIXED).get("d")).toEqual({ top: 1, bottom: 1, left: 2, right: 3 });
    expect(halo(MIXED)).toEqual({ top: 2, bottom: 3, left: 2, right: 3, scale: 2 });
  });

  it.each([
    [{ stride: 2, padding: "same" }, 'layer "c": expected stride 1 and same padding to run in tiles, got stride 2'],
    [{ stride: 1, padding: "valid" }, "got valid padding"],
  ] as const)("refuses %o", (options, message) => {
    const conv: Layer = { op: "conv2d", name: "c", input: "x", kernel: [3, 3], channels: 1, weights: "w", ...options };
    const network: Network = { name: "n", layers: [{ op: "input", name: "x", channels: 1 }, conv], output: "c" };
    expect(() => halo(network)).toThrow(
      expect.objectContaining({ code: "ERR_UNSUPPORTED", message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ["sesr-m3 x2", sesr({ variant: "m3", scale: 2 })],
    ["mixed", MIXED],
  ])("tiles of %s with the halo equal the whole picture bit for bit, and one pixel less does not", (_, network) => {
    const model = randomModel(network, 5);
    const picture = randomMap(seeded(6), [22, 25, 1]);
    const whole = {
      shape: inferShapes(network, [22, 25]).get(network.output)!,
      data: runReference(model, picture).get(network.output)!,
    };
    const { top, bottom, left, right, scale } = halo(network);
    const tile = ([y0, y1]: number[], [x0, x1]: number[], less: number) => {
      const rows = [Math.max(0, y0! - top + less), Math.min(22, y1! + bottom)];
      const columns = [Math.max(0, x0! - left), Math.min(25, x1! + right)];
      const cut = crop(picture, rows, columns);
      const shape = inferShapes(network, [cut.shape[0], cut.shape[1]]).get(network.output)!;
      const result = { shape, data: runReference(model, cut).get(network.output)! };
      const inner = (range: number[], origin: number) => range.map((v) => (v - origin) * scale);
      return crop(result, inner([y0!, y1!], rows[0]!), inner([x0!, x1!], columns[0]!)).data;
    };
    const expected = (ys: number[], xs: number[]) =>
      crop(
        whole,
        ys.map((v) => v * scale),
        xs.map((v) => v * scale),
      ).data;
    for (const ys of [
      [0, 9],
      [9, 13],
      [13, 22],
    ]) {
      for (const xs of [
        [0, 11],
        [11, 25],
      ])
        expect(tile(ys, xs, 0)).toEqual(expected(ys, xs));
    }
    expect(tile([13, 22], [0, 11], 1)).not.toEqual(expected([13, 22], [0, 11]));
  });
});
