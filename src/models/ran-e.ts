/**
 * RAN-explicit: inverted bottlenecks, of which those that are slow on a micro-NPU gave way to one plain 3x3 convolution (RAN, arXiv
 * 2208.08562; blocks and tables as in its official code).
 *
 * Published: 4.5 M parameters and 434 M MACs (ran-e-gt), 4.7 M and 488 M (ran-e-c). Computed, and tested: 4,486,680 and 434,395,808;
 * 4,634,872 and 489,172,320, which is 0.24 % above the published figure for a reason that is not known.
 */
import type { Network } from "../network/description.ts";
import type { ModelFamily } from "./family.ts";
import { EPSILON, invertedBottleneck } from "./inverted-bottleneck.ts";
import { LayerList } from "./layer-list.ts";

/** A collapsed block, or an inverted bottleneck with its kernel k and its expansion t of the input channels. */
type Block = "collapsed" | `k${3 | 5 | 7} t${4 | 6}`;

const C = "collapsed";

interface Row {
  readonly channels: number;
  /** Of the first repeat; the others have 1. */
  readonly stride: number;
  readonly gt: readonly Block[];
  readonly c: readonly Block[];
}

/** Channels and repeats are the same in both networks. */
const ROWS: readonly Row[] = [
  { channels: 32, stride: 1, gt: [C], c: [C] },
  { channels: 48, stride: 2, gt: [C], c: [C] },
  { channels: 64, stride: 2, gt: [C], c: ["k3 t6"] },
  { channels: 80, stride: 1, gt: [C], c: [C] },
  { channels: 80, stride: 2, gt: ["k5 t6", "k5 t6"], c: ["k5 t6", C] },
  { channels: 96, stride: 1, gt: ["k3 t4", "k3 t4"], c: ["k5 t4", C] },
  { channels: 128, stride: 1, gt: [C, C], c: ["k3 t6", "k3 t6"] },
  { channels: 160, stride: 2, gt: ["k7 t6"], c: [C] },
  { channels: 176, stride: 1, gt: ["k3 t4", "k3 t4", "k3 t4"], c: ["k7 t4", "k3 t4", C] },
  { channels: 224, stride: 1, gt: ["k5 t6", "k5 t6"], c: ["k5 t6", "k5 t6"] },
];

/** Blocks from 128 to 128 channels are two in series with this many between them. */
const WAIST = 64;

interface Place {
  readonly stem: string;
  readonly input: number;
  readonly output: number;
  readonly stride: number;
}

/** Normalisation, hard-swish, 3x3 convolution, normalisation; from 128 to 128 channels the last three twice. */
function collapsed(list: LayerList, x: string, { stem, input, output, stride }: Place): string {
  const step = (name: string, normalised: string, channels: number): string => {
    const active = list.activation(normalised, "hard-swish");
    const options = { kernel: 3, stride, padding: "same" } as const;
    const convolved = list.convolution(`${stem}conv${name}`, active, channels, options);
    return list.batchNorm(`${stem}bn${name}`, convolved, EPSILON);
  };
  const before = list.batchNorm(`${stem}pre_bn`, x, EPSILON);
  if (input !== 128 || output !== 128) return step("", before, output);
  return step("2", step("1", before, WAIST), output);
}

/** Expand, depthwise, project; from 128 to 128 channels two of them, both six times 128 channels wide. */
function bottleneck(list: LayerList, x: string, place: Place, block: Exclude<Block, "collapsed">): string {
  const { stem, input, output, stride } = place;
  const [kernel, expansion] = [Number(block[1]), Number(block[4])];
  const wide = { kernel, stride, expanded: expansion * input };
  const h = "hard-swish";
  if (input !== 128 || output !== 128) return invertedBottleneck(list, stem, x, { ...wide, input, output }, h);
  const narrow = invertedBottleneck(list, `${stem}a.`, x, { ...wide, input, output: WAIST }, h);
  return invertedBottleneck(list, `${stem}b.`, narrow, { ...wide, input: WAIST, output }, h);
}

/**
 * A RAN-e classifier by its id: picture [h, w, 3] -> 1000 logits [1, 1, 1000].
 *
 * The input is normalised already: the official code does that inside the model, (RGB in 0..255 - 255 * mean) / (255 * deviation) with
 * ImageNet's (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225), but here it is the caller's. The stem has neither normalisation nor
 * activation, as the first block begins with both. No dropout, no softmax.
 */
function ranE(id: string): Network {
  const list = new LayerList(3);
  let x = list.convolution("stem", "x", 16, { kernel: 3, stride: 2, padding: "same" });
  let input = 16;
  for (const [row, { channels: output, stride, ...blocks }] of ROWS.entries()) {
    for (const [repeat, block] of blocks[id === "ran-e-gt" ? "gt" : "c"].entries()) {
      const place = { stem: `blocks.${row}.${repeat}.`, input, output, stride: repeat === 0 ? stride : 1 };
      const y = block === "collapsed" ? collapsed(list, x, place) : bottleneck(list, x, place, block);
      x = place.stride === 1 && input === output ? list.sum(`${place.stem}sum`, y, x) : y;
      input = output;
    }
  }
  const top = 6 * input;
  x = list.activation(list.batchNorm("top.bn", list.convolution("top.conv", x, top), EPSILON), "hard-swish");
  x = list.convolution("top.dw", x, top, { kernel: 7, padding: "same", depthwise: true });
  x = list.activation(list.batchNorm("top.dw_bn", x, EPSILON), "hard-swish");
  return list.network(id, list.dense("head", list.globalAverage(x), 1000));
}

/** NN-Mass has no form for residual blocks of one convolution, nor for two inverted bottlenecks under one residual. */
export const RAN_E: ModelFamily = {
  name: "RAN-e",
  task: "classification",
  ids: ["ran-e-gt", "ran-e-c"],
  input: () => [224, 224],
  build: ranE,
};
