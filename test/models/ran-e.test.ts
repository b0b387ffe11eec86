import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RanERow, ranEChains, ranENetwork, ranERows } from "../../src/models/ran-e.ts";
import { buildModel } from "../../src/models/registry.ts";
import { countNetwork } from "../../src/network/counts.ts";
import type { Layer, Model, Network } from "../../src/network/description.ts";
import { foldBatchNorms } from "../../src/network/passes/fold-batch-norm.ts";
import { restructure } from "../../src/network/passes/restructure.ts";
import { weightShapes } from "../../src/network/weights.ts";
import { runReferenceF64 } from "../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../network/random-model.ts";

const network = (rows: readonly RanERow[], expanded?: { factor: number; amount: number }): Network =>
  ranENetwork({ name: "n", rows, ...(expanded && { expanded }) });
const run = (model: Model) => runReferenceF64(model, randomMap(seeded(3), [9, 8, 3], -1, 1)).get(model.network.output)!;

/** A layer without the names of its weights. */
const bare = (layer: Layer): object => {
  const { weights, bias, scale, offset, ...rest } = layer as Layer & Record<string, unknown>;
  return rest;
};

/** Every kind of place: with and without residual, with stride, with a waist, bottlenecks between. */
const SMALL: readonly RanERow[] = [
  { channels: 5, stride: 1, blocks: ["collapsed", "collapsed", "k3 t4", "collapsed"] },
  { channels: 128, stride: 2, blocks: ["collapsed", "collapsed"] },
  { channels: 4, stride: 2, blocks: ["k5 t6", "collapsed"] },
];

describe("ranENetwork", () => {
  it.each(["ran-e-gt", "ran-e-c"] as const)("builds %s from its rows", (id) => {
    expect(ranENetwork({ name: id, rows: ranERows(id) })).toEqual(buildModel(id));
  });

  it("at amount 0 the expanded form collapses to the collapsed one: the same layers and the same values", () => {
    const expanded = randomModel(network(SMALL, { factor: 2, amount: 0 }), 7);
    const chains = ranEChains(SMALL);
    // Three blocks of 5 channels, one to 128, one with a waist, one of 4.
    expect(chains).toHaveLength(7);
    const collapsed = restructure(expanded, chains);
    const direct = foldBatchNorms(randomModel(network(SMALL), 7));
    expect(collapsed.network.layers.map(bare)).toEqual(direct.network.layers.map(bare));

    const values = run(collapsed);
    expect(relativeError(values, run(expanded))).toBeLessThanOrEqual(2e-6);
    // The collapsed form with the collapsed weights under its own names.
    const names = [...weightShapes(direct.network).keys()];
    const weights = new Map(
      names.map((name) => {
        const { weights: made } = collapsed;
        return [name, made.get(name) ?? made.get(name.replace(".folded.", ".collapsed."))!] as const;
      }),
    );
    expect(run({ network: direct.network, weights })).toEqual(values);
  });

  it("is not collapsible at any other amount, and not linear", () => {
    const model = randomModel(network(SMALL, { factor: 3, amount: 0.25 }), 7);
    expect(() => restructure(model, ranEChains(SMALL))).toThrow("expected a restructurable activation with amount 0");
    const linear = { ...model, network: network(SMALL, { factor: 3, amount: 0 }) };
    expect(relativeError(run(model), run(linear))).toBeGreaterThan(1e-3);
  });

  it("the expanded form has factor times the input's channels inside", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 40 }), (factor, channels) => {
        const rows: readonly RanERow[] = [{ channels, stride: 1, blocks: ["collapsed"] }];
        const { layers } = countNetwork(network(rows, { factor, amount: 1 }), [8, 8]);
        const weights = (name: string) => layers.find((layer) => layer.name === `blocks.0.0.${name}`)!.weights;
        expect(weights("expand")).toBe(9 * 16 * 16 * factor);
        expect(weights("project")).toBe(16 * factor * channels);
      }),
      { numRuns: 20 },
    );
  });

  const row = (change: object): RanERow => ({ channels: 8, stride: 1, blocks: ["collapsed"], ...change });
  it.each([
    [{ rows: [] }, "rows: expected an array of at least one, got an empty one"],
    [{ rows: [row({ channels: 0 })] }, "rows[0].channels: expected a positive integer, got 0"],
    [{ rows: [row({ stride: 1.5 })] }, "rows[0].stride: expected a positive integer, got 1.5"],
    [{ rows: [row({ blocks: "collapsed" })] }, "rows[0].blocks: expected an array of at least one, got collapsed"],
    [
      { rows: [row({}), row({ blocks: ["k3 t6", "k4 t6"] })] },
      "block 1.1: expected one of collapsed, k3 t4, k3 t6, k5 t4, k5 t6, k7 t4, k7 t6, got k4 t6",
    ],
    [
      { rows: [row({ channels: 128, blocks: ["k3 t4", "k3 t4"] })] },
      "block 0.1: expected one of collapsed, k3 t6, k5 t6, k7 t6, got k3 t4",
    ],
    [{ rows: [row({})], expanded: { factor: 0, amount: 0 } }, "expanded.factor: expected a positive integer, got 0"],
    [{ rows: [row({})], expanded: { factor: 2, amount: 2 } }, "expanded.amount: expected a number from 0 to 1, got 2"],
  ])("refuses %j in one line", (options, message) => {
    expect(() => ranENetwork({ name: "n", ...options } as Parameters<typeof ranENetwork>[0])).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", message }),
    );
  });
});
