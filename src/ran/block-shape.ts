/** One block of a RAN-e network by itself: what a cost is asked for, what is counted, what is timed. */

import { LayerList } from "../models/layer-list.ts";
import { isResidual, type RanEBlock, ranEBlock, ranEStem, ranETop } from "../models/ran-e-blocks.ts";
import { countNetwork } from "../network/counts.ts";
import type { Layer, Network } from "../network/description.ts";
import { nonLinearUnits } from "../network/non-linear-units.ts";

/** A block, or what stands before and behind all blocks. */
export type BlockKind = RanEBlock | "stem" | "top";

/** All that a block's cost may depend on. */
export interface BlockShape {
  /** Which block. */
  readonly block: BlockKind;
  /** Channels; 3 of the stem. */
  readonly input: number;
  /** Channels; 1000 of the top. */
  readonly output: number;
  /** Of both axes. */
  readonly stride: number;
  /** Whether the input is added to the output. */
  readonly residual: boolean;
  /** Of the input, in pixels. */
  readonly height: number;
  /** Of the input, in pixels. */
  readonly width: number;
}

/** As people read it, and a key: shapes that differ in anything differ in it. */
export function shapeName({ block, input, output, stride, residual, height, width }: BlockShape): string {
  const ends = `${input}->${output}${stride === 1 ? "" : ` /${stride}`}`;
  return `${block} ${ends}${residual ? " residual" : ""} at ${height}x${width}`;
}

/**
 * A network of this block alone, from its input to its output; weights are called as in a whole network, but for where the block
 * stands.
 */
export function blockNetwork(shape: BlockShape): Network {
  const { block, input, output, stride } = shape;
  const list = new LayerList(input);
  const append = (): string => {
    if (block === "stem") return ranEStem(list, "x", output);
    if (block === "top") return ranETop(list, "x", input);
    return ranEBlock(list, "x", { stem: "block.", input, output, stride }, block);
  };
  return list.network(shapeName(shape), append());
}

/**
 * In a network, a collapsed block's first normalisation is folded into the convolution before it, unless that is a residual block, and so costs
 * nothing. Here what is before is not there to fold it into.
 */
export function withoutFirstNorm(network: Network, { residual }: BlockShape): Network {
  const [first, second] = network.layers;
  if (residual || second?.op !== "batch-norm") return network;
  const layers = network.layers.flatMap((layer): Layer[] => {
    if (layer === second) return [];
    return ["input" in layer && layer.input === second.name ? { ...layer, input: first!.name } : layer];
  });
  return { ...network, layers };
}

/** What adds up over the blocks of a network. */
export interface BlockCounts {
  /** Trainable values. */
  readonly params: number;
  /** Multiply-accumulates for one picture. */
  readonly macs: number;
  /** Values that go through an activation. */
  readonly units: number;
}

export function countBlock(shape: BlockShape): BlockCounts {
  const network = blockNetwork(shape);
  const size = [shape.height, shape.width] as const;
  const { params, macs } = countNetwork(network, size);
  return { params, macs, units: nonLinearUnits(network, size) };
}

/** Whether a block has the residual that its ends say. */
export function isConsistent({ block, residual, ...ends }: BlockShape): boolean {
  return residual === (block !== "stem" && block !== "top" && isResidual(ends));
}
