/** The two networks of training/attention-study with four projections in every attention; `compactAttention` makes the members of them. */
import { softmaxBlock } from "../../src/models/deit.ts";
import { LayerList } from "../../src/models/layer-list.ts";
import { EPSILON } from "../../src/models/transformer-parts.ts";
import { crossCovarianceBlock } from "../../src/models/xcit.ts";
import type { Network } from "../../src/network/description.ts";
import { KINDS, type Kind, type Sizes } from "./runs.ts";

const BLOCKS = { vit: softmaxBlock, xcit: crossCovarianceBlock } as const;

/** Two strided convolutions with batch norm, the exact GELU between them: [32, 32, 3] -> [grid, grid, channels]. */
function patches(list: LayerList, { channels, strides }: Sizes): string {
  const step = (name: string, x: string, width: number, stride: number): string =>
    list.batchNorm(`${name}.1`, list.convolution(`${name}.0`, x, width, { kernel: 3, stride, padding: 1 }));
  const first = list.activation(step("patch_embed.proj.0", "x", channels / 2, strides[0]), "gelu");
  return step("patch_embed.proj.2", first, channels, strides[1]);
}

/** Picture [32, 32, 3], normalised by the caller -> logits [1, 1, classes]. */
export function studyNetwork(kind: Kind, sizes: Sizes): Network {
  const { depth, grid, classes } = sizes;
  const list = new LayerList(3);
  let x = list.positions("embedded", patches(list, sizes), grid * grid, "pos_embed");
  for (let i = 0; i < depth; i++) x = BLOCKS[kind](list, x, `blocks.${i}`, sizes);
  const mean = list.globalAverage(list.layerNorm("norm", x, EPSILON));
  return list.network(`study-${kind}`, list.dense("head", mean, classes));
}

export const networkFile = (kind: Kind): string => `training/attention-study/results/${kind}.network.json`;

/** path -> text of the descriptions, for the sizes that training wrote down. */
export function studyNetworks(sizes: Sizes): [path: string, text: string][] {
  return KINDS.map((kind) => [networkFile(kind), `${JSON.stringify(studyNetwork(kind, sizes), null, 1)}\n`]);
}
