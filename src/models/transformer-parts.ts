/** What vision transformers have in common; names of weights as timm has them, with q, k and v apart. */
import type { LayerList } from "./layer-list.ts";

/** Of layer normalisations. */
export const EPSILON = 1e-6;

/** What a block is made of. */
export interface BlockSizes {
  readonly channels: number;
  readonly heads: number;
  /** Channels in the middle of the MLP to one outside; 4 unless given. */
  readonly mlpRatio?: number;
}

/** Two dense layers with the exact GELU between them, the first to `ratio` times the channels. */
export function mlp(list: LayerList, x: string, name: string, channels: number, ratio = 4): string {
  const wide = list.activation(list.dense(`${name}.fc1`, x, ratio * channels), "gelu");
  return list.dense(`${name}.fc2`, wide, channels);
}

/**
 * Attention with its four projections. @param queries what q is projected from, all tokens or the first
 * @param temperature name of the weight of cross-covariance attention
 */
export function projectedAttention(
  list: LayerList,
  { x, queries = x, name, channels, heads, temperature }: AttentionPart,
): string {
  const q = list.dense(`${name}.q`, queries, channels);
  const k = list.dense(`${name}.k`, x, channels);
  const v = list.dense(`${name}.v`, x, channels);
  return list.dense(`${name}.proj`, list.attention(name, { q, k, v }, heads, temperature), channels);
}

interface AttentionPart {
  readonly x: string;
  readonly queries?: string;
  readonly name: string;
  readonly channels: number;
  readonly heads: number;
  readonly temperature?: string;
}
