/** The working memory of one call of an attention kernel. Layouts: assembly/attention/. */

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
