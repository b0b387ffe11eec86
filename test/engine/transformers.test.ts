/** Tokens and attention in the engine, f32 against the float64 oracle. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { buildModel } from "../../src/models/registry.ts";
import type { Layer, Network } from "../../src/network/description.ts";
import { runReferenceF64 } from "../../src/reference/run.ts";
import { randomMap, randomModel, relativeError, seeded } from "../network/random-model.ts";

const dense = (name: string, input: string, channels: number): Layer => ({
  op: "conv2d",
  name,
  input,
  kernel: [1, 1],
  stride: 1,
  padding: "valid",
  channels,
  weights: `${name}.w`,
  bias: `${name}.b`,
});

const net = (channels: number, ...layers: Layer[]): Network => ({
  name: "n",
  layers: [{ op: "input", name: "x", channels }, ...layers],
  output: layers.at(-1)!.name,
});

async function check(network: Network, size: readonly [number, number], seed: number, bound = 1e-5): Promise<void> {
  const model = randomModel(network, seed);
  const channels = network.layers.flatMap((layer) => (layer.op === "input" ? [layer.channels] : []))[0]!;
  const input = randomMap(seeded(seed), [...size, channels], -1, 1);
  const compiled = await compile(model);
  const expected = runReferenceF64(model, input).get(network.output)!;
  expect(relativeError(compiled.run(input).data, expected)).toBeLessThanOrEqual(bound);
  expect(relativeError(compiled.run(input).data, expected)).toBeLessThanOrEqual(bound);
  compiled.dispose();
}

const attention = fc.record({
  height: fc.integer({ min: 1, max: 7 }),
  width: fc.integer({ min: 1, max: 7 }),
  heads: fc.constantFrom(1, 2, 4),
  own: fc.integer({ min: 1, max: 9 }),
  keyHeads: fc.constantFrom(1, 2, 4),
  valueHeads: fc.constantFrom(1, 2, 4),
  map: fc.constantFrom("softmax" as const, "xca" as const),
  seed: fc.nat(1e6),
});

describe("attention", () => {
  it("is near the oracle, with heads of their own and shared, of maps of any size", async () => {
    await fc.assert(
      fc.asyncProperty(attention, async ({ height, width, heads, own, map, seed, ...shared }) => {
        const [keyHeads, valueHeads] = [Math.min(shared.keyHeads, heads), Math.min(shared.valueHeads, heads)];
        const layer: Layer = {
          op: "attention",
          name: "y",
          q: "q",
          k: "k",
          v: "v",
          heads,
          keyHeads,
          valueHeads,
          map,
          ...(map === "xca" && { temperature: "t" }),
        };
        const network = net(
          5,
          dense("q", "x", heads * own),
          dense("k", "x", keyHeads * own),
          dense("v", "x", valueHeads * own),
          layer,
        );
        await check(network, [height, width], seed);
      }),
      { numRuns: 60 },
    );
  });

  it("takes one tensor for all three roles", async () => {
    const layer: Layer = { op: "attention", name: "y", q: "x", k: "x", v: "x", heads: 3, map: "softmax" };
    await check(net(12, layer), [5, 6], 3);
  });

  it("tokens: a class token, positions, one query, and the token put back", async () => {
    const network = net(
      8,
      { op: "fourier-positions", name: "waves", input: "x", channels: 16 },
      dense("embedded", "waves", 8),
      { op: "add", name: "placed", inputs: ["x", "embedded"] },
      { op: "class-token", name: "tokens", input: "placed", weights: "cls" },
      { op: "positions", name: "learnt", input: "tokens", tokens: 13, weights: "pos" },
      { op: "take-token", name: "first", input: "learnt" },
      { op: "attention", name: "asked", q: "first", k: "learnt", v: "learnt", heads: 2, map: "softmax" },
      { op: "replace-token", name: "y", inputs: ["learnt", "asked"] },
    );
    await check(network, [3, 4], 5);
  });

  it("refuses values of other widths than the queries' by name", async () => {
    const layer: Layer = { op: "attention", name: "y", q: "x", k: "x", v: "v", heads: 2, map: "softmax" };
    const compiled = await compile(randomModel(net(8, dense("v", "x", 12), layer)));
    expect(() => compiled.run(randomMap(seeded(1), [2, 2, 8]))).toThrow(
      'layer "y": expected values of 4 channels a head as the queries have, got 6',
    );
    compiled.dispose();
  });
});

test("XCiT-N12 at 64x64 is near the oracle", { timeout: 60_000 }, async () => {
  await check(buildModel("xcit-n12"), [64, 64], 7, 1e-4);
});

test.skipIf(!process.env.WASMOGRAD_SLOW)("DeiT-Ti is near the oracle", { timeout: 120_000 }, async () => {
  await check(buildModel("deit-ti"), [224, 224], 9, 1e-4);
});
