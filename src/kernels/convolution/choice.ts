/**
 * Which algorithm computes an int8 convolution: the cheapest by the measured table of those that are exact. All give the same bits, so
 * this is about speed alone. f32 convolutions are direct unless asked for otherwise, as Winograd rounds differently.
 */
import { check, WasmogradError } from "../../errors.ts";
import { worstCaseChannels } from "../../quantization/accumulator.ts";
import type { FilterScaling } from "../../winograd/filter-scaling.ts";
import {
  WINOGRAD_ALGORITHMS,
  type WinogradF32,
  type WinogradKernel,
  type WinogradS8,
  winogradApplies,
} from "../winograd/algorithms.ts";
import { fitsOneBlock, largestSum, type WinogradLayer } from "../winograd/blocks.ts";
import { ROW_TABLE, type RowId, rowsApply, rowsFit } from "../winograd/rows.ts";
import { fitsScaled, scalingObstacle } from "../winograd/scaled.ts";
import { relativeTime } from "./cost.ts";
import type { ConvSpecS8, LayerShape } from "./spec.ts";

/** Direct, or a Winograd algorithm that has a kernel: outputs a tile, taps, kind of its points (docs/winograd.md). */
export type AlgorithmId =
  | "direct"
  | "f2x2-3x3"
  | "f4x4-3x3-complex"
  | "f4x4-3x3-rational"
  | "f4x4-3x3-half"
  | "f2x2-5x5-complex"
  | "f2x2-5x5-rational"
  | "f1x4-5x5-rational";

/** "auto": the cheapest; "winograd": the cheapest Winograd algorithm that applies, else direct; or one by name. */
export type AlgorithmOption = "auto" | "winograd" | AlgorithmId;

export interface Choice<Id extends AlgorithmId = AlgorithmId> {
  readonly algorithm: Id;
  /** One line. */
  readonly reason: string;
}

export interface ChoiceOptions {
  /** Real weights: exactness is then decided by their sums instead of by the worst case over all weights. */
  readonly layer?: WinogradLayer | undefined;
  /** In place of weights that are not at hand: the largest magnitude that the layer's sums are expected to have. */
  readonly largest?: number | undefined;
  /** Output size, where known: tiles that hang over it cost as much as full ones. */
  readonly output?: readonly [height: number, width: number] | undefined;
  /** Only algorithms that can run with filters scaled so. */
  readonly filterScaling?: FilterScaling | undefined;
}

const IDS: readonly string[] = [
  "direct",
  ...new Set(WINOGRAD_ALGORITHMS.map(({ algorithm }) => algorithm)),
  ROW_TABLE.algorithm,
];

/** @throws WasmogradError ERR_ARGUMENT unless the value is "auto", "winograd" or an algorithm */
export function checkAlgorithm(option: unknown, name = "algorithm"): asserts option is AlgorithmOption {
  const known = option === "auto" || option === "winograd" || IDS.includes(option as string);
  check(known, "ERR_ARGUMENT", () => `${name}: expected auto, winograd, ${IDS.join(", ")}, got ${String(option)}`);
}

interface Candidate {
  readonly kernel: WinogradKernel;
  readonly fits: boolean;
  /** Why it is exact or not, or why it needs blocks. */
  readonly because: string;
}

/** |x - zero point|, whatever the zero point. */
const LARGEST_INPUT = 255;

/** Exactness by the weights if they are there, else by the worst case. @param largest magnitude of a layer's sums */
function candidate(kernel: WinogradKernel, shape: LayerShape, largest: number | undefined): Candidate {
  const worst = { taps: kernel.r ** 2, scale: 2 ** kernel.shift, largestInput: LARGEST_INPUT };
  const limit = worstCaseChannels(worst);
  // A zero point or a bias adds to the worst case, so with a real layer its own sums decide.
  if (largest !== undefined) {
    const fits = fitsOneBlock(kernel, largest);
    const because = fits ? "exact by the sums of its weights" : "its weights need sums in blocks of channels";
    return { kernel, fits, because };
  }
  const fits = shape.ic <= limit;
  const because = fits
    ? `exact to ${limit} channels at any zero point`
    : `more than ${limit} channels, so sums in blocks unless the weights are small`;
  return { kernel, fits, because };
}

const scaledText = ({ bits, granularity }: FilterScaling): string =>
  `filters of ${bits} bits (${granularity}), not exact`;

/** Those that can run with scaled filters, whose sums are never taken in blocks. */
function scaledCandidates(
  applying: readonly WinogradKernel[],
  shape: LayerShape,
  layer: WinogradLayer | undefined,
  scaling: FilterScaling,
): Candidate[] {
  return applying
    .filter((kernel) => scalingObstacle(kernel) === undefined)
    .filter((kernel) => (layer ? fitsScaled(kernel, layer, scaling) : candidate(kernel, shape, undefined).fits))
    .map((kernel) => ({ kernel, fits: true, because: scaledText(scaling) }));
}

interface PricedAlgorithm {
  readonly algorithm: WinogradS8 | RowId;
  readonly because: string;
  readonly time: number;
}

/** The row algorithm, where it applies and is exact; it has no sums in blocks. */
function rowCandidate(
  shape: LayerShape,
  largest: number | undefined,
  output: ChoiceOptions["output"],
): PricedAlgorithm[] {
  if (!rowsApply(shape)) return [];
  const { algorithm, m, r, shift } = ROW_TABLE;
  const limit = worstCaseChannels({ taps: r ** 2, scale: 2 ** shift, largestInput: LARGEST_INPUT });
  const fits = largest !== undefined ? rowsFit(largest) : shape.ic <= limit;
  if (!fits) return [];
  const because =
    largest !== undefined ? "exact by the sums of its weights" : `exact to ${limit} channels at any zero point`;
  return [{ algorithm, because, time: relativeTime({ algorithm, m, rows: 1 }, shape, output) }];
}

const DEPTHWISE = { algorithm: "direct", reason: "depthwise convolutions are direct" } as const;

/** Chooses the algorithm of an int8 convolution. A named algorithm is taken where it applies; elsewhere the layer stays direct. */
export function chooseS8(
  option: AlgorithmOption,
  shape: LayerShape,
  { layer, largest: expected, output, filterScaling }: ChoiceOptions = {},
): Choice<ConvSpecS8["algorithm"]> {
  if (option === "direct") return { algorithm: "direct", reason: "asked for" };
  if (shape.depthwise) return DEPTHWISE;
  const applying = WINOGRAD_ALGORITHMS.filter((a) => a.dtype === "s8" && winogradApplies(a, shape));
  if (option === ROW_TABLE.algorithm && rowsApply(shape)) return { algorithm: option, reason: "asked for" };
  if (option !== "auto" && option !== "winograd") {
    const named = applying.find(({ algorithm }) => algorithm === option);
    if (named) {
      const reason = filterScaling ? `asked for; ${scaledText(filterScaling)}` : "asked for";
      return { algorithm: option as WinogradS8, reason };
    }
    return { algorithm: "direct", reason: `${option} does not apply to this kernel and stride` };
  }
  if (applying.length === 0)
    return { algorithm: "direct", reason: "no int8 Winograd kernel for this kernel and stride" };
  const largest = layer && !filterScaling ? largestSum(layer) : expected;
  const all = filterScaling
    ? scaledCandidates(applying, shape, layer, filterScaling)
    : applying.map((kernel) => candidate(kernel, shape, largest));
  if (all.length === 0) return { algorithm: "direct", reason: "with scaled filters sums could leave int32" };
  // Blocks cost an extra pass over the sums, so they are a last resort.
  const fitting = all.some(({ fits }) => fits) ? all.filter(({ fits }) => fits) : all;
  const priced = fitting.map(({ kernel, because }) => {
    return { algorithm: kernel.algorithm as WinogradS8 | RowId, because, time: relativeTime(kernel, shape, output) };
  });
  if (!filterScaling) priced.push(...rowCandidate(shape, largest, output));
  const { algorithm, because, time } = priced.sort((a, b) => a.time - b.time)[0]!;
  if (option === "auto" && time >= 1) {
    return { algorithm: "direct", reason: `${algorithm} takes ${time.toFixed(2)} times as long (measured table)` };
  }
  const speed = `${(1 / time).toFixed(2)}x the speed of direct (measured table)`;
  return { algorithm, reason: `${because}; ${speed}` };
}

/** The algorithm of an f32 convolution: direct unless "winograd" or one by name is asked for and applies. */
export function chooseF32(option: AlgorithmOption, shape: LayerShape): Choice<"direct" | WinogradF32> {
  if (option === "direct") return { algorithm: "direct", reason: "asked for" };
  if (shape.depthwise) return DEPTHWISE;
  if (option === "auto") return { algorithm: "direct", reason: "f32 Winograd rounds differently; ask for it by name" };
  const applying = WINOGRAD_ALGORITHMS.filter((a) => a.dtype === "f32" && winogradApplies(a, shape));
  if (option === "winograd") {
    // Of f32 algorithms the one with the fewest products, and of these the most accurate.
    const [best] = [...applying].sort((a, b) => a.planes - b.planes || a.amplification - b.amplification);
    if (best) return { algorithm: best.algorithm as WinogradF32, reason: "asked for; fewest products, then accuracy" };
    return { algorithm: "direct", reason: "no f32 Winograd kernel for this kernel and stride" };
  }
  const named = applying.find(({ algorithm }) => algorithm === option);
  if (named) return { algorithm: option as WinogradF32, reason: "asked for" };
  return { algorithm: "direct", reason: `${option} has no f32 kernel for this kernel and stride` };
}

/** Whether a layer can be computed as asked for, rather than direct for want of a kernel. */
export function algorithmApplies(option: AlgorithmOption, dtype: "s8" | "f32", shape: LayerShape): boolean {
  if (option === "auto" || option === "direct") return true;
  if (option === ROW_TABLE.algorithm) return dtype === "s8" && rowsApply(shape);
  return WINOGRAD_ALGORITHMS.some(
    (a) => a.dtype === dtype && (option === "winograd" || a.algorithm === option) && winogradApplies(a, shape),
  );
}

/** An algorithm that does not apply is an error where a single layer is meant. @throws WasmogradError ERR_UNSUPPORTED */
export function requireNamed(
  option: AlgorithmOption,
  dtype: "s8" | "f32",
  shape: LayerShape,
  argument = "algorithm",
): void {
  if (algorithmApplies(option, dtype, shape)) return;
  const type = dtype === "s8" ? "int8" : "f32";
  const { kh, kw, stride, depthwise } = shape;
  throw new WasmogradError(
    "ERR_UNSUPPORTED",
    `${argument}: ${option} has no ${type} kernel for ${depthwise ? "depthwise " : ""}${kh}x${kw} with stride ${stride}`,
  );
}
