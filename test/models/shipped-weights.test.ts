import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadWeights } from "../../src/formats/weights-file.ts";
import { sesr } from "../../src/models/sesr.ts";
import { collapse } from "../../src/network/passes/collapse.ts";
import { relativeError } from "../network/random-model.ts";

const read = (path: string): Uint8Array => readFileSync(new URL(`../../${path}`, import.meta.url));

test("the shipped SESR-M5 x2 is what the trained, expanded network collapses to", () => {
  const expanded = sesr({ variant: "m5", scale: 2, form: "expanded" });
  const weights = loadWeights(read("training/checkpoints/sesr-m5-x2-expanded.safetensors"), expanded);
  const collapsed = collapse({ network: expanded, weights });
  const shipped = loadWeights(read("weights/sesr-m5-x2.safetensors"), sesr({ variant: "m5", scale: 2 }));
  expect([...collapsed.weights.keys()].sort()).toEqual([...shipped.keys()].sort());
  // PyTorch collapsed in f32, we do in f64: they differ by the rounding of sums of 256 products.
  for (const [name, { data }] of shipped) {
    expect(relativeError(collapsed.weights.get(name)!.data, data), name).toBeLessThan(1e-5);
  }
});
