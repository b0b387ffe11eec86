/**
 * Ethos-U works through a feature map in blocks: which output block, and which part of the input that needs in the shared buffer. The
 * search restates that of the vendor's open compiler (3.10): least fetched per output among the blocks that fit.
 */
import { WasmogradError } from "../../errors.ts";
import type { Shape } from "../../network/description.ts";
import type { EthosUCore } from "../devices/description.ts";
import type { ElementwiseOperation, WindowOperation } from "../operation.ts";

/** What the NPU runs; slopes are operations of their own. */
type Plain = { readonly activation: "none" | "clamp" | "table" };
export type NpuWindow = WindowOperation & Plain;
export type NpuOperation = NpuWindow | (ElementwiseOperation & Plain);

export interface Block {
  /** [height, width, depth] */
  readonly output: Shape;
  readonly input: Shape;
  /** Four taps at a time over 8 input channels ("part kernel first") and not one tap over 32 ("depth first"). */
  readonly partKernel: boolean;
}

/** Depth at which an output that is deeper than one block is cut. */
export const SPLIT_DEPTH = 16;
const INPUT_MICRO_DEPTH = 8;

export const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
const values = ([h, w, c]: Shape): number => h * w * c;

/** 40 bits hold int16 products; pooling has none. */
export function hasWideAccumulator({ kind, bits }: NpuOperation): boolean {
  return bits === 16 && kind !== "max-pool" && kind !== "average-pool";
}

/** Kernel and stride of what slides; an elementwise operation's window is one value. */
export function windowOf(operation: NpuOperation): Pick<WindowOperation, "kernel" | "stride" | "spread"> {
  return operation.kind === "elementwise" ? { kernel: [1, 1], stride: [1, 1], spread: 1 } : operation;
}

/** Whether output channel c depends on input channel c alone. */
export const keepsDepth = ({ kind }: NpuOperation): boolean => kind !== "convolution" && kind !== "fully-connected";

/** The input that an elementwise operation's blocks are cut from: the larger one. */
function inputShape(operation: NpuOperation): Shape {
  const { shape } = operation.input;
  const second = operation.kind === "elementwise" ? operation.second?.shape : undefined;
  return second && values(second) > values(shape) ? second : shape;
}

/** The order of taps and channels that leaves fewer multipliers idle. */
export function choosesPartKernel(operation: NpuOperation): boolean {
  const { kind, bits } = operation;
  if (kind !== "convolution" && kind !== "depthwise") return false;
  const depth = operation.input.shape[2];
  if (depth <= 8) return true;
  const taps = operation.kernel[0] * operation.kernel[1];
  const [depthStep, tapStep] = bits === 8 ? [32, 4] : [16, 2];
  const depthFirst = depth / roundUp(depth, depthStep);
  const partKernel = (depth * taps) / (roundUp(depth, INPUT_MICRO_DEPTH) * roundUp(taps, tapStep));
  return partKernel > depthFirst;
}

/** The input block that an output block of [height, width, depth] reads. */
export function inputBlock(core: EthosUCore, operation: NpuOperation, output: Shape, partKernel: boolean): Shape {
  const { kernel, stride, spread } = windowOf(operation);
  const extent = (axis: 0 | 1): number => {
    const taps = Math.min(kernel[axis], core.largestKernel[axis]);
    return roundUp(Math.ceil(((output[axis] - 1) * stride[axis] + taps) / spread), core.microBlock[axis]);
  };
  return [extent(0), extent(1), keepsDepth(operation) ? output[2] : inputDepth(operation, partKernel)];
}

function inputDepth(operation: NpuOperation, partKernel: boolean): number {
  const depth = inputShape(operation)[2];
  if (operation.bits === 16) return roundUp(Math.min(depth, 16), 4);
  return roundUp(Math.min(depth, partKernel ? 16 : 32), INPUT_MICRO_DEPTH);
}

/** Whether input, accumulators and table find room in the shared buffer: all but the table twice, so that the next block can arrive. */
export function fits(core: EthosUCore, operation: NpuOperation, input: Shape, output: Shape): boolean {
  const { granules, bankBytes } = core;
  const banksOf = (bytes: number, granule: number): number => roundUp(Math.ceil(bytes / bankBytes) * 2, granule);
  const bytesDeep = roundUp((input[2] * operation.bits) / 8, 8);
  const inputBanks = banksOf(
    input[0] * input[1] * bytesDeep,
    operation.bits === 8 ? granules.input8 : granules.input16,
  );
  const end = Math.max(operation.activation === "table" ? core.tableBanks : 0, core.endBanks);
  const free = core.banks - core.outputBanks - end - inputBanks;
  if (operation.kind === "elementwise") return free >= (operation.second ? inputBanks : 0);
  const wide = hasWideAccumulator(operation);
  const accumulatorBytes = Math.floor((output[0] * output[1] * roundUp(output[2], 8) * (wide ? 40 : 32)) / 8);
  return free >= banksOf(accumulatorBytes, wide ? granules.accumulator40 : granules.accumulator32);
}

/** What the blocks of this shape fetch per output value. */
function fetchCost(core: EthosUCore, operation: NpuOperation, output: Shape, input: Shape): number {
  const whole = operation.output.shape;
  const from = inputShape(operation);
  const { kernel } = windowOf(operation);
  const blocks = whole.map((size, axis) => size / output[axis]!) as [number, number, number];
  const full = blocks.map(Math.ceil) as [number, number, number];
  const hasFilters = operation.kind === "convolution" || operation.kind === "depthwise";
  let weights = hasFilters ? kernel[0] * kernel[1] * from[2] * full[0] * full[1] : 0;
  if (operation.kind !== "depthwise") weights *= output[2] * blocks[2];
  const passes = Math.ceil(kernel[0] / core.largestKernel[0]) * Math.ceil(kernel[1] / core.largestKernel[1]);
  let inputs = input[0] * input[1] * from[2] * passes * blocks[0] * blocks[1];
  if (!keepsDepth(operation)) inputs *= full[2];
  const cost = (inputs + weights) / values(whole);
  // The whole input in the two buffers is read once, whatever the blocks.
  return values(from) < values(input) * 2 ? cost / 2 : cost;
}

/** Kernels of one row over maps of one row have blocks of one row where micro-blocks have two. */
function fittedBlock(core: EthosUCore, operation: NpuOperation, output: Shape): Shape {
  const flat = operation.output.shape[0] === 1 && windowOf(operation).kernel[0] === 1 && core.microBlock[0] === 2;
  return flat ? [1, output[1], output[2]] : output;
}

/** Depths to try: one micro-block or a split depth first, then on in micro-blocks, in split depths where one block is not all. */
function* depths(microDepth: number, most: number, whole: number): Generator<number> {
  const next = (depth: number): number => (depth < whole ? roundUp(depth, SPLIT_DEPTH) : depth);
  let depth = next(Math.max(microDepth, Math.min(most, SPLIT_DEPTH)));
  while (depth <= most) {
    yield depth;
    depth = next(depth + microDepth);
  }
}

/**
 * The block that fetches least per output value; of equals the first, unless a small one (at most 4x4) covers more of the input.
 * Elementwise operations fetch every value once whatever the block: of them the largest block, as the development pair shows.
 * `rows` is the height of the stripe that is made at a time, the whole output unless given.
 * @throws WasmogradError ERR_UNSUPPORTED when no block fits the shared buffer
 */
export function chooseBlock(core: EthosUCore, operation: NpuOperation, rows = operation.output.shape[0]): Block {
  const partKernel = choosesPartKernel(operation);
  const whole: Shape = [rows, operation.output.shape[1], operation.output.shape[2]];
  const striped = { ...operation, output: { ...operation.output, shape: whole } };
  const space = whole.map((size, axis) =>
    roundUp(Math.min(size, core.largestBlock[axis]!), core.microBlock[axis]!),
  ) as unknown as Shape;
  const from = inputShape(operation);
  let best: Block | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  let bestCoverage = Number.POSITIVE_INFINITY;
  for (const depth of depths(core.microBlock[2], space[2], whole[2])) {
    for (let height = core.microBlock[0]; height <= space[0]; height += core.microBlock[0]) {
      for (let width = core.microBlock[1]; width <= space[1]; width += core.microBlock[1]) {
        const input = inputBlock(core, striped, [height, width, depth], partKernel);
        const output = fittedBlock(core, striped, [height, width, depth]);
        if (!fits(core, striped, input, output)) break;
        const cost = operation.kind === "elementwise" ? 1 / values(output) : fetchCost(core, striped, output, input);
        if (cost > bestCost) continue;
        if (cost === bestCost) {
          if (operation.kind === "elementwise") continue;
          const coverage = (from[0] * from[1]) / (Math.min(from[0], input[0]) * Math.min(from[1], input[1]));
          if (coverage > bestCoverage || height > 4 || width > 4) continue;
          bestCoverage = coverage;
        } else {
          bestCoverage = Number.POSITIVE_INFINITY;
        }
        bestCost = cost;
        best = { output: [height, width, depth], input, partKernel };
      }
    }
  }
  if (best) return best;
  const kernel = windowOf(operation).kernel.join("x");
  throw new WasmogradError(
    "ERR_UNSUPPORTED",
    `operation ${operation.name}: expected more core.banks for a ${kernel} window in the shared buffer, got ${core.banks}`,
  );
}
