/** Ethos-N: cycles of the convolution engine (MCE) and of the engine behind it (PLE), as in the vendor's open support library. */
import type { EthosN } from "../devices/description.ts";
import type { Operation, WindowOperation } from "../operation.ts";

const up = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** Input and output channels that all engines take together. */
export function channelSteps({ core }: EthosN): { readonly inputs: number; readonly outputs: number } {
  return { inputs: core.engines * core.inputsPerEngine, outputs: core.engines * core.outputsPerEngine };
}

const MACS_PER_GENERATOR = 8;

export function macsPerCycle(device: EthosN): number {
  const { inputs, outputs } = channelSteps(device);
  return inputs * outputs * MACS_PER_GENERATOR;
}

/** Every product, with rows to a multiple of 4, columns to 2, channels to what the engines take together. */
function directCycles(device: EthosN, { kind, kernel, input, output }: WindowOperation): number {
  const { inputs, outputs } = channelSteps(device);
  const [h, w, channels] = output.shape;
  const taps = kernel[0] * kernel[1] * up(h, 4) * up(w, 2);
  // A depthwise filter has one input: all but one of the lanes that would take others are idle.
  if (kind === "depthwise") return (taps * up(channels, inputs) * outputs) / macsPerCycle(device);
  return (taps * up(input.shape[2], inputs) * up(channels, outputs)) / macsPerCycle(device);
}

/** Outputs of a block in two dimensions at most, as all accumulators of a tile are needed. */
const WINOGRAD_BLOCK = 128;
const WINOGRAD_BLOCK_LINE = 256;
const TILE_MACS = 16;

/** Tiles of 2x2 outputs, of 4x2 where the kernel is a row or column; kernels above 3 are summed from parts of 3. */
function winogradCycles(device: EthosN, { kernel, input, output }: WindowOperation): number {
  const { inputs, outputs } = channelSteps(device);
  const [h, w, channels] = output.shape;
  const line = kernel.includes(1);
  const [th, tw] = line ? (kernel[0] === 1 ? [2, 4] : [4, 2]) : [2, 2];
  const tiles = Math.ceil(h / th) * Math.ceil(w / tw);
  const parts = Math.ceil(kernel[0] / 3) * Math.ceil(kernel[1] / 3);
  const depth = up(input.shape[2], inputs);
  const products =
    ((tiles * TILE_MACS * parts * depth) / (inputs * MACS_PER_GENERATOR)) * Math.ceil(channels / outputs);
  const blocks = Math.ceil((h * w) / (line ? WINOGRAD_BLOCK_LINE : WINOGRAD_BLOCK));
  // The engine transforms a filter in two cycles, and does so for each block.
  return Math.max(products, 2 * blocks * depth * parts);
}

export interface MceCycles {
  readonly cycles: number;
  readonly winograd: boolean;
}

/** The faster of both; 0 where nothing is multiplied. */
export function mceCycles(device: EthosN, operation: Operation): MceCycles {
  if (!("filter" in operation) || !operation.filter) return { cycles: 0, winograd: false };
  const direct = directCycles(device, operation);
  const { kind, kernel, stride } = operation;
  const suits = device.winograd && kind === "convolution" && stride.every((s) => s === 1) && Math.max(...kernel) > 1;
  const fast = suits ? winogradCycles(device, operation) : Number.POSITIVE_INFINITY;
  return fast < direct ? { cycles: fast, winograd: true } : { cycles: direct, winograd: false };
}

/** Cycles for a patch of 4x4 values. */
const PATCH = {
  passthrough: 6,
  interleave: 13,
  add: 35,
  leaky: 37,
  maxPool3: 37,
  mean: 37,
  sigmoid: 41,
  averagePool3: 97,
} as const;

function patchCycles(operation: Operation): number {
  if (operation.activation === "slope") return PATCH.leaky;
  if (operation.activation === "table") return PATCH.sigmoid;
  switch (operation.kind) {
    case "elementwise":
      return operation.function === "add" ? PATCH.add : PATCH.passthrough;
    case "max-pool":
      return Math.max(...operation.kernel) === 3 ? PATCH.maxPool3 : PATCH.interleave;
    case "average-pool":
      return Math.max(...operation.kernel) === 3 ? PATCH.averagePool3 : PATCH.mean;
    case "depth-to-space":
      return PATCH.interleave;
    default:
      // Strided convolutions are told apart into even and odd rows and columns before.
      return "stride" in operation && operation.stride[0] > 1 ? PATCH.interleave : PATCH.passthrough;
  }
}

/** Blocks that one call of a PLE kernel works through: assumed, the library chooses from 1 on. */
const BLOCKS_PER_CALL = 8;

/** The largest [height, width] of a block; the engine takes over what the convolution engine has in its accumulators. */
function pleBlock(operation: Operation, winograd: boolean): readonly [number, number] {
  const line = "kernel" in operation && operation.kernel.includes(1);
  return winograd && !line ? [WINOGRAD_BLOCK / 16, 16] : [16, 16];
}

/** @param winograd whether the convolution before it is done that way, whose blocks are smaller */
export function pleCycles({ core }: EthosN, operation: Operation, winograd: boolean): number {
  // Pooling reads its input in patches, everything else is counted by what it writes.
  const pooling = operation.kind === "max-pool" || operation.kind === "average-pool";
  const [h, w, channels] = (pooling ? operation.input : operation.output).shape;
  const deep = Math.ceil(channels / (core.engines * core.lanesPerEngine));
  const [high, wide] = pleBlock(operation, winograd);
  const patches = (up(h, high) / 4) * (up(w, wide) / 4) * deep;
  const blocks = (up(h, high) / high) * (up(w, wide) / wide) * deep;
  return patches * patchCycles(operation) + 10 * blocks + (100 * blocks) / BLOCKS_PER_CALL;
}
