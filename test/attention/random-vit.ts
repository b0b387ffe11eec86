/** Random vision transformers in float64, so that identities are proved to the last digits. */
import { visionTransformer } from "../../src/models/deit.ts";
import type { FeatureMap, Network, RealModel, RealWeight } from "../../src/network/description.ts";
import { inferShapes } from "../../src/network/shapes.ts";
import { weightUses } from "../../src/network/weights.ts";
import { runReferenceF64 } from "../../src/reference/run.ts";
import { random } from "../_helpers/random.ts";

export interface Shape {
  readonly heads: number;
  /** Channels of a head. */
  readonly own: number;
  readonly depth: number;
  readonly seed: number;
}

export const INPUT = [8, 12] as const;

export const vit = (
  { heads, own, depth }: Shape,
  attention: Parameters<typeof visionTransformer>[0]["attention"] = "standard",
): Network =>
  visionTransformer({
    name: "vit",
    channels: heads * own,
    depth,
    heads,
    patch: 4,
    input: INPUT,
    classes: 3,
    attention,
  });

/** Filters that keep the signal's size, biases and all else uniform in [-1, 1) or, of scales, in [0.5, 1.5). */
export function randomReal(network: Network, seed: number): RealModel {
  const next = random(seed);
  const weights = new Map<string, RealWeight>();
  for (const { name, role, shape } of [...weightUses(network).values()].flat()) {
    const length = shape.reduce((a, b) => a * b, 1);
    const spread = role === "filter" ? Math.sqrt((3 * shape[0]!) / length) : 1;
    const value = role === "norm" || role === "statistic" ? () => 0.5 + next() : () => spread * (2 * next() - 1);
    weights.set(name, { shape, data: Float64Array.from({ length }, value) });
  }
  return { network, weights };
}

export function randomPicture(seed: number): FeatureMap<Float64Array> {
  const next = random(seed);
  const [height, width] = INPUT;
  return { shape: [height, width, 3], data: Float64Array.from({ length: height * width * 3 }, () => 2 * next() - 1) };
}

/** The network's output. */
export function output(model: RealModel, picture: FeatureMap<Float64Array>): Float64Array {
  inferShapes(model.network, [picture.shape[0], picture.shape[1]]);
  return runReferenceF64(model, picture).get(model.network.output)!;
}

/** Largest difference, relative to the largest magnitude of the second. */
export function difference(a: Float64Array, b: Float64Array): number {
  const size = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]!))) / size;
}

/** The model with some weights replaced. */
export function withWeights(model: RealModel, changes: Readonly<Record<string, RealWeight>>): RealModel {
  for (const name of Object.keys(changes)) if (!model.weights.has(name)) throw new Error(`no weight ${name}`);
  return { network: model.network, weights: new Map([...model.weights, ...Object.entries(changes)]) };
}
