/** Attention, vision transformers and every member of the compact family against PyTorch: training/golden/make_attention.py. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ATTENTION_MEMBERS, type AttentionOption } from "../../src/attention/family.ts";
import { compile } from "../../src/engine/compile.ts";
import { serialiseSafetensors } from "../../src/formats/safetensors.ts";
import { loadWeights } from "../../src/formats/weights-file.ts";
import { deit, visionTransformer } from "../../src/models/deit.ts";
import { LayerList } from "../../src/models/layer-list.ts";
import { buildModel } from "../../src/models/registry.ts";
import { crossCovarianceTransformer } from "../../src/models/xcit.ts";
import { countNetwork } from "../../src/network/counts.ts";
import type { FeatureMap, Network } from "../../src/network/description.ts";
import { runReferenceF64 } from "../../src/reference/run.ts";
import { bothInt8, cosine, quantisedOn, realOutput, sqnr } from "../_helpers/int8.ts";
import { relativeError } from "../network/random-model.ts";
import { hashTensor } from "./hash-weights.ts";

interface Sizes {
  readonly channels: number;
  readonly depth: number;
  readonly heads: number;
  readonly classes: number;
  readonly member?: string;
}

type Description =
  | { readonly kind: "multihead"; readonly channels: number; readonly heads: number }
  | (Sizes & { readonly kind: "vit"; readonly patch: number; readonly input: readonly [number, number] })
  | (Sizes & { readonly kind: "xcit"; readonly normsTokens: boolean })
  | { readonly kind: "deit"; readonly id: string; readonly input: readonly [number, number] }
  | { readonly kind: "model"; readonly id: string };

interface Golden {
  readonly network: Description;
  readonly filterGain: number;
  readonly input: { readonly name: string; readonly shape: readonly [number, number, number, number] };
  readonly params: number;
  readonly output: {
    readonly count: number;
    readonly norm: number;
    readonly argmax: number;
    readonly stride: number;
    readonly values: readonly number[];
  };
  readonly tensors: readonly (readonly [name: string, shape: readonly number[]])[];
}

/** Relative norm of the difference. Both sides are in float64 on f32 weights; values are printed as f32 with eight digits. */
const BOUND = 1e-6;

/** The same of the f32 kernels against float64; PyTorch's own f32 is up to 1.1e-6 away. */
const F32_BOUND = 1e-5;

/**
 * Of int8, calibrated on the one picture, against float64. Random weights amplify what is rounded from block to block as trained ones need
 * not: the least of all goldens are 0.9982 and 24.3 dB, and of the twelve blocks of three sums of XCiT 0.9930 and 17.8 dB.
 */
const INT8_BOUNDS = {
  softmax: { cosine: 0.998, decibels: 24 },
  xca: { cosine: 0.99, decibels: 17.5 },
} as const;

const isCrossCovariance = (network: Description): boolean =>
  network.kind === "xcit" || (network.kind === "model" && network.id.startsWith("xcit"));

/** Members that have no names. */
const OTHERS: Readonly<Record<string, AttentionOption>> = { bare: { v: "=k", o: "none" }, grouped: { grouping: 2 } };

function memberOf({ member = "standard" }: Sizes): AttentionOption {
  return OTHERS[member] ?? (member as AttentionOption);
}

function build(golden: Description): Network {
  switch (golden.kind) {
    case "multihead": {
      const list = new LayerList(golden.channels);
      const [q, k, v] = ["q", "k", "v"].map((role) => list.dense(`attn.${role}`, "x", golden.channels)) as [
        string,
        string,
        string,
      ];
      return list.network(
        "multihead",
        list.dense("attn.out_proj", list.attention("attn", { q, k, v }, golden.heads), golden.channels),
      );
    }
    case "vit":
      return visionTransformer({ name: "vit", ...golden, attention: memberOf(golden) });
    case "xcit":
      return crossCovarianceTransformer({ name: "xcit", ...golden, attention: memberOf(golden) });
    case "deit":
      return deit(golden.id, { input: golden.input });
    case "model":
      return buildModel(golden.id);
  }
}

/** Projections that the pass makes anew bear other names than where PyTorch's twin has them. */
function ownName(name: string, member: string | undefined): string {
  if (member === "grouped") return name.replace(/^(blocks\.\d+\.attn\.[kv])\./, "$1.grouped.");
  return member === "merged" ? name.replace(/^(blocks\.\d+\.attn\.(?:q|proj))\./, "$1.merged.") : name;
}

/** A checkpoint as PyTorch would write it. */
function checkpoint({ network, filterGain, tensors }: Golden): Uint8Array {
  const member = "member" in network ? network.member : undefined;
  return serialiseSafetensors(
    new Map(
      tensors.map(([name, shape]) => [ownName(name, member), { shape, data: hashTensor(name, shape, filterGain) }]),
    ),
  );
}

function hashInput({ name, shape }: Golden["input"]): FeatureMap<Float32Array> {
  const [, channels, height, width] = shape;
  const planes = hashTensor(name, shape);
  const data = Float32Array.from(planes, (_, i) => planes[(i % channels) * height * width + Math.floor(i / channels)]!);
  return { shape: [height, width, channels], data };
}

const FOLDER = new URL("attention/", import.meta.url);
const names = readdirSync(FOLDER).map((file) => file.replace(".json", ""));

describe("attention agrees with PyTorch", () => {
  it("there are goldens of every member with either map", () => {
    const wanted = ATTENTION_MEMBERS.flatMap((member) => [
      `vit-${member}`,
      ...(member === "merged" ? [] : [`xcit-${member}`]),
    ]);
    expect(names).toEqual(
      expect.arrayContaining([...wanted, "multihead", "torchvision-vit", "deit-ti-64x64", "xcit-n12-64x64"]),
    );
  });

  for (const name of names) {
    // Seconds each in plain TypeScript.
    const large = name.endsWith("224x224");
    it.skipIf(large && !process.env.WASMOGRAD_SLOW)(name, { timeout: 120_000 }, async () => {
      const golden = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8")) as Golden;
      const network = build(golden.network);
      const input = hashInput(golden.input);
      expect(countNetwork(network, [input.shape[0], input.shape[1]]).params).toBe(golden.params);
      const model = { network, weights: loadWeights(checkpoint(golden), network) };
      const data = runReferenceF64(model, input).get(network.output)!;
      const { output } = golden;
      expect(data.length).toBe(output.count);
      const error = Math.hypot(...output.values.map((value, i) => data[i * output.stride]! - value));
      expect(error / Math.hypot(...output.values)).toBeLessThanOrEqual(BOUND);
      expect(Math.abs(Math.hypot(...data) / output.norm - 1)).toBeLessThanOrEqual(BOUND);
      expect(data.indexOf(Math.max(...data))).toBe(output.argmax);

      const compiled = await compile(model);
      expect(relativeError(compiled.run(input).data, data)).toBeLessThanOrEqual(F32_BOUND);
      compiled.dispose();

      const int8 = quantisedOn(model, [input]);
      const { engine, oracle } = await bothInt8(int8, input);
      expect(engine).toEqual(oracle);
      const real = realOutput(int8, engine);
      const bound = INT8_BOUNDS[isCrossCovariance(golden.network) ? "xca" : "softmax"];
      expect(cosine(real, data)).toBeGreaterThan(bound.cosine);
      expect(sqnr(real, data)).toBeGreaterThan(bound.decibels);
    });
  }
});
