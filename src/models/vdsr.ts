/**
 * VDSR (arXiv 1511.04587): twenty 3x3 convolutions at the size of the output, of 64 channels, which predict what bicubic upscaling lost.
 * Without biases, and with names of weights, as in the widespread PyTorch port (twtygqyy).
 *
 * Published by those who compare: 665 K parameters and 612.6 G MACs to 1280x720. Computed, and tested: 664,704 and 612,591,206,400.
 */
import type { Network } from "../network/description.ts";
import type { ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";

const LAYERS = 20;
const CHANNELS = 64;

/** Luma [h, w, 1] in 0..1, upscaled to the size of the result already, -> luma [h, w, 1]. */
function vdsr(id: string): Network {
  const list = new LayerList(1);
  const options = { kernel: 3, padding: "same" } as const;
  let x = list.activation(list.convolution("input", "x", CHANNELS, options), "relu");
  for (let i = 0; i < LAYERS - 2; i++) {
    x = list.activation(list.convolution(`residual_layer.${i}.conv`, x, CHANNELS, options), "relu");
  }
  return list.network(id, list.sum("y", list.convolution("output", x, 1, options), "x"));
}

export const VDSR: ModelFamily = {
  name: "VDSR",
  task: "super-resolution",
  ids: ["vdsr"],
  input: () => [720, 1280],
  build: vdsr,
};
