/**
 * FSRCNN (arXiv 1608.00367) with d = 56, s = 12, m = 4: features of the small picture, mapped in few channels, a transposed convolution last.
 *
 * Published: 12,464 parameters, which are the weights without biases and slopes, and 6.00 G MACs from 640x360 to 1280x720. The latter counts
 * the last layer as if each of its 81 taps met every value of the *output's* size: 7,928 * 230,400 + 4,536 * 921,600 = 6,006,988,800. Ours
 * lets each input value meet each tap once, which is what the layer computes: 12,464 * 230,400 = 2,871,705,600. Both computed, and tested.
 */
import type { Network } from "../network/description.ts";
import type { ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";

/** Convolutions before the last layer, each with bias and PReLU. */
const ROWS: readonly (readonly [name: string, kernel: number, channels: number])[] = [
  ["feature", 5, 56],
  ["shrink", 1, 12],
  ["map.0", 3, 12],
  ["map.1", 3, 12],
  ["map.2", 3, 12],
  ["map.3", 3, 12],
  ["expand", 1, 56],
];

/**
 * Luma [h, w, 1] in 0..1 -> luma [scale * h, scale * w, 1]. The slopes are per channel: `<name>.slope`. The output lies centred on the input;
 * ports that crop the transposed convolution elsewhere need its taps moved.
 */
function fsrcnn(scale: number): Network {
  const list = new LayerList(1);
  let x = "x";
  for (const [name, kernel, channels] of ROWS) {
    x = list.prelu(list.convolution(name, x, channels, { kernel, padding: "same", bias: true }));
  }
  return list.network(`fsrcnn-x${scale}`, list.transposed("deconv", x, 1, 9, scale));
}

export const FSRCNN: ModelFamily = {
  name: "FSRCNN",
  task: "super-resolution",
  ids: ["fsrcnn"],
  scales: [2, 3, 4],
  input: ({ scale = 2 }) => [720 / scale, Math.ceil(1280 / scale)],
  build: (_, { scale = 2 }) => fsrcnn(scale),
};
