/**
 * ConvNeXt (arXiv 2201.03545) and RAN-implicit, which is ConvNeXt-T at another depth and width (RAN, arXiv 2208.08562, official code). Names
 * of weights as in the original ConvNeXt code.
 *
 * Published: ConvNeXt-T / S / B 28 M / 50 M / 89 M parameters, 4.5 G / 8.7 G / 15.4 G MACs. Computed, and tested: 28,589,128 / 50,223,688 /
 * 88,591,464 and 4.4555 G / 8.6837 G / 15.3547 G. RAN-i-T / S / B computed: 20,760,131 / 28,932,376 / 52,889,769 parameters, which the sizes
 * of the released checkpoints confirm, and 3,284,745,947 / 4,576,926,994 / 8,428,689,053 MACs, as read from the paper's plot 3.3 / 4.6 / 8.4 G.
 */
import { check } from "../errors.ts";
import type { Network } from "../network/description.ts";
import { type ConvNextSizes, VARIANTS } from "./convnext-sizes.ts";
import type { ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";
import type { ResidualBlock } from "./residual-blocks.ts";

const EPSILON = 1e-6;

/** Of a built-in network. */
const sizesById = (id: string): ConvNextSizes => VARIANTS.find((variant) => variant.id === id)!;

/** Depthwise 7x7, layer normalisation, two dense layers with the exact GELU between, layer scale; added to the input. */
function block(list: LayerList, x: string, name: string, channels: number): string {
  let y = list.convolution(`${name}.dwconv`, x, channels, { kernel: 7, padding: 3, depthwise: true, bias: true });
  y = list.layerNorm(`${name}.norm`, y, EPSILON);
  y = list.activation(list.dense(`${name}.pwconv1`, y, 4 * channels), "gelu");
  y = list.dense(`${name}.pwconv2`, y, channels);
  return list.sum(name, list.channelScale(`${name}.scaled`, y, `${name}.gamma`), x);
}

/** Stem, downsampling (neither pads) and blocks: the last block's sum, a map of stride 32. */
function features(list: LayerList, { depths, dims }: ConvNextSizes): string {
  let x = "x";
  for (const [stage, channels] of dims.entries()) {
    const name = `downsample_layers.${stage}`;
    if (stage === 0) {
      const stem = list.convolution(`${name}.0`, x, channels, { kernel: 4, stride: 4, bias: true });
      x = list.layerNorm(`${name}.1`, stem, EPSILON);
    } else {
      const normalised = list.layerNorm(`${name}.0`, x, EPSILON);
      x = list.convolution(`${name}.1`, normalised, channels, { kernel: 2, stride: 2, bias: true });
    }
    for (let i = 0; i < depths[stage]!; i++) x = block(list, x, `stages.${stage}.${i}`, channels);
  }
  return x;
}

/**
 * ConvNeXt of any depths and widths, so any RAN-i (`sizesOf` of multipliers): picture [h, w, 3] of at least 32x32, normalised by the caller,
 * -> 1000 logits [1, 1, 1000]. arXiv 2201.03545; RAN-i as in RAN's official code.
 * @param name of the network, as reports say it
 */
export function convnextNetwork(name: string, sizes: ConvNextSizes): Network {
  const list = new LayerList(3);
  const x = features(list, sizes);
  return list.network(name, list.dense("head", list.layerNorm("norm", list.globalAverage(x), EPSILON), 1000));
}

const residualBlocks = ({ depths, dims }: ConvNextSizes): ResidualBlock[] =>
  dims.flatMap((width, stage) => Array.from({ length: depths[stage]! }, () => ({ kind: "convnext", width }) as const));

export const CONVNEXT: ModelFamily = {
  name: "ConvNeXt",
  task: "classification",
  ids: ["convnext-t", "convnext-s", "convnext-b"],
  input: () => [224, 224],
  build: (id) => convnextNetwork(id, sizesById(id)),
  residualBlocks: (id) => residualBlocks(sizesById(id)),
};

export const RAN_I: ModelFamily = {
  name: "RAN-i",
  task: "classification",
  ids: ["ran-i-t", "ran-i-s", "ran-i-b"],
  input: () => [224, 224],
  build: (id) => convnextNetwork(id, sizesById(id)),
  residualBlocks: (id) => residualBlocks(sizesById(id)),
};

/** The networks that serve as a detector's backbone, RAN-i first. */
export function backboneIds(): string[] {
  return [...RAN_I.ids, ...CONVNEXT.ids];
}

/**
 * ConvNeXt or RAN-i without what turns features into classes: [h, w, 3], normalised, -> [h / 32, w / 32, channels], both sides rounded down.
 * What follows the last block is left out, the normalisation too, as in RAN's detector (official code, `get_backbone`).
 * @throws WasmogradError ERR_ARGUMENT when the id is unknown (lists the known ones)
 */
export function convnextBackbone(id: string): Network {
  const ids = backboneIds();
  check(ids.includes(id), "ERR_ARGUMENT", () => `backbone: expected one of ${ids.join(", ")}, got ${String(id)}`);
  const list = new LayerList(3);
  return list.network(`${id} backbone`, features(list, sizesById(id)));
}
