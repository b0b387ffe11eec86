/** Every network against an independent implementation: PyTorch's outputs, made by training/golden. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { buildModel } from "../../src/models/registry.ts";
import { countNetwork } from "../../src/network/counts.ts";
import type { FeatureMap, Network, Weight, Weights } from "../../src/network/description.ts";
import { weightShapes } from "../../src/network/weights.ts";
import { hashTensor } from "./hash-weights.ts";

interface Golden {
  readonly network: string;
  readonly filterGain: number;
  readonly input: { readonly name: string; readonly shape: readonly [number, number, number, number] };
  readonly params: number;
  readonly macs: number;
  readonly logits: {
    readonly count: number;
    readonly mean: number;
    readonly norm: number;
    readonly argmax: number;
    readonly stride: number;
    readonly values: readonly number[];
  };
}

/** Of the norm of the logits. PyTorch's own f32 is up to 7e-6 from its f64; the smallest fault that we know of gives 6e-6, others 2e-4. */
const BOUND = 3e-5;

/** Hashing weights and 224x224 take seconds a network: all of it with the slow suite, else each family at its smaller size. */
const LARGE = /224x224|^ran-i-[sb]|^convnext-t|^repvgg-a0-train/;

/** [o, i, h, w] -> [o, h, w, i]. */
function toOhwi(data: Float32Array, [out, height, width, inputs]: readonly number[]): Float32Array {
  const taps = height! * width!;
  const moved = new Float32Array(data.length);
  for (let o = 0; o < out!; o++) {
    for (let i = 0; i < inputs!; i++) {
      for (let t = 0; t < taps; t++) moved[(o * taps + t) * inputs! + i] = data[(o * inputs! + i) * taps + t]!;
    }
  }
  return moved;
}

function hashWeights(network: Network, gain: number): Weights {
  const made = [...weightShapes(network)].map(([name, shape]): [string, Weight] => {
    if (shape.length !== 4) return [name, { shape, data: hashTensor(name, shape, gain) }];
    const [o, h, w, i] = shape as [number, number, number, number];
    return [name, { shape, data: toOhwi(hashTensor(name, [o, i, h, w], gain), shape) }];
  });
  return new Map(made);
}

function hashInput({ name, shape: [, channels, height, width] }: Golden["input"]): FeatureMap<Float32Array> {
  const planes = hashTensor(name, [1, channels, height, width]);
  return { shape: [height, width, channels], data: toOhwi(planes, [1, height, width, channels]) };
}

/** The form of a network that the file was made with. */
function build(id: string): Network {
  const [, name, form] = /^(repvgg-a0)-(train|deployed)$/.exec(id) ?? [];
  return name ? buildModel(name, form === "train" ? { form: "train" } : {}) : buildModel(id);
}

const files = readdirSync(import.meta.dirname).filter((name) => /-\d+x\d+\.json$/.test(name));

describe("networks agree with PyTorch", () => {
  it("there are goldens of every family", () => {
    expect(files.length).toBeGreaterThanOrEqual(24);
  });

  for (const file of files) {
    const id = file.replace(".json", "");
    it.skipIf(LARGE.test(id) && !process.env.WASMOGRAD_SLOW)(id, { timeout: 120_000 }, async () => {
      const golden = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as Golden;
      const network = build(golden.network);
      const input = hashInput(golden.input);
      const [height, width] = input.shape;
      const counts = countNetwork(network, [height, width]);
      expect([counts.params, counts.macs]).toEqual([golden.params, golden.macs]);

      const compiled = await compile({ network, weights: hashWeights(network, golden.filterGain) });
      const { data } = compiled.run(input);
      const { logits } = golden;
      expect(data.length).toBe(logits.count);
      const scale = logits.norm / Math.sqrt(logits.count / logits.values.length);
      const error = Math.hypot(...logits.values.map((value, i) => data[i * logits.stride]! - value));
      expect(error / scale).toBeLessThanOrEqual(BOUND);
      expect(Math.abs(Math.hypot(...data) / logits.norm - 1)).toBeLessThanOrEqual(BOUND);
      expect(data.indexOf(Math.max(...data))).toBe(logits.argmax);
      compiled.dispose();
    });
  }
});
