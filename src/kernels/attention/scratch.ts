/** The working memory of one call of an attention kernel, and what its integers hold. Layouts: assembly/attention/. */

type ElementType = "f32" | "int8";

const roundUp = (x: number, to: number): number => Math.ceil(x / to) * to;

/** Steps of a sum: single f32, pairs of int8. */
const stepsOf = (dtype: ElementType, length: number): number => (dtype === "f32" ? length : Math.ceil(length / 2));

/** Of assembly/attention/xca.ts: tokens that the second product takes at once. */
const XCA_TOKENS = 32;
/** Of assembly/attention/exp.ts. */
const WEIGHT_TABLE = 32;

/** Bytes of scratch of `f32_attention` or `qs8_attention`, which do not depend on the number of queries. */
export function attentionScratchBytes(dtype: ElementType, keys: number, headChannels: number): number {
  const scores = roundUp(keys, 4) * 32;
  const tokenPanel = roundUp(stepsOf(dtype, headChannels), 4) * 16;
  const channelPanel = stepsOf(dtype, keys) * 32;
  const tileAndFactors = 256 + 32 + WEIGHT_TABLE;
  const panels = Math.ceil(keys / 4) * tokenPanel + Math.ceil(headChannels / 8) * channelPanel;
  return scores + tileAndFactors + 2 * tokenPanel + panels;
}

/** Bytes of scratch of `f32_xca` or `qs8_xca`. */
export function xcaScratchBytes(dtype: ElementType, tokens: number, headChannels: number): number {
  const [groups, blocks] = [Math.ceil(headChannels / 4), Math.ceil(headChannels / 8)];
  const factors = groups * 16 + blocks * 32;
  const map = blocks * groups * 128;
  const channelPanel = stepsOf(dtype, tokens) * 16;
  const tokenPanel = roundUp(stepsOf(dtype, headChannels), 4) * 16;
  return XCA_TOKENS * 32 + WEIGHT_TABLE + factors + map + (2 + groups) * channelPanel + (XCA_TOKENS / 4) * tokenPanel;
}

/** Of assembly/attention/pivot-projection.ts: pixels in panels at once. */
const PIVOT_PIXELS = 64;

/** Bytes of scratch of `f32_pivot_projection`. */
export function pivotScratchBytes(pixels: number, inputs: number, own: number): number {
  const tiles = Math.ceil(Math.min(pixels, PIVOT_PIXELS) / 4);
  return tiles * (roundUp(inputs, 4) + inputs - own) * 16;
}

/** Keys of `qs8_attention`: sums of weights times values stay below 2^31 with weights of eight bits at least. */
export const MOST_KEYS_S8 = 65793;
/** Channels of a head of `qs8_attention`, whatever the zero points: channels * 255^2 stays below 2^31. */
export const MOST_HEAD_CHANNELS_S8 = 33025;

/** Tokens of `qs8_xca`, whose sums of products stay below 2^31 and sums of squares below 2^32. */
export function mostXcaTokens(zeroQ: number, zeroK: number): number {
  const [q, k] = [zeroQ, zeroK].map((zero) => Math.max(127 - zero, zero + 128)) as [number, number];
  return Math.min(Math.floor((2 ** 31 - 1) / (q * k)), Math.floor((2 ** 32 - 1) / Math.max(q, k) ** 2));
}
