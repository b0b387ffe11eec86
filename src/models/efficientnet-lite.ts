/**
 * EfficientNet-Lite0: EfficientNet-B0 (arXiv 1905.11946) without squeeze-and-excitation and with ReLU6, as TensorFlow's repository has it.
 * The variant with hard-swish is the second baseline of RAN (arXiv 2208.08562), with the same counts.
 *
 * Published: 4.7 M parameters, 385 M MACs. Computed, and tested: 4,652,008 and 385,187,552.
 */
import type { Network, PlainActivation } from "../network/description.ts";
import type { ModelFamily } from "./family.ts";
import { EPSILON, invertedBottleneck } from "./inverted-bottleneck.ts";
import { LayerList } from "./layer-list.ts";
import type { ResidualBlock } from "./residual-blocks.ts";

/** One row a stage; the stride is the first block's. */
const STAGES: readonly (readonly [
  expansion: number,
  kernel: number,
  stride: number,
  channels: number,
  repeats: number,
])[] = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
];
const STEM = 32;
const HEAD = 1280;

const ACTIVATIONS: Readonly<Record<string, PlainActivation["kind"]>> = {
  "efficientnet-lite0": "relu6",
  "efficientnet-lite0-hswish": "hard-swish",
};

/** Every block with its place. */
function blocks() {
  let input = STEM;
  return STAGES.flatMap(([expansion, kernel, stageStride, output, repeats], stage) =>
    Array.from({ length: repeats }, (_, repeat) => {
      const stride = repeat === 0 ? stageStride : 1;
      const block = { stem: `blocks.${stage}.${repeat}.`, kernel, stride, expanded: expansion * input, input, output };
      input = output;
      return block;
    }),
  );
}

/** Picture [h, w, 3], normalised by the caller, -> 1000 logits [1, 1, 1000]. */
function efficientnetLite(id: string): Network {
  const kind = ACTIVATIONS[id]!;
  const list = new LayerList(3);
  const normalised = (norm: string, from: string) => list.activation(list.batchNorm(norm, from, EPSILON), kind);
  let x = normalised("stem_bn", list.convolution("stem", "x", STEM, { kernel: 3, stride: 2, padding: "same" }));
  for (const block of blocks()) {
    const y = invertedBottleneck(list, block.stem, x, block, kind);
    x = block.stride === 1 && block.input === block.output ? list.sum(`${block.stem}sum`, y, x) : y;
  }
  x = normalised("head_bn", list.convolution("head_conv", x, HEAD));
  return list.network(id, list.dense("head", list.globalAverage(x), 1000));
}

export const EFFICIENTNET_LITE: ModelFamily = {
  name: "EfficientNet-Lite",
  task: "classification",
  ids: ["efficientnet-lite0", "efficientnet-lite0-hswish"],
  input: () => [224, 224],
  build: efficientnetLite,
  residualBlocks: () => blocks().map((block): ResidualBlock => ({ kind: "inverted", ...block })),
};
