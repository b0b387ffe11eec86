/**
 * ResNet-20 and -56 over CIFAR-10's test pictures against PyTorch, picture by picture, on the same pixels. Runs with the slow suite where
 * `training/golden/cifar.py` has left its files and the weights lie beside the checkout: neither is the repository's to hand on.
 */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { argmax } from "../../src/cli/classification.ts";
import { compile } from "../../src/engine/compile.ts";
import { loadWeights } from "../../src/formats/weights-file.ts";
import { buildModel } from "../../src/models/registry.ts";

const CACHE = new URL("../../training/cache/", import.meta.url);
const WEIGHTS = new URL("../../../shared/data/cifar-resnet/", import.meta.url);
const bytes = (name: string, from = CACHE) => readFileSync(new URL(name, from));
const floats = (name: string) => new Float32Array(Uint8Array.from(bytes(name)).buffer);

const ready =
  process.env.WASMOGRAD_SLOW !== undefined &&
  existsSync(new URL("test-pixels.u8", CACHE)) &&
  existsSync(new URL("resnet20.safetensors", WEIGHTS));

const MEAN = [0.485, 0.456, 0.406] as const;
const DEVIATION = [0.229, 0.224, 0.225] as const;
const VALUES = 32 * 32 * 3;
/** Logits are of order 10: what f32 rounding may swap is a pair closer than this. */
const NEAR = 1e-4;

describe.skipIf(!ready)("CIFAR-10 as PyTorch sees it", () => {
  it.each([
    [20, 81.03],
    [56, 83.2],
  ])(
    "ResNet-%i predicts as PyTorch does but for near ties, and is right on %s %",
    { timeout: 600_000 },
    async (depth, right) => {
      const pixels = bytes("test-pixels.u8");
      const labels = bytes("test-labels.u8");
      const predictions = bytes(`resnet${depth}-predictions.u8`);
      const logits = floats(`resnet${depth}-logits.f32`);
      const network = buildModel(`resnet${depth}-cifar`);
      const compiled = await compile({
        network,
        weights: loadWeights(bytes(`resnet${depth}.safetensors`, WEIGHTS), network),
      });
      let correct = 0;
      const differing: string[] = [];
      for (let n = 0; n < labels.length; n++) {
        const data = Float32Array.from({ length: VALUES }, (_, i) => {
          return (pixels[n * VALUES + i]! / 255 - MEAN[i % 3]!) / DEVIATION[i % 3]!;
        });
        const answer = argmax(compiled.run({ shape: [32, 32, 3], data }).data);
        if (answer === labels[n]) correct++;
        const theirs = predictions[n]!;
        const margin = logits[n * 10 + theirs]! - logits[n * 10 + answer]!;
        if (answer !== theirs && margin > NEAR) differing.push(`${n}: ${answer} for ${theirs}`);
      }
      expect(differing).toEqual([]);
      expect(Math.abs((100 * correct) / labels.length - right)).toBeLessThanOrEqual(0.05);
      compiled.dispose();
    },
  );
});
