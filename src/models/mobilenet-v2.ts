/**
 * MobileNetV2 of width 1 (arXiv 1801.04381, table 2), padding and names of weights as in torchvision.
 *
 * Published: 3.4 M parameters and 300 M MACs. Computed, and tested: 3,504,872, as torchvision says too, and 300,774,272.
 */
import type { Network } from "../network/description.ts";
import type { ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";
import type { ResidualBlock } from "./residual-blocks.ts";

/** One row a stage; the stride is the first block's. */
const STAGES: readonly (readonly [expansion: number, channels: number, repeats: number, stride: number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];
const STEM = 32;
const HEAD = 1280;

function blocks() {
  let input = STEM;
  return STAGES.flatMap(([expansion, output, repeats, stageStride]) =>
    Array.from({ length: repeats }, (_, repeat) => {
      const block = { input, expanded: expansion * input, output, stride: repeat === 0 ? stageStride : 1 };
      input = output;
      return block;
    }),
  );
}

/** Picture [h, w, 3], normalised by the caller, -> 1000 logits [1, 1, 1000]. */
function mobilenetV2(id: string): Network {
  const list = new LayerList(3);
  /** Convolution `.0`, normalisation `.1`, ReLU6. */
  const convBnRelu = (name: string, from: string, channels: number, options = {}) =>
    list.activation(list.batchNorm(`${name}.1`, list.convolution(`${name}.0`, from, channels, options)), "relu6");
  let x = convBnRelu("features.0", "x", STEM, { kernel: 3, stride: 2, padding: 1 });
  const all = blocks();
  for (const [i, { input, expanded, output, stride }] of all.entries()) {
    const name = `features.${i + 1}.conv`;
    const widened = expanded === input ? 0 : 1; // the first block has no expansion, so what follows has lower numbers
    let y = widened ? convBnRelu(`${name}.0`, x, expanded) : x;
    y = convBnRelu(`${name}.${widened}`, y, expanded, { kernel: 3, stride, padding: 1, depthwise: true });
    y = list.batchNorm(`${name}.${widened + 2}`, list.convolution(`${name}.${widened + 1}`, y, output));
    x = stride === 1 && input === output ? list.sum(`features.${i + 1}`, y, x) : y;
  }
  x = convBnRelu(`features.${all.length + 1}`, x, HEAD);
  return list.network(id, list.dense("classifier.1", list.globalAverage(x), 1000));
}

export const MOBILENET_V2: ModelFamily = {
  name: "MobileNetV2",
  task: "classification",
  ids: ["mobilenet-v2"],
  input: () => [224, 224],
  build: mobilenetV2,
  residualBlocks: () => blocks().map((block): ResidualBlock => ({ kind: "inverted", ...block })),
};
