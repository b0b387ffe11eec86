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
import type { ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";
import type { ResidualBlock } from "./residual-blocks.ts";

const EPSILON = 1e-6;

/** Blocks and channels of each stage. */
interface Sizes {
  readonly depths: readonly number[];
  readonly dims: readonly number[];
}

const TINY: Sizes = { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768] };

const CONVNEXT_SIZES: Readonly<Record<string, Sizes>> = {
  "convnext-t": TINY,
  "convnext-s": { depths: [3, 3, 27, 3], dims: [96, 192, 384, 768] },
  "convnext-b": { depths: [3, 3, 27, 3], dims: [128, 256, 512, 1024] },
};

/** Multipliers of ConvNeXt-T. */
const RAN_I_MULTIPLIERS: Readonly<Record<string, { readonly width: number; readonly depth: number }>> = {
  "ran-i-t": { width: 0.666, depth: 1.65 },
  "ran-i-s": { width: 0.789, depth: 1.65 },
  "ran-i-b": { width: 0.9105, depth: 2.3 },
};

/** As Python's `round`: halves go to the even neighbour. For values from 0. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** Depths and widths of ConvNeXt-T times the multipliers, so 5, 5, 15, 5 blocks of 64, 128, 256, 511 channels for RAN-i-T. */
function scaled({ width, depth }: { readonly width: number; readonly depth: number }): Sizes {
  return {
    depths: TINY.depths.map((n) => roundHalfEven(n * depth)),
    dims: TINY.dims.map((n) => roundHalfEven(n * width)),
  };
}

/** Depthwise 7x7, layer normalisation, two dense layers with the exact GELU between, layer scale; added to the input. */
function block(list: LayerList, x: string, name: string, channels: number): string {
  let y = list.convolution(`${name}.dwconv`, x, channels, { kernel: 7, padding: 3, depthwise: true, bias: true });
  y = list.layerNorm(`${name}.norm`, y, EPSILON);
  y = list.activation(list.dense(`${name}.pwconv1`, y, 4 * channels), "gelu");
  y = list.dense(`${name}.pwconv2`, y, channels);
  return list.sum(name, list.channelScale(`${name}.scaled`, y, `${name}.gamma`), x);
}

/** Stem, downsampling (neither pads) and blocks: the last block's sum, a map of stride 32. */
function features(list: LayerList, { depths, dims }: Sizes): string {
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

/** Picture [h, w, 3] of at least 32x32, normalised by the caller, -> 1000 logits [1, 1, 1000]. */
function convnext(id: string, sizes: Sizes): Network {
  const list = new LayerList(3);
  const x = features(list, sizes);
  return list.network(id, list.dense("head", list.layerNorm("norm", list.globalAverage(x), EPSILON), 1000));
}

const residualBlocks = ({ depths, dims }: Sizes): ResidualBlock[] =>
  dims.flatMap((width, stage) => Array.from({ length: depths[stage]! }, () => ({ kind: "convnext", width }) as const));

export const CONVNEXT: ModelFamily = {
  name: "ConvNeXt",
  task: "classification",
  ids: ["convnext-t", "convnext-s", "convnext-b"],
  input: () => [224, 224],
  build: (id) => convnext(id, CONVNEXT_SIZES[id]!),
  residualBlocks: (id) => residualBlocks(CONVNEXT_SIZES[id]!),
};

export const RAN_I: ModelFamily = {
  name: "RAN-i",
  task: "classification",
  ids: ["ran-i-t", "ran-i-s", "ran-i-b"],
  input: () => [224, 224],
  build: (id) => convnext(id, scaled(RAN_I_MULTIPLIERS[id]!)),
  residualBlocks: (id) => residualBlocks(scaled(RAN_I_MULTIPLIERS[id]!)),
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
  const multipliers = RAN_I_MULTIPLIERS[id];
  const list = new LayerList(3);
  return list.network(`${id} backbone`, features(list, multipliers ? scaled(multipliers) : CONVNEXT_SIZES[id]!));
}
