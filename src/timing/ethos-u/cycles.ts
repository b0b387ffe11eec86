/** Ethos-U: cycles of the MAC units and of the output unit, block by block, as the vendor's open compiler (3.10) estimates them. */
import type { Shape } from "../../network/description.ts";
import type { EthosU } from "../devices/description.ts";
import { type Block, hasWideAccumulator, type NpuOperation, type NpuWindow, roundUp } from "./block.ts";
import { BIAS_BYTES, blockTransferCycles, type Placement, portOf } from "./transfers.ts";

/** Blocks of one operation. */
export interface BlockCycles {
  /** Of the MAC units for one block, with the wait for memory where that is longer. */
  readonly mac: number;
  /** Of the output unit for one block, likewise. */
  readonly output: number;
  /** What one block takes for commands and memory at least. */
  readonly floor: number;
  readonly blocks: number;
}

export interface NpuCycles extends BlockCycles {
  /** Both units overlap but for one block: max * blocks + min. */
  readonly total: number;
}

/** Which of the timing classes of the output unit an operation belongs to. */
function timingClass(operation: NpuOperation): number {
  if (operation.kind === "elementwise") {
    // Minimum is no addition and takes what a convolution takes; additions rescale both operands.
    return { mul: 3, add: 5, identity: 5, minimum: 7 }[operation.function];
  }
  if (hasWideAccumulator(operation)) return 3;
  return operation.kind === "max-pool" ? 6 : 7;
}

/** Cycles of the output unit per value, without the wait for memory. */
export function outputCycles({ core }: EthosU, operation: NpuOperation): number {
  return Math.max(core.outputCycles[timingClass(operation)]!, core.activationCycles[operation.activation]);
}

const values = ([h, w, c]: Shape): number => h * w * c;

/** What the units do for one block, no memory being waited for. */
export interface BlockWork {
  readonly mac: number;
  readonly output: number;
  readonly blocks: number;
  /** Pieces in which a block's input arrives: slices of its depth, and passes over the kernel. */
  readonly pieces: number;
}

const isMultiplied = ({ kind }: NpuOperation): boolean => kind === "convolution" || kind === "fully-connected";

/** Elementwise: values at the output unit's rate, or blocks at the memory's. */
function elementwiseCycles(device: EthosU, operation: NpuOperation, block: Block, place: Placement): NpuCycles {
  const perValue = outputCycles(device, operation);
  const inBlock = values(block.output);
  const floor = (blockTransferCycles(device, operation, block, place) + perValue * inBlock) / 4;
  const [h, w, depth] = operation.output.shape;
  const stored = h * w * (operation.output.layout === "bricks" ? roundUp(depth, 16) : depth);
  const total = Math.ceil(Math.max(perValue, floor / inBlock) * stored);
  return { mac: 0, output: perValue * inBlock, floor, blocks: Math.ceil(stored / inBlock), total };
}

/** Sides of the passes that a kernel is cut into along one axis. */
function parts(kernel: number, most: number): number[] {
  return Array.from({ length: Math.ceil(kernel / most) }, (_, i) => Math.min(kernel - i * most, most));
}

/** Micro-blocks in a block; blocks of one row have flat micro-blocks. */
function microBlocks({ core }: EthosU, operation: NpuWindow, block: Shape) {
  const [height, width] = operation.output.shape;
  const pooling = operation.kind === "max-pool" || operation.kind === "average-pool";
  const flat = core.microBlock[0] === 2 && !pooling && height === 1 && width % 2 === 0 && operation.kernel[0] === 1;
  const [uh, uw, ud] = flat ? [1, 4, core.microBlock[2]] : core.microBlock;
  const shape: Shape = flat ? [1, block[1], block[2]] : block;
  return { shape, depth: ud, x: Math.ceil(shape[1] / uw), y: Math.ceil(shape[0] / uh), z: Math.ceil(shape[2] / ud) };
}

/** MAC units: one pass of `taps` taps over a block. */
function passCycles(
  { core }: EthosU,
  operation: NpuWindow,
  block: Block,
  micro: ReturnType<typeof microBlocks>,
  inputDepth: number,
  taps: number,
): number {
  const plane = micro.x * micro.y;
  // Weights arrive at this pace at most, however few pixels wait for them.
  const feed = (32 * micro.depth) / 8;
  const wide = operation.bits === 16;
  const octets = Math.ceil(inputDepth / 8);
  const partKernel = operation.kind === "convolution" && block.partKernel;
  let steps: number;
  let cycles: number;
  if (operation.kind === "max-pool" || operation.kind === "average-pool") {
    steps = 1;
    cycles = Math.max(4, taps) * plane * micro.z * (wide ? core.int16Pooling : 1);
  } else if (operation.kind === "depthwise") {
    steps = Math.ceil(taps / 4);
    cycles = Math.max(feed, 4 * plane * (wide ? 2 : 1)) * steps * micro.z;
  } else if (partKernel) {
    steps = Math.ceil(taps / (wide ? 2 : 4));
    cycles = Math.max(feed, 4 * plane) * steps * octets * micro.z;
  } else {
    steps = taps;
    cycles = Math.max(feed, 4 * plane) * steps * micro.z;
  }
  return cycles + delayCycles(core, operation, micro, steps) * (partKernel ? octets : 1);
}

/** A block of one micro-block waits for itself between kernel steps. */
function delayCycles(
  core: EthosU["core"],
  operation: NpuWindow,
  { x, y, z }: ReturnType<typeof microBlocks>,
  steps: number,
): number {
  const wide = hasWideAccumulator(operation);
  const delay = wide ? core.stepDelay.accumulator40 : core.stepDelay.accumulator32;
  let cycles = 0;
  if (x === 1 && y === 1) {
    if (z === 1) cycles = delay * steps;
    else if (steps > 1) cycles = delay * (steps - 1) * z;
  }
  if (core.waitsPerDepthStep && wide && (x === 1 || y === 1) && z > 1) cycles += delay * z;
  return cycles;
}

function windowWork(
  device: EthosU,
  operation: NpuWindow,
  block: Block,
  place: Placement,
): BlockWork & { shape: Shape } {
  const { core } = device;
  const { input, output, kernel } = operation;
  const clamped = block.output.map((size, axis) => Math.min(size, output.shape[axis]!)) as unknown as Shape;
  const inputDepth = Math.min(block.input[2], input.shape[2]);
  const micro = microBlocks(device, operation, clamped);
  let mac = 0;
  let passes = 0;
  for (const rows of parts(kernel[0], core.largestKernel[0])) {
    for (const columns of parts(kernel[1], core.largestKernel[1])) {
      mac += passCycles(device, operation, block, micro, inputDepth, rows * columns);
      passes++;
    }
  }
  const slices = isMultiplied(operation) ? Math.ceil(input.shape[2] / inputDepth) : 1;
  mac *= slices;
  mac /= core.cores;
  let out = Math.ceil(outputCycles(device, operation) * values(micro.shape));
  if (operation.filter) {
    out = Math.max(out, (BIAS_BYTES * micro.shape[2] * portOf(device, place.weights).readLatency) / 256);
  }
  const blocks = micro.shape.reduce((count, size, axis) => count * Math.ceil(output.shape[axis]! / size), 1);
  return { mac, output: out, blocks, pieces: slices * passes, shape: micro.shape };
}

function windowCycles(device: EthosU, operation: NpuWindow, block: Block, place: Placement): NpuCycles {
  const { mac, output, blocks } = windowWork(device, operation, block, place);
  const floor = (blockTransferCycles(device, operation, block, place) + output + mac) / 4;
  const [a, b] = [Math.max(mac, floor), Math.max(output, floor)];
  return { mac: a, output: b, floor, blocks, total: Math.floor(Math.max(a, b) * blocks + Math.min(a, b)) };
}

/** What an operation's blocks take of the units themselves. */
export function blockWork(device: EthosU, operation: NpuOperation, block: Block, place: Placement): BlockWork {
  if (operation.kind !== "elementwise") return windowWork(device, operation, block, place);
  const { output, blocks } = elementwiseCycles(device, operation, block, place);
  const [h, w, depth] = operation.output.shape;
  const stored = h * w * (operation.output.layout === "bricks" ? roundUp(depth, 16) : depth);
  // Blocks at the edges are smaller: all are counted with their mean.
  return { mac: 0, output: (output * stored) / values(block.output) / blocks, blocks, pieces: 1 };
}

/** NPU cycles of an operation, its weights being where they are read from. */
export function npuCycles(device: EthosU, operation: NpuOperation, block: Block, place: Placement): NpuCycles {
  return operation.kind === "elementwise"
    ? elementwiseCycles(device, operation, block, place)
    : windowCycles(device, operation, block, place);
}
