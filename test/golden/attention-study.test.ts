/** The trained networks of training/attention-study against PyTorch: training/attention-study/make_golden.py. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { networkFile } from "../../scripts/attention-study/networks.ts";
import { FOLDER, KINDS, type Kind, readRuns, rightBits, runName } from "../../scripts/attention-study/runs.ts";
import { absolute } from "../../scripts/documents.ts";
import { compactAttention } from "../../src/attention/compact.ts";
import type { AttentionMember } from "../../src/attention/family.ts";
import { compile } from "../../src/engine/compile.ts";
import { loadWeights } from "../../src/formats/weights-file.ts";
import { countNetwork } from "../../src/network/counts.ts";
import type { FeatureMap, Network } from "../../src/network/description.ts";
import { validate } from "../../src/network/validate.ts";
import { runReferenceF64 } from "../../src/reference/run.ts";
import { relativeError } from "../network/random-model.ts";
import { hashTensor } from "./hash-weights.ts";

interface Golden {
  readonly input: { readonly name: string; readonly shape: readonly [number, number, number, number] };
  readonly networks: readonly {
    readonly kind: Kind;
    readonly member: AttentionMember;
    readonly seed: number;
    /** Of every picture. */
    readonly logits: readonly (readonly number[])[];
  }[];
}

/** Relative norms of differences: float64 on both sides, printed with eight digits; and f32 kernels. */
const [BOUND, F32_BOUND] = [1e-6, 1e-5];

const golden = JSON.parse(readFileSync(new URL("attention-study.json", import.meta.url), "utf8")) as Golden;

function pictures({ name, shape }: Golden["input"]): FeatureMap<Float32Array>[] {
  const [count, channels, height, width] = shape;
  const values = hashTensor(name, shape);
  const plane = height * width;
  return Array.from({ length: count }, (_, n) => {
    const own = values.subarray(n * channels * plane, (n + 1) * channels * plane);
    const data = Float32Array.from(own, (_, i) => own[(i % channels) * plane + Math.floor(i / channels)]!);
    return { shape: [height, width, channels], data };
  });
}

const standard = (kind: Kind): Network =>
  validate(JSON.parse(readFileSync(absolute(networkFile(kind)), "utf8")) as Network);

describe("trained compact attention answers as in PyTorch", () => {
  it("in three members at least of either kind", () => {
    for (const kind of KINDS) expect(golden.networks.filter((n) => n.kind === kind).length).toBeGreaterThanOrEqual(3);
  });

  const inputs = pictures(golden.input);
  it.each(golden.networks.map((network) => [runName(network), network] as const))("%s", async (name, network) => {
    const description = compactAttention(standard(network.kind), network.member);
    const weights = loadWeights(readFileSync(absolute(`${FOLDER}/${name}.safetensors`)), description);
    const model = { network: description, weights };
    const compiled = await compile(model);
    for (const [n, input] of inputs.entries()) {
      const exact = runReferenceF64(model, input).get(description.output)!;
      expect(relativeError(exact, Float64Array.from(network.logits[n]!))).toBeLessThanOrEqual(BOUND);
      expect(relativeError(compiled.run(input).data, exact)).toBeLessThanOrEqual(F32_BOUND);
    }
    compiled.dispose();
  });
});

describe("results of the study", () => {
  it.each(readRuns().map((run) => [runName(run), run] as const))("%s: parameters and right answers", (_, run) => {
    const description = compactAttention(standard(run.kind), run.member);
    expect(countNetwork(description, [32, 32]).params).toBe(run.params);
    expect(rightBits(run).reduce((sum, bit) => sum + bit, 0)).toBe(run.right);
  });
});
