/**
 * DeiT (arXiv 2012.12877), the vision transformer of arXiv 2010.11929 at three widths, without distillation. Names of weights as in timm and the
 * official code, but for q, k and v, which lie in one matrix there; `loadWeights` takes it apart.
 *
 * Published: 5 M / 22 M / 86 M parameters. Computed, and tested: 5,717,416 / 22,050,664 / 86,567,656 and at 224x224 1,253,683,200 /
 * 4,598,882,304 / 17,563,828,224 MACs.
 */
import { compactAttention } from "../attention/compact.ts";
import type { AttentionOption } from "../attention/family.ts";
import type { Network } from "../network/description.ts";
import type { InputSize, ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";
import { type BlockSizes, EPSILON, mlp, projectedAttention } from "./transformer-parts.ts";

export interface VisionTransformer {
  readonly name: string;
  readonly channels: number;
  readonly depth: number;
  readonly heads: number;
  /** Pixels of a patch, each way. */
  readonly patch: number;
  /** Positions are learnt for one size. */
  readonly input: InputSize;
  readonly classes: number;
  readonly attention?: AttentionOption;
}

/** Layer normalisation before attention and before the MLP, each with a residual. */
export function softmaxBlock(list: LayerList, x: string, name: string, sizes: BlockSizes): string {
  const { channels, heads, mlpRatio } = sizes;
  const normalised = list.layerNorm(`${name}.norm1`, x, EPSILON);
  const attended = projectedAttention(list, { x: normalised, name: `${name}.attn`, channels, heads });
  const y = list.sum(`${name}.attended`, x, attended);
  const thought = mlp(list, list.layerNorm(`${name}.norm2`, y, EPSILON), `${name}.mlp`, channels, mlpRatio);
  return list.sum(name, y, thought);
}

/**
 * Picture [h, w, 3], normalised by the caller, -> logits [1, 1, classes].
 * @throws WasmogradError ERR_ARGUMENT as `compactAttention`
 */
export function visionTransformer(sizes: VisionTransformer): Network {
  const { name, channels, depth, patch, input, classes, attention = "standard" } = sizes;
  const list = new LayerList(3);
  const patches = list.convolution("patch_embed.proj", "x", channels, { kernel: patch, stride: patch, bias: true });
  const tokens = Math.floor(input[0] / patch) * Math.floor(input[1] / patch) + 1;
  let x = list.positions("embedded", list.classToken("tokens", patches, "cls_token"), tokens, "pos_embed");
  for (let i = 0; i < depth; i++) x = softmaxBlock(list, x, `blocks.${i}`, sizes);
  const norm = list.layerNorm("norm", list.takeToken("class", x), EPSILON);
  return compactAttention(list.network(name, list.dense("head", norm, classes)), attention);
}

const SIZES: Readonly<Record<string, Pick<VisionTransformer, "channels" | "heads">>> = {
  "deit-ti": { channels: 192, heads: 3 },
  "deit-s": { channels: 384, heads: 6 },
  "deit-b": { channels: 768, heads: 12 },
};

const INPUT: InputSize = [224, 224];

/** DeiT for pictures of another size than 224x224 has other positions and is otherwise the same. */
export function deit(id: string, options: { attention?: AttentionOption; input?: InputSize } = {}): Network {
  return visionTransformer({ name: id, ...SIZES[id]!, depth: 12, patch: 16, input: INPUT, classes: 1000, ...options });
}

export const DEIT: ModelFamily = {
  name: "DeiT",
  task: "classification",
  ids: ["deit-ti", "deit-s", "deit-b"],
  hasAttention: true,
  input: () => INPUT,
  build: (id, { attention = "standard" }) => deit(id, { attention }),
};
