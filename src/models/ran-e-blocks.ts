/** The two kinds of blocks of RAN-e (RAN, arXiv 2208.08562; as in its official code), and the collapsed one's expanded form. */
import { check } from "../errors.ts";
import type { LinearChain } from "../network/passes/restructure.ts";
import { EPSILON, invertedBottleneck } from "./inverted-bottleneck.ts";
import type { LayerList } from "./layer-list.ts";

/** A collapsed block, or an inverted bottleneck with its kernel k and its expansion t of the input channels. */
export type RanEBlock = "collapsed" | `k${3 | 5 | 7} t${4 | 6}`;

export const RAN_E_BLOCKS: readonly RanEBlock[] = ["collapsed", "k3 t4", "k3 t6", "k5 t4", "k5 t6", "k7 t4", "k7 t6"];

/** Where a block stands; `stem` is what its layers' names begin with. */
export interface BlockPlace {
  readonly stem: string;
  readonly input: number;
  readonly output: number;
  readonly stride: number;
}

/** Collapsed blocks as they are before their collapse. */
export interface RanEExpansion {
  /** Channels between the two convolutions, as a multiple of the input's; a positive integer. */
  readonly factor: number;
  /** Of the activation between them, in 0..1: at 0 the block collapses. */
  readonly amount: number;
}

/** Residual blocks of 128 channels are two in series with this many between them, the bottlenecks always of expansion 6. */
const WAISTED = 128;
const WAIST = 64;
const WAIST_EXPANSION = 6;

type Bottleneck = Exclude<RanEBlock, "collapsed">;
const kernelOf = (block: Bottleneck): number => Number(block[1]);
const expansionOf = (block: Bottleneck): number => Number(block[4]);

type Ends = Omit<BlockPlace, "stem">;

/** The input is added to the output. */
export const isResidual = ({ input, output, stride }: Ends): boolean => stride === 1 && input === output;

const isWaisted = (place: Ends): boolean => isResidual(place) && place.input === WAISTED;

/** The blocks that a place can have: where the official code fixes the expansion, only those with it. */
export function blocksAt(place: Ends): readonly RanEBlock[] {
  return isWaisted(place)
    ? RAN_E_BLOCKS.filter((b) => b === "collapsed" || expansionOf(b) === WAIST_EXPANSION)
    : RAN_E_BLOCKS;
}

/** The convolutions of a collapsed block: what follows the stem in their names, and their output channels. */
function steps(place: BlockPlace): readonly { readonly name: string; readonly channels: number }[] {
  if (!isWaisted(place)) return [{ name: "", channels: place.output }];
  return [
    { name: "1", channels: WAIST },
    { name: "2", channels: place.output },
  ];
}

/**
 * Normalisation, then hard-swish, 3x3 convolution and normalisation, the last three twice in a block with a waist. Expanded, each
 * convolution is a wider 3x3 one, a normalisation, the restructurable activation and a 1x1 projection.
 */
function collapsed(list: LayerList, x: string, place: BlockPlace, expanded: RanEExpansion | undefined): string {
  const { stem, stride } = place;
  let y = list.batchNorm(`${stem}pre_bn`, x, EPSILON);
  let input = place.input;
  for (const { name, channels } of steps(place)) {
    const active = list.activation(y, "hard-swish");
    const options = { kernel: 3, stride, padding: "same" } as const;
    if (expanded) {
      const wide = list.convolution(`${stem}expand${name}`, active, expanded.factor * input, options);
      const bent = list.mixed(list.batchNorm(`${stem}expand_bn${name}`, wide, EPSILON), "hard-swish", expanded.amount);
      y = list.convolution(`${stem}project${name}`, bent, channels);
    } else y = list.convolution(`${stem}conv${name}`, active, channels, options);
    y = list.batchNorm(`${stem}bn${name}`, y, EPSILON);
    input = channels;
  }
  return y;
}

/** What `restructure` has to collapse in an expanded block. */
export function chainsOf(place: BlockPlace): LinearChain[] {
  const { stem } = place;
  return steps(place).map(({ name }) => ({ first: `${stem}expand${name}`, last: `${stem}bn${name}` }));
}

/** Expand, depthwise, project; with a waist two of them, both six times 128 channels wide. */
function bottleneck(list: LayerList, x: string, place: BlockPlace, block: Bottleneck): string {
  const { stem, input, output, stride } = place;
  const [kernel, expansion] = [kernelOf(block), expansionOf(block)];
  const wide = { kernel, stride, expanded: expansion * input };
  const h = "hard-swish";
  if (!isWaisted(place)) return invertedBottleneck(list, stem, x, { ...wide, input, output }, h);
  check(
    expansion === WAIST_EXPANSION,
    "ERR_ARGUMENT",
    () => `${stem}: expected an expansion of ${WAIST_EXPANSION} from ${WAISTED} to ${WAISTED} channels, got ${block}`,
  );
  const narrow = invertedBottleneck(list, `${stem}a.`, x, { ...wide, input, output: WAIST }, h);
  return invertedBottleneck(list, `${stem}b.`, narrow, { ...wide, input: WAIST, output }, h);
}

/**
 * Appends a block, with its residual where stride and channels allow one, and returns the name of its result.
 * @throws WasmogradError ERR_ARGUMENT where the place cannot have the block (`blocksAt`)
 */
export function ranEBlock(
  list: LayerList,
  x: string,
  place: BlockPlace,
  block: RanEBlock,
  expanded?: RanEExpansion,
): string {
  const y = block === "collapsed" ? collapsed(list, x, place, expanded) : bottleneck(list, x, place, block);
  return isResidual(place) ? list.sum(`${place.stem}sum`, y, x) : y;
}

/** 3x3 with stride 2, without normalisation and activation, as the first block begins with both. */
export function ranEStem(list: LayerList, x: string, channels: number): string {
  return list.convolution("stem", x, channels, { kernel: 3, stride: 2, padding: "same" });
}

/** 1x1 to six times the channels, depthwise 7x7, global average, 1000 logits. */
export function ranETop(list: LayerList, x: string, input: number): string {
  const top = 6 * input;
  const wide = list.convolution("top.conv", x, top);
  const active = list.activation(list.batchNorm("top.bn", wide, EPSILON), "hard-swish");
  const filtered = list.convolution("top.dw", active, top, { kernel: 7, padding: "same", depthwise: true });
  const last = list.activation(list.batchNorm("top.dw_bn", filtered, EPSILON), "hard-swish");
  return list.dense("head", list.globalAverage(last), 1000);
}
