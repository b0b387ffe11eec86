/**
 * XCiT with patches of 16 pixels (arXiv 2106.09681, official code): cross-covariance attention, local patch interaction and MLP in each block,
 * two blocks of class attention at the end. Names of weights as in timm, but for q, k and v, which lie in one matrix there; `loadWeights`
 * takes it apart.
 *
 * Computed, and tested: 3,053,224 / 6,716,272 / 26,253,304 parameters (published 3 M / 7 M / 26 M).
 */
import { compactAttention } from "../attention/compact.ts";
import type { AttentionOption } from "../attention/family.ts";
import type { Network } from "../network/description.ts";
import type { ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";
import { type BlockSizes, EPSILON, mlp, projectedAttention } from "./transformer-parts.ts";

export interface CrossCovarianceTransformer {
  readonly name: string;
  /** A multiple of 8. */
  readonly channels: number;
  readonly depth: number;
  readonly heads: number;
  /** Whether the second normalisation of class attention is over all tokens, or the class token alone. */
  readonly normsTokens: boolean;
  readonly classes: number;
  /** Of the cross-covariance blocks; class attention stays as it is. */
  readonly attention?: AttentionOption;
}

const CLASS_BLOCKS = 2;
/** Channels of the sines and cosines. */
const POSITION_CHANNELS = 64;

/** Four convolutions with stride 2: [h, w, 3] -> [h / 16, w / 16, channels]. */
function patches(list: LayerList, channels: number): string {
  const widths = [channels / 8, channels / 4, channels / 2, channels];
  return widths.reduce((x, width, i) => {
    const name = `patch_embed.proj.${2 * i}`;
    const convolved = list.convolution(`${name}.0`, x, width, { kernel: 3, stride: 2, padding: 1 });
    const normalised = list.batchNorm(`${name}.1`, convolved);
    return width === channels ? normalised : list.activation(normalised, "gelu");
  }, "x");
}

/** Local patch interaction: two depthwise 3x3 convolutions on the grid of tokens. */
function localPatches(list: LayerList, x: string, name: string, channels: number): string {
  const options = { kernel: 3, padding: 1, depthwise: true, bias: true };
  const first = list.activation(list.convolution(`${name}.conv1`, x, channels, options), "gelu");
  return list.convolution(`${name}.conv2`, list.batchNorm(`${name}.bn`, first), channels, options);
}

/** Cross-covariance attention, local patch interaction and MLP, each behind its normalisation and scaled, with a residual. */
export function crossCovarianceBlock(list: LayerList, x: string, name: string, sizes: BlockSizes): string {
  const { channels, heads, mlpRatio } = sizes;
  const residual = (from: string, part: string, y: string, scale: string): string =>
    list.sum(part, from, list.channelScale(`${part}.scaled`, y, `${name}.${scale}`));
  const norm = (part: string, from: string): string => list.layerNorm(`${name}.${part}`, from, EPSILON);
  const temperature = `${name}.attn.temperature`;
  const attended = projectedAttention(list, {
    x: norm("norm1", x),
    name: `${name}.attn`,
    channels,
    heads,
    temperature,
  });
  const y = residual(x, `${name}.attended`, attended, "gamma1");
  const local = localPatches(list, norm("norm3", y), `${name}.local_mp`, channels);
  const z = residual(y, `${name}.interacted`, local, "gamma3");
  return residual(z, name, mlp(list, norm("norm2", z), `${name}.mlp`, channels, mlpRatio), "gamma2");
}

/**
 * Class attention: the class token alone asks, and alone passes the MLP. The official code adds the other tokens to themselves on the way,
 * first normalised, then as they are.
 */
function classBlock(list: LayerList, x: string, name: string, sizes: CrossCovarianceTransformer): string {
  const { channels, heads, normsTokens } = sizes;
  const take = (part: string, from: string): string => list.takeToken(`${name}.${part}`, from);
  const normalised = list.layerNorm(`${name}.norm1`, x, EPSILON);
  const queries = take("asking", normalised);
  const heard = projectedAttention(list, { x: normalised, queries, name: `${name}.attn`, channels, heads });
  const scaled = list.channelScale(
    `${name}.scaled`,
    list.replaceToken(`${name}.heard`, normalised, heard),
    `${name}.gamma1`,
  );
  let y = list.sum(`${name}.attended`, x, scaled);
  if (normsTokens) y = list.layerNorm(`${name}.norm2`, y, EPSILON);
  else y = list.replaceToken(`${name}.normalised`, y, list.layerNorm(`${name}.norm2`, take("class", y), EPSILON));
  const thought = list.channelScale(
    `${name}.thought`,
    mlp(list, take("thinking", y), `${name}.mlp`, channels),
    `${name}.gamma2`,
  );
  return list.sum(name, y, list.replaceToken(`${name}.replaced`, y, thought));
}

/**
 * Picture [h, w, 3], normalised by the caller, of any size, -> logits [1, 1, classes].
 * @throws WasmogradError ERR_ARGUMENT as `compactAttention`
 */
export function crossCovarianceTransformer(sizes: CrossCovarianceTransformer): Network {
  const { name, channels, depth, classes, attention = "standard" } = sizes;
  const list = new LayerList(3);
  const embedded = patches(list, channels);
  const waves = list.fourierPositions("pos_embed.waves", embedded, POSITION_CHANNELS);
  let x = list.sum("embedded", embedded, list.dense("pos_embed.token_projection", waves, channels));
  for (let i = 0; i < depth; i++) x = crossCovarianceBlock(list, x, `blocks.${i}`, sizes);
  x = list.classToken("tokens", x, "cls_token");
  for (let i = 0; i < CLASS_BLOCKS; i++) x = classBlock(list, x, `cls_attn_blocks.${i}`, sizes);
  const norm = list.layerNorm("norm", list.takeToken("class", x), EPSILON);
  const network = list.network(name, list.dense("head", norm, classes));
  return compactAttention(network, attention, { only: ({ map }) => map === "xca" });
}

const SIZES: Readonly<Record<string, Pick<CrossCovarianceTransformer, "channels" | "heads" | "normsTokens">>> = {
  "xcit-n12": { channels: 128, heads: 4, normsTokens: false },
  "xcit-t12": { channels: 192, heads: 4, normsTokens: true },
  "xcit-s12": { channels: 384, heads: 8, normsTokens: true },
};

export const XCIT: ModelFamily = {
  name: "XCiT",
  task: "classification",
  ids: ["xcit-n12", "xcit-t12", "xcit-s12"],
  hasAttention: true,
  input: () => [224, 224],
  build: (id, { attention = "standard" }) =>
    crossCovarianceTransformer({ name: id, ...SIZES[id]!, depth: 12, classes: 1000, attention }),
};
