import { expect, it } from "vitest";
import { gaugeFix } from "../../src/attention/gauge-fix.ts";
import { compile } from "../../src/engine/compile.ts";
import type { Network } from "../../src/network/description.ts";
import { roundWeights } from "../../src/network/passes/round.ts";
import { runReference } from "../../src/reference/run.ts";
import { random } from "../_helpers/random.ts";
import { difference, INPUT, output, randomPicture, randomReal, vit } from "./random-vit.ts";

it.each([
  [8, "pivot-projection"],
  [4, "conv2d"],
])("runs what gaugeFix makes: heads of %i as %s", async (own, op) => {
  const original = roundWeights(randomReal(vit({ heads: 2, own, depth: 1, seed: 1 }), 1));
  const { model: fixed, report } = gaugeFix(original);
  const { data } = randomPicture(1);
  const compiled = await compile(fixed);
  for (const { projection } of report) {
    expect(compiled.network.layers.find(({ name }) => name === projection)?.op).toBe(op);
  }
  const { data: result } = compiled.run({ shape: [...INPUT, 3], data: Float32Array.from(data) });
  expect(difference(Float64Array.from(result), output(original, randomPicture(1)))).toBeLessThanOrEqual(1e-4);
  compiled.dispose();
});

it("runs a projection with pivots beside none of attention, over rows of a picture", async () => {
  const pivots = Array.from({ length: 2 }, (_, g) => Array.from({ length: 8 }, (_, i) => (5 * i + g) % 24));
  const network: Network = {
    name: "pivots",
    layers: [
      { op: "input", name: "x", channels: 24 },
      { op: "pivot-projection", name: "y", input: "x", pivots, weights: "w" },
    ],
    output: "y",
  };
  const alone = roundWeights(randomReal(network, 2));
  const next = random(3);
  const picture = { shape: [9, 7, 24] as const, data: Float32Array.from({ length: 9 * 7 * 24 }, () => 2 * next() - 1) };
  const compiled = await compile(alone);
  expect(compiled.network.layers[1]!.op).toBe("pivot-projection");
  const [y, expected] = [compiled.run(picture).data, runReference(alone, picture).get("y")!];
  for (const [i, value] of expected.entries()) expect(Math.abs(y[i]! - value)).toBeLessThanOrEqual(1e-5);
  compiled.dispose();
});
