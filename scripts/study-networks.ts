// Writes the descriptions that `wasmograd classify` and `inspect` read of the networks of training/study and training/attention-study.
// usage: npx tsx scripts/study-networks.ts            writes
//        npx tsx scripts/study-networks.ts --check    writes nothing, fails when a file differs from what would be written
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { EPSILON } from "../src/models/inverted-bottleneck.ts";
import { LayerList } from "../src/models/layer-list.ts";
import { type RanEBlock, ranEBlock } from "../src/models/ran-e-blocks.ts";
import type { Network } from "../src/network/description.ts";
import { studyNetworks } from "./attention-study/networks.ts";
import { readRuns } from "./attention-study/runs.ts";
import { absolute, writeOrCheck } from "./documents.ts";

const FOLDER = "training/study/results";

interface Architecture {
  readonly network: string;
  readonly stem: { readonly outputs: number; readonly stride: number; readonly batchNormAndHardSwish: boolean };
  readonly rows: readonly {
    readonly outputs: number;
    readonly stride: number;
    readonly blocks: readonly ("collapsed" | { readonly kernel: 3 | 5 | 7; readonly expansion: 4 | 6 })[];
  }[];
  readonly top: { readonly outputs: number; readonly kernel: number };
  readonly classes: number;
}

const blockOf = (block: Architecture["rows"][number]["blocks"][number]): RanEBlock =>
  block === "collapsed" ? block : `k${block.kernel} t${block.expansion}`;

/** RAN-e's blocks between a stem and a top of CIFAR's size. */
function describe({ network, stem, rows, top, classes }: Architecture): Network {
  const list = new LayerList(3);
  const active = (norm: string, from: string) => list.activation(list.batchNorm(norm, from, EPSILON), "hard-swish");
  let x = list.convolution("stem", "x", stem.outputs, { kernel: 3, stride: stem.stride, padding: "same" });
  if (stem.batchNormAndHardSwish) x = active("stem_bn", x);
  let input = stem.outputs;
  for (const [row, { outputs, stride, blocks }] of rows.entries()) {
    for (const [repeat, block] of blocks.entries()) {
      const place = { stem: `blocks.${row}.${repeat}.`, input, output: outputs, stride: repeat === 0 ? stride : 1 };
      x = ranEBlock(list, x, place, blockOf(block));
      input = outputs;
    }
  }
  x = active("top.bn", list.convolution("top.conv", x, top.outputs));
  x = list.convolution("top.dw", x, top.outputs, { kernel: top.kernel, padding: "same", depthwise: true });
  x = active("top.dw_bn", x);
  return list.network(`study-${network}`, list.dense("head", list.globalAverage(x), classes));
}

const { values } = parseArgs({ options: { check: { type: "boolean" } } });
const sources = readdirSync(absolute(FOLDER)).filter((name) => /-seed\d+\.json$/.test(name));
const files = sources.map((name): [string, string] => {
  const network = describe(JSON.parse(readFileSync(absolute(`${FOLDER}/${name}`), "utf8")) as Architecture);
  return [`${FOLDER}/${network.name.replace("study-", "")}.network.json`, `${JSON.stringify(network, null, 1)}\n`];
});
const all = new Map([...files, ...studyNetworks(readRuns()[0]!)]);
writeOrCheck("scripts/study-networks.ts", all, values.check ?? false);
