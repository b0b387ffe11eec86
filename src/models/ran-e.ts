/**
 * RAN-explicit: inverted bottlenecks, of which those that are slow on a micro-NPU gave way to one plain 3x3 convolution (RAN, arXiv
 * 2208.08562; blocks and tables as in its official code).
 *
 * Published: 4.5 M parameters and 434 M MACs (ran-e-gt), 4.7 M and 488 M (ran-e-c). Computed, and tested: 4,486,680 and 434,395,808;
 * 4,634,872 and 489,172,320, which is 0.24 % above the published figure for a reason that is not known.
 */
import { check, checkObject } from "../errors.ts";
import type { Network } from "../network/description.ts";
import type { LinearChain } from "../network/passes/restructure.ts";
import type { ModelFamily } from "./family.ts";
import { LayerList } from "./layer-list.ts";
import {
  type BlockPlace,
  blocksAt,
  chainsOf,
  type RanEBlock,
  type RanEExpansion,
  ranEBlock,
  ranEStem,
  ranETop,
} from "./ran-e-blocks.ts";

/** Blocks of one width. */
export interface RanERow {
  /** Output channels of each block. */
  readonly channels: number;
  /** Of the first block; the others have 1. */
  readonly stride: number;
  /** One an element, at least one. */
  readonly blocks: readonly RanEBlock[];
}

/** Of `ranENetwork`. */
export interface RanEOptions {
  /** Of the network. */
  readonly name: string;
  /** From the stem on, at least one. */
  readonly rows: readonly RanERow[];
  /** Collapsed blocks in the form before their collapse; see `ranEChains`. */
  readonly expanded?: RanEExpansion;
}

/** What the stem makes of a picture. */
export const STEM_CHANNELS = 16;

const C = "collapsed";

/** Channels, stride of the first repeat, blocks of ran-e-gt and of ran-e-c: channels and repeats are the same in both. */
const TABLE: readonly [channels: number, stride: number, gt: readonly RanEBlock[], c: readonly RanEBlock[]][] = [
  [32, 1, [C], [C]],
  [48, 2, [C], [C]],
  [64, 2, [C], ["k3 t6"]],
  [80, 1, [C], [C]],
  [80, 2, ["k5 t6", "k5 t6"], ["k5 t6", C]],
  [96, 1, ["k3 t4", "k3 t4"], ["k5 t4", C]],
  [128, 1, [C, C], ["k3 t6", "k3 t6"]],
  [160, 2, ["k7 t6"], [C]],
  [176, 1, ["k3 t4", "k3 t4", "k3 t4"], ["k7 t4", "k3 t4", C]],
  [224, 1, ["k5 t6", "k5 t6"], ["k5 t6", "k5 t6"]],
];

/** The released networks. */
export const RAN_E_IDS = ["ran-e-gt", "ran-e-c"] as const;
export type RanEId = (typeof RAN_E_IDS)[number];

/** The rows of a released network. */
export function ranERows(id: RanEId): RanERow[] {
  return TABLE.map(([channels, stride, gt, c]) => ({ channels, stride, blocks: id === "ran-e-gt" ? gt : c }));
}

/** The places of the blocks, row by row; names begin with `blocks.<row>.<repeat>.`. */
function placesOf(rows: readonly RanERow[]): { readonly place: BlockPlace; readonly block: RanEBlock }[] {
  let input = STEM_CHANNELS;
  return rows.flatMap(({ channels, stride, blocks }, row) =>
    blocks.map((block, repeat) => {
      const place = { stem: `blocks.${row}.${repeat}.`, input, output: channels, stride: repeat === 0 ? stride : 1 };
      input = channels;
      return { place, block };
    }),
  );
}

/** @throws WasmogradError ERR_ARGUMENT */
function checkOptions({ name, rows, expanded }: RanEOptions): void {
  const positive = (what: string, value: unknown): void =>
    check(
      Number.isSafeInteger(value) && (value as number) > 0,
      "ERR_ARGUMENT",
      () => `${what}: expected a positive integer, got ${String(value)}`,
    );
  const list = (what: string, value: unknown): void =>
    check(
      Array.isArray(value) && value.length > 0,
      "ERR_ARGUMENT",
      () => `${what}: expected an array of at least one, got ${Array.isArray(value) ? "an empty one" : String(value)}`,
    );
  check(typeof name === "string" && name !== "", "ERR_ARGUMENT", () => `name: expected a text, got ${String(name)}`);
  list("rows", rows);
  for (const [i, row] of rows.entries()) {
    checkObject(`rows[${i}]`, row);
    positive(`rows[${i}].channels`, row.channels);
    positive(`rows[${i}].stride`, row.stride);
    list(`rows[${i}].blocks`, row.blocks);
  }
  for (const { place, block } of placesOf(rows)) {
    const known = blocksAt(place);
    check(
      known.includes(block),
      "ERR_ARGUMENT",
      () =>
        `block ${place.stem.slice("blocks.".length, -1)}: expected one of ${known.join(", ")}, got ${String(block)}`,
    );
  }
  if (expanded === undefined) return;
  checkObject("expanded", expanded);
  positive("expanded.factor", expanded.factor);
  check(
    expanded.amount >= 0 && expanded.amount <= 1,
    "ERR_ARGUMENT",
    () => `expanded.amount: expected a number from 0 to 1, got ${String(expanded.amount)}`,
  );
}

/**
 * Any network of RAN-e's search space: picture [h, w, 3] -> 1000 logits [1, 1, 1000]. Rows with the channels, strides and repeats of
 * the released networks are within the paper's; others are built alike (blocks of stride 1 between equal channels get a residual, those of 128
 * channels two blocks in series with 64 between).
 *
 * The input is normalised already: the official code does that inside the model, (RGB in 0..255 - 255 * mean) / (255 * deviation) with
 * ImageNet's (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225), but here it is the caller's. No dropout, no softmax.
 *
 * With `expanded`, a collapsed block is what it can be collapsed from (the official code's `no_depthwise` block, evidently; the paper's own
 * training form is not known): 3x3 convolution to `factor` times the input's channels, normalisation, restructurable activation with
 * `amount`, 1x1 projection, normalisation. At amount 0 `restructure(model, ranEChains(rows))` gives the collapsed form.
 * @example
 * const network = ranENetwork({ name: "mine", rows: [{ channels: 32, stride: 1, blocks: ["collapsed", "k3 t6"] }] });
 * @throws WasmogradError ERR_ARGUMENT on rows, blocks or an expansion that are none
 */
export function ranENetwork(options: RanEOptions): Network {
  checkObject("options", options);
  checkOptions(options);
  const { name, rows, expanded } = options;
  const list = new LayerList(3);
  let x = ranEStem(list, "x", STEM_CHANNELS);
  for (const { place, block } of placesOf(rows)) x = ranEBlock(list, x, place, block, expanded);
  return list.network(name, ranETop(list, x, rows.at(-1)!.channels));
}

/**
 * What `restructure` has to collapse in an expanded network of these rows: a chain for each 3x3 convolution of the collapsed one.
 * @param rows as `ranENetwork` takes them
 */
export function ranEChains(rows: readonly RanERow[]): LinearChain[] {
  return placesOf(rows).flatMap(({ place, block }) => (block === "collapsed" ? chainsOf(place) : []));
}

/** NN-Mass has no form for residual blocks of one convolution, nor for two inverted bottlenecks under one residual. */
export const RAN_E: ModelFamily = {
  name: "RAN-e",
  task: "classification",
  ids: RAN_E_IDS,
  input: () => [224, 224],
  build: (id) => ranENetwork({ name: id, rows: ranERows(id as RanEId) }),
};
