/**
 * RepVGG-A0 (arXiv 2101.03697): plain 3x3 convolutions when it runs, in training a 3x3, a 1x1 and an identity branch beside each other, which
 * `foldBatchNorms` and `mergeBranches` turn into the former. Names of weights as in the official code.
 *
 * Published: 8.3 M parameters and 1.4 G MACs, deployed. Computed, and tested: 8,309,384 and 1,361,451,008; in training 9,108,968 parameters.
 */
import type { Network } from "../network/description.ts";
import type { ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";

/** Each stage begins with stride 2. */
const STAGES: readonly (readonly [channels: number, blocks: number])[] = [
  [48, 1],
  [48, 2],
  [96, 4],
  [192, 14],
  [1280, 1],
];

interface Block {
  readonly name: string;
  readonly input: number;
  readonly output: number;
  readonly stride: number;
}

function blocks(): Block[] {
  let input = 3;
  return STAGES.flatMap(([output, repeats], stage) =>
    Array.from({ length: repeats }, (_, repeat) => {
      // Stage 0 is a block of its own.
      const name = stage === 0 ? "stage0" : `stage${stage}.${repeat}`;
      const block = { name, input, output, stride: repeat === 0 ? 2 : 1 };
      input = output;
      return block;
    }),
  );
}

function deployed(list: LayerList, x: string, { name, output, stride }: Block): string {
  return list.convolution(`${name}.rbr_reparam`, x, output, { kernel: 3, stride, padding: 1, bias: true });
}

/** Ends in a sum of the name of the deployed convolution, which is what it becomes. */
function branches(list: LayerList, x: string, { name, input, output, stride }: Block): string {
  const branch = (stem: string, options: { kernel: number; padding: number }) =>
    list.batchNorm(`${stem}.bn`, list.convolution(`${stem}.conv`, x, output, { ...options, stride }));
  const dense = branch(`${name}.rbr_dense`, { kernel: 3, padding: 1 });
  const pointwise = branch(`${name}.rbr_1x1`, { kernel: 1, padding: 0 });
  if (stride !== 1 || input !== output) return list.sum(`${name}.rbr_reparam`, dense, pointwise);
  const convolved = list.sum(`${name}.rbr_convolved`, dense, pointwise);
  return list.sum(`${name}.rbr_reparam`, convolved, list.batchNorm(`${name}.rbr_identity`, x));
}

/** Picture [h, w, 3], normalised by the caller, -> 1000 logits [1, 1, 1000]. */
function repvgg(id: string, form: string): Network {
  const list = new LayerList(3);
  const build = form === "train" ? branches : deployed;
  let x = "x";
  for (const block of blocks()) x = list.activation(build(list, x, block), "relu");
  return list.network(id, list.dense("linear", list.globalAverage(x), 1000));
}

/** NN-Mass has no form for networks whose residuals lie in their kernels. */
export const REPVGG: ModelFamily = {
  name: "RepVGG",
  task: "classification",
  ids: ["repvgg-a0"],
  forms: ["deployed", "train"],
  input: () => [224, 224],
  build: (id, { form = "deployed" }) => repvgg(id, form),
};
