import { describe, expect, it } from "vitest";
import { type SesrVariant, sesr } from "../../src/models/sesr.ts";
import { collapseMacs, countNetwork, trainingMacs } from "../../src/network/counts.ts";
import type { Network } from "../../src/network/description.ts";

/** SESR reference, section 3: collapsed weights, MACs at 720p output in G, expanded weights without and with biases. */
const TABLE: readonly [SesrVariant, 2 | 4, number, number, number, number][] = [
  ["m3", 2, 8912, 2.053, 236800, 238148],
  ["m5", 2, 13520, 3.115, 318720, 320612],
  ["m7", 2, 18128, 4.177, 400640, 403076],
  ["m11", 2, 27344, 6.3, 141120, 142148],
  ["xl", 2, 105376, 24.279, 280384, 281604],
  ["m3", 4, 13712, 0.79, 239872, 241232],
  ["m5", 4, 18320, 1.055, 321792, 323696],
  ["m7", 4, 22928, 1.321, 403712, 406160],
  ["m11", 4, 32144, 1.851, 141888, 142928],
  ["xl", 4, 114976, 6.623, 281152, 282384],
];

const giga = (macs: number) => Number((macs / 1e9).toFixed(3));

describe("countNetwork", () => {
  it.each(TABLE)("sesr-%s x%i as published", (variant, scale, weights, macs, expanded, withBiases) => {
    const collapsed = countNetwork(sesr({ variant, scale }), [720 / scale, 1280 / scale]);
    expect(collapsed.weights).toBe(weights);
    expect(giga(collapsed.macs)).toBe(macs);
    const training = countNetwork(sesr({ variant, scale, form: "expanded" }), [8, 8]);
    expect(training.weights).toBe(expanded);
    expect(training.weights + training.biases).toBe(withBiases);
    expect(training.params).toBe(training.weights + training.biases + training.slopes);
    expect(training.slopes).toBe(collapsed.slopes);
  });

  it("counts biases and slopes apart: M5 x2 has 80 slopes and 100 biases", () => {
    const { params, weights, biases, slopes } = countNetwork(sesr({ variant: "m5", scale: 2 }), [1, 1]);
    expect({ params, weights, biases, slopes }).toEqual({ params: 13700, weights: 13520, biases: 100, slopes: 80 });
    expect(countNetwork(sesr({ variant: "m3", scale: 2 }), [1, 1]).params).toBe(9028);
  });

  it.each<[SesrVariant, 2 | 4, number]>([
    ["m5", 2, 28.04],
    ["m5", 4, 37.99],
    ["m3", 2, 18.48],
    ["m7", 2, 37.59],
    ["m11", 2, 56.7],
    ["xl", 2, 218.5],
  ])("MACs of %s x%i on 1080p input", (variant, scale, expected) => {
    const { macs } = countNetwork(sesr({ variant, scale }), [1080, 1920]);
    expect(Math.abs(macs / 1e9 - expected)).toBeLessThanOrEqual(expected > 200 ? 0.05 : 0.005);
  });

  it("counts per layer, and the layers add up", () => {
    const { layers, macs, activations, params } = countNetwork(sesr({ variant: "m5", scale: 2 }), [300, 400]);
    expect(giga(macs)).toBe(1.622);
    const sum = (field: "macs" | "activations" | "params") => layers.reduce((a, layer) => a + layer[field], 0);
    expect([sum("macs"), sum("activations"), sum("params")]).toEqual([macs, activations, params]);
    expect(activations).toBe(300 * 400 * (6 * 16 + 4));
    expect(layers.find(({ name }) => name === "blocks.0")).toMatchObject({
      op: "conv2d",
      weights: 2304,
      biases: 16,
      slopes: 0,
    });
    expect(layers.find(({ name }) => name === "blocks.0.prelu")).toMatchObject({ params: 16, slopes: 16, macs: 0 });
  });

  it("counts a shared weight once in the total, strided work at its output", () => {
    const conv = { op: "conv2d", kernel: [3, 3], padding: "same", channels: 4, weights: "w" } as const;
    const network: Network = {
      name: "n",
      layers: [
        { op: "input", name: "x", channels: 4 },
        { ...conv, name: "a", input: "x", stride: 1 },
        { ...conv, name: "b", input: "a", stride: 2 },
      ],
      output: "b",
    };
    const counts = countNetwork(network, [9, 9]);
    expect(counts.params).toBe(144);
    expect(counts.layers.map((layer) => layer.params)).toEqual([0, 144, 144]);
    expect(counts.macs).toBe(144 * (81 + 25));
  });
});

describe("training figures of M5 x2, batch 32 of 64x64", () => {
  it("gives 41.775 G expanded and 1.843 G collapsed = 1.772 G + 0.071 G", () => {
    const { expanded, collapse, forward, collapsed } = trainingMacs(
      sesr({ variant: "m5", scale: 2, form: "expanded" }),
    );
    expect([expanded, collapse, forward, collapsed].map(giga)).toEqual([41.775, 0.071, 1.772, 1.843]);
    expect(collapsed).toBe(collapse + forward);
  });

  it("costs nothing to collapse what has no linear blocks", () => {
    const network = sesr({ variant: "m5", scale: 2 });
    expect(collapseMacs(network)).toBe(0);
    const { expanded, collapsed } = trainingMacs(network, { batch: 1, patch: [8, 8] });
    expect(collapsed).toBe(expanded);
  });
});
