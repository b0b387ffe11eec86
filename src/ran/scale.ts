/**
 * Depth and width of a RAN-i network from what it may cost and what it shall express.
 *
 * The estimate: in ConvNeXt's template NN-Mass grows as depth x width and multiply-accumulates about as depth x width^2 (depthwise
 * convolutions, stem and head are small). So with the budget rho and the mass mu as multiples of ConvNeXt-T's,
 *
 *     width = rho / mu,  depth = mu^2 / rho
 *
 * Then the exact answer, by searching the networks that multipliers can give. Of those with widths of at least 1/12 of the template's
 * (8 channels in the first stage), with at least the mass and at most the multiply-accumulates asked for, it is
 *
 *     1. the one of the fewest blocks, for a thinner and deeper network could always be had, and
 *     2. of these depths, the one of the narrowest stages: the mass nearest to what was asked for.
 *
 * From the paper's code: the template, the rounding and RAN's NN-Mass. The rule and the search are ours, derived from them; the paper
 * does not say, as far as is known, why the released networks have the multipliers that they have.
 */
import { check, WasmogradError } from "../errors.ts";
import { type Multipliers, type Stages, sizesOf, TEMPLATE } from "../models/convnext-sizes.ts";
import type { InputSize } from "../models/family.ts";
import { roundHalfEven } from "../rounding.ts";
import { countMacs, massOf, measure, type SizedNetwork, stagePixels, variantOf } from "./ran-i.ts";

/** Counts as multiples of ConvNeXt-T's for the same input. */
export interface Ratios {
  /** Of trainable values. */
  readonly params: number;
  /** Of multiply-accumulates. */
  readonly macs: number;
  /** Of NN-Mass. */
  readonly nnMass: number;
}

/** A network of given multipliers, and its counts. */
export interface ScaledNetwork extends SizedNetwork {
  /** They give these depths and widths; others that round alike do too. */
  readonly multipliers: Multipliers;
  /** To ConvNeXt-T. */
  readonly ratios: Ratios;
}

/** What `scaleTo` aims at. */
export interface ScaleTarget {
  /** Multiply-accumulates for one picture, at most; finite and positive. */
  readonly macs: number;
  /** RAN's NN-Mass, at least; within (0, 10^6]. */
  readonly nnMass: number;
  /** 224 x 224 unless given. */
  readonly input?: InputSize;
}

/** What `scaleTo` found. */
export interface FittedNetwork extends ScaledNetwork {
  /** What the rule says before rounding. */
  readonly estimate: Multipliers;
}

export const IMAGENET_INPUT: InputSize = [224, 224];
const MOST_MASS = 1e6;

/**
 * The network of these multipliers and its counts (RAN, official code).
 * @param input [height, width] in pixels, 224 x 224 unless given
 * @throws WasmogradError ERR_ARGUMENT on multipliers as `sizesOf`, and on sizes that are no positive integers; ERR_TOO_LARGE
 */
export function scaleBy(multipliers: Multipliers, input: InputSize = IMAGENET_INPUT): ScaledNetwork {
  const network = measure(sizesOf(multipliers), input);
  const template = measure(TEMPLATE, input);
  const ratios = {
    params: network.params / template.params,
    macs: network.macs / template.macs,
    nnMass: network.nnMass / template.nnMass,
  };
  return { ...network, multipliers, ratios };
}

/** The rule alone: multipliers from the budget and the mass as multiples of the template's (ours). Both are positive. */
export function estimate({ macs, nnMass }: { readonly macs: number; readonly nnMass: number }): Multipliers {
  return { width: macs / nnMass, depth: nnMass ** 2 / macs };
}

/**
 * Multipliers that round alike lie between multiples of 1 / (2 n), n the template's largest entry, as every other entry divides it.
 * So whatever a multiplier can give is given by the middle of such an interval; a few neighbours give the same. Left out are single
 * multipliers on which several products end in one half, and round apart: 1.5 gives depths of 4, 4, 14, 4, which nothing beside it does.
 */
function middle(index: number, template: Stages): number {
  return (2 * index + 1) / (4 * Math.max(...template));
}

/** The first interval in which every entry becomes at least `least` times itself, or at least 1. */
function firstIndex(template: Stages, least: number): number {
  const parts = 2 * Math.max(...template);
  return Math.max(Math.ceil(least * parts), Math.floor((0.5 / Math.min(...template)) * parts));
}

/** Of the multipliers that round as those of the interval, one of few digits near their middle. */
function shortest(index: number, template: Stages): number {
  const round = (i: number): string => template.map((n) => roundHalfEven(n * middle(i, template))).join();
  let [from, to] = [index, index + 1];
  while (from > 0 && round(from - 1) === round(index)) from--;
  while (round(to) === round(index)) to++;
  const parts = 2 * Math.max(...template);
  for (let digits = 0; ; digits++) {
    const short = Number(((from + to) / (2 * parts)).toFixed(digits));
    if (short > from / parts && short < to / parts) return short;
  }
}

const LEAST_WIDTH = 1 / 12;
// Functions, as bundlers keep what a module computes when it is loaded, in pages that never call it too.
const firstWidth = () => firstIndex(TEMPLATE.dims, LEAST_WIDTH);
const firstDepth = () => firstIndex(TEMPLATE.depths, 0);

const sizesAt = (depth: number, width: number) =>
  sizesOf({ depth: middle(depth, TEMPLATE.depths), width: middle(width, TEMPLATE.dims) });

/** The narrowest widths with at least this mass, for mass grows with the width. */
function narrowest(depth: number, nnMass: number): number {
  let above = firstWidth();
  let below = above - 1;
  while (massOf(sizesAt(depth, above)) < nnMass) {
    below = above;
    above *= 2;
  }
  while (above - below > 1) {
    const between = Math.floor((below + above) / 2);
    if (massOf(sizesAt(depth, between)) < nnMass) below = between;
    else above = between;
  }
  return above;
}

/**
 * The network of the fewest blocks with the mass within the budget, and of these the narrowest: docs/ran.md. Ours.
 *
 * @throws WasmogradError ERR_ARGUMENT on targets or inputs outside their ranges, and where no network of the mass stays within the
 * budget, naming the least budget that one does
 */
export function scaleTo({ macs, nnMass, input = IMAGENET_INPUT }: ScaleTarget): FittedNetwork {
  check(macs > 0 && Number.isFinite(macs), "ERR_ARGUMENT", () => `macs: expected a positive number, got ${macs}`);
  check(
    nnMass > 0 && nnMass <= MOST_MASS,
    "ERR_ARGUMENT",
    () => `nnMass: expected a positive number up to ${MOST_MASS.toLocaleString("en-US")}, got ${nnMass}`,
  );
  stagePixels(input);
  const template = measure(TEMPLATE, input);
  let least = Number.POSITIVE_INFINITY;
  for (let depth = firstDepth(); ; depth++) {
    const width = narrowest(depth, nnMass);
    const cost = countMacs(sizesAt(depth, width), input);
    if (cost <= macs) {
      const multipliers = variantOf(sizesAt(depth, width))?.multipliers ?? {
        width: shortest(width, TEMPLATE.dims),
        depth: shortest(depth, TEMPLATE.depths),
      };
      const estimated = estimate({ macs: macs / template.macs, nnMass: nnMass / template.nnMass });
      return { ...scaleBy(multipliers, input), estimate: estimated };
    }
    least = Math.min(least, cost);
    // More blocks of the least widths only cost more.
    if (width === firstWidth()) break;
  }
  const [needed, wanted, given] = [least, nnMass, macs].map((n) => n.toLocaleString("en-US"));
  throw new WasmogradError(
    "ERR_ARGUMENT",
    `macs: expected at least ${needed} for an NN-Mass of ${wanted} at ${input.join("x")}, got ${given}`,
  );
}
