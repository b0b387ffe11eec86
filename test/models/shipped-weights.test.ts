import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadWeights } from "../../src/formats/weights-file.ts";
import { sesrById } from "../../src/models/sesr.ts";
import { collapse } from "../../src/network/passes/collapse.ts";
import { SHIPPED } from "../../src/upscale/weights/index.generated.ts";
import { relativeError } from "../network/random-model.ts";

const read = (path: string): Uint8Array => readFileSync(new URL(`../../${path}`, import.meta.url));

test.each(SHIPPED)("$id x$scale is what the trained, expanded network collapses to", ({ id, scale }) => {
  const expanded = sesrById(id, { scale, form: "expanded" });
  const weights = loadWeights(read(`training/checkpoints/${id}-x${scale}-expanded.safetensors`), expanded);
  const collapsed = collapse({ network: expanded, weights });
  const shipped = loadWeights(read(`weights/${id}-x${scale}.safetensors`), sesrById(id, { scale }));
  expect([...collapsed.weights.keys()].sort()).toEqual([...shipped.keys()].sort());
  // PyTorch collapsed in f32, we do in f64: they differ by the rounding of sums of up to 256 products.
  for (const [name, { data }] of shipped) {
    expect(relativeError(collapsed.weights.get(name)!.data, data), name).toBeLessThan(1e-5);
  }
});
