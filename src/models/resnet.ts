/**
 * Residual networks of basic blocks (arXiv 1512.03385): ResNet-18 for ImageNet with torchvision's names of weights, and those of depth
 * 6n + 2 for CIFAR-10 with shortcuts without weights (option A) and the names of the widespread PyTorch port (akamaster).
 *
 * Published: ResNet-18 11.7 M parameters and 1.8 G MACs; ResNet-20 0.27 M, ResNet-56 0.85 M. Computed, and tested: 11,689,512 (as
 * torchvision says too) and 1,814,073,344; 269,722 and 40,551,040; 853,018 and 125,485,696.
 */
import type { Network } from "../network/description.ts";
import type { ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";
import type { ResidualBlock } from "./residual-blocks.ts";

/** Channels of each stage, and its blocks; the first block of every stage but the first has stride 2. */
interface Layout {
  readonly channels: readonly number[];
  readonly repeats: number;
}

const IMAGENET: Layout = { channels: [64, 128, 256, 512], repeats: 2 };

/** Depth 6n + 2. */
const CIFAR: Readonly<Record<string, Layout>> = {
  "resnet20-cifar": { channels: [16, 32, 64], repeats: 3 },
  "resnet56-cifar": { channels: [16, 32, 64], repeats: 9 },
};

function blocks({ channels, repeats }: Layout) {
  let input = channels[0]!;
  return channels.flatMap((output, stage) =>
    Array.from({ length: repeats }, (_, repeat) => {
      const stride = stage > 0 && repeat === 0 ? 2 : 1;
      const block = { name: `layer${stage + 1}.${repeat}`, input, output, stride };
      input = output;
      return block;
    }),
  );
}

type Block = ReturnType<typeof blocks>[number];

/** Two 3x3 convolutions with normalisations, added to the shortcut, ReLU behind. Returns the block's output. */
function basicBlock(list: LayerList, x: string, { name, output, stride }: Block, shortcut: string): string {
  let y = list.convolution(`${name}.conv1`, x, output, { kernel: 3, stride, padding: 1 });
  y = list.activation(list.batchNorm(`${name}.bn1`, y), "relu");
  y = list.convolution(`${name}.conv2`, y, output, { kernel: 3, padding: 1 });
  return list.activation(list.sum(name, list.batchNorm(`${name}.bn2`, y), shortcut), "relu");
}

/** Picture [h, w, 3], normalised by the caller, -> 1000 logits [1, 1, 1000]. */
function resnet18(id: string): Network {
  const list = new LayerList(3);
  let x = list.convolution("conv1", "x", 64, { kernel: 7, stride: 2, padding: 3 });
  x = list.activation(list.batchNorm("bn1", x), "relu");
  x = list.maxPool("maxpool", x, { kernel: 3, stride: 2, padding: 1 });
  for (const block of blocks(IMAGENET)) {
    const { name, output, stride } = block;
    const projected = () => {
      const convolved = list.convolution(`${name}.downsample.0`, x, output, { stride });
      return list.batchNorm(`${name}.downsample.1`, convolved);
    };
    x = basicBlock(list, x, block, stride === 1 ? x : projected());
  }
  return list.network(id, list.dense("fc", list.globalAverage(x), 1000));
}

/** Picture [h, w, 3], normalised by the caller, -> 10 logits [1, 1, 10]. */
function cifarResnet(id: string): Network {
  const list = new LayerList(3);
  let x = list.activation(list.batchNorm("bn1", list.convolution("conv1", "x", 16, { kernel: 3, padding: 1 })), "relu");
  for (const block of blocks(CIFAR[id]!)) {
    const { name, output, stride } = block;
    // Every other pixel, with zero channels on both sides.
    const sampled = () => list.subsample(`${name}.shortcut`, x, { stride, channels: output, before: output / 4 });
    x = basicBlock(list, x, block, stride === 1 ? x : sampled());
  }
  return list.network(id, list.dense("linear", list.globalAverage(x), 10));
}

const basic = ({ input, output }: Block): ResidualBlock => ({ kind: "basic", input, output });

export const RESNET: ModelFamily = {
  name: "ResNet",
  task: "classification",
  ids: ["resnet18"],
  input: () => [224, 224],
  build: resnet18,
  residualBlocks: () => blocks(IMAGENET).map(basic),
};

export const CIFAR_RESNET: ModelFamily = {
  name: "CIFAR ResNet",
  task: "classification",
  ids: ["resnet20-cifar", "resnet56-cifar"],
  input: () => [32, 32],
  build: cifarResnet,
  residualBlocks: (id) => blocks(CIFAR[id]!).map(basic),
};
