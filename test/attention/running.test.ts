import { expect, it } from "vitest";
import { gaugeFix } from "../../src/attention/gauge-fix.ts";
import { compile } from "../../src/engine/compile.ts";
import { roundWeights } from "../../src/network/passes/round.ts";
import { difference, INPUT, output, randomPicture, randomReal, vit } from "./random-vit.ts";

const model = roundWeights(randomReal(vit({ heads: 2, own: 4, depth: 1, seed: 1 }), 1));

it("compiles what gaugeFix makes, pivots written out", async () => {
  const { model: fixed } = gaugeFix(model);
  const { data } = randomPicture(1);
  const compiled = await compile(fixed);
  const { data: result } = compiled.run({ shape: [...INPUT, 3], data: Float32Array.from(data) });
  expect(difference(Float64Array.from(result), output(model, randomPicture(1)))).toBeLessThanOrEqual(1e-4);
  compiled.dispose();
});
