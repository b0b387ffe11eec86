/** Ethos-U: what moves between memories and shared buffer, and how well the bursts are used. */
import type { Shape } from "../../network/description.ts";
import type { EthosU, MemoryArea, MemoryPort } from "../devices/description.ts";
import { bytesPerCycle } from "../devices/ethos-u.ts";
import type { Tensor } from "../operation.ts";
import { type Block, keepsDepth, type NpuOperation, roundUp, windowOf } from "./block.ts";

/** Where an operation's tensors and weights are. */
export interface Placement {
  readonly input: MemoryArea;
  readonly second: MemoryArea;
  readonly output: MemoryArea;
  /** From where the NPU reads weights: the constants' memory, or the buffer to which they were copied. */
  readonly weights: MemoryArea;
}

export function portOf({ system }: EthosU, area: MemoryArea): MemoryPort {
  return area === "sram" || area === "onChipFlash" ? system.sram : system.second;
}

/** Bytes that the NPU takes from or puts to a port in a cycle. */
export const rateOf = (device: EthosU, area: MemoryArea): number => bytesPerCycle(device.system, portOf(device, area));

/** Biases and scales of an output channel in the weight stream. */
export const BIAS_BYTES = 10;

const clamp = (block: Shape, whole: Shape): Shape => [
  Math.min(block[0], whole[0]),
  Math.min(block[1], whole[1]),
  Math.min(block[2], whole[2]),
];

const bytesOf = ({ bits }: NpuOperation): number => bits / 8;

/** Bytes in a row of memory that one block reads or writes without a gap. */
function run(device: EthosU, { layout }: Tensor, block: Shape, bytes: number, direction: "read" | "write"): number {
  const { cores } = device.core;
  if (layout === "bricks") return 16 * bytes * block[1] * (direction === "write" ? cores : 1);
  return direction === "read" ? bytes * block[2] : Math.min(64, 16 * bytes * cores, block[2] * bytes);
}

/** Bytes that the port is busy for: with short runs more than are wanted. */
export function busyBytes(
  device: EthosU,
  area: MemoryArea,
  tensor: Tensor,
  block: Shape,
  { bits }: NpuOperation,
  direction: "read" | "write",
  wanted: number,
): number {
  const { burstBytes } = portOf(device, area);
  return wanted * (burstBytes / Math.min(burstBytes, run(device, tensor, block, bits / 8, direction)));
}

/** Cycles to read the input of one block and to write its output. */
export function blockTransferCycles(device: EthosU, operation: NpuOperation, block: Block, place: Placement): number {
  const { input, output } = operation;
  const read = clamp(block.input, input.shape);
  const written = clamp(block.output, output.shape);
  const cycles = (area: MemoryArea, tensor: Tensor, whole: Shape, part: Shape, direction: "read" | "write"): number => {
    const port = portOf(device, area);
    // Elements, as the compiler has it, though those of int16 are two bytes.
    const wanted = part[0] * part[1] * part[2];
    const busy = busyBytes(device, area, tensor, whole, operation, direction, wanted);
    return (direction === "read" ? port.readLatency : port.writeLatency) + busy / rateOf(device, area);
  };
  return (
    cycles(place.input, input, block.input, read, "read") + cycles(place.output, output, block.output, written, "write")
  );
}

/** Cycles to copy between two memories. */
export function copyCycles(device: EthosU, from: MemoryArea, to: MemoryArea, bytes: number): number {
  const reading = Math.floor(bytes / rateOf(device, from)) + portOf(device, from).readLatency;
  return Math.max(reading, Math.floor(bytes / rateOf(device, to)));
}

/** Bytes of an operation by what they are. */
export interface Traffic {
  readonly input: number;
  readonly second: number;
  readonly output: number;
  /** With biases. */
  readonly weights: number;
}

/** Channels as they lie in memory. */
const storedDepth = ({ layout }: Tensor, depth: number): number => (layout === "bricks" ? roundUp(depth, 16) : depth);

/**
 * Halos and, of convolutions, depth blocks are read again with each block; weights are read again with each block of the plane.
 * @param encodedBytes weights as they lie in memory, biases included
 */
export function trafficOf(device: EthosU, operation: NpuOperation, block: Block, encodedBytes: number): Traffic {
  const bytes = bytesOf(operation);
  const { input, output } = operation;
  const [h, w, depth] = output.shape;
  const written = h * w * storedDepth(output, depth) * bytes;
  if (operation.kind === "elementwise") {
    // The compiler takes both operands to be as large as the output and to lie as the first one does.
    const read = h * w * storedDepth(input, depth) * bytes;
    return { input: read, second: operation.second ? read : 0, output: written, weights: 0 };
  }
  const part = clamp(block.output, output.shape);
  const plane = Math.ceil(h / part[0]) * Math.ceil(w / part[1]);
  const deep =
    operation.kind === "convolution" || operation.kind === "fully-connected" ? Math.ceil(depth / part[2]) : 1;
  const [bh, bw] = clamp(block.input, input.shape);
  const { kernel } = windowOf(operation);
  const { largestKernel } = device.core;
  const passes = Math.ceil(kernel[0] / largestKernel[0]) * Math.ceil(kernel[1] / largestKernel[1]);
  const read = bh * bw * storedDepth(input, input.shape[2]) * passes * plane * deep * bytes;
  return {
    input: read,
    second: 0,
    output: written,
    weights: weightTraffic(operation, part[2], plane, deep, encodedBytes),
  };
}

function weightTraffic(
  operation: NpuOperation,
  blockDepth: number,
  plane: number,
  deep: number,
  encodedBytes: number,
): number {
  if (operation.kind === "elementwise" || !operation.filter) return 0;
  const { filter, kernel, input } = operation;
  const biases = filter.channels * BIAS_BYTES;
  const taps = kernel[0] * kernel[1];
  const fetched = keepsDepth(operation)
    ? taps * input.shape[2] * plane
    : taps * input.shape[2] * blockDepth * plane * deep;
  return (fetched * (encodedBytes - biases)) / filter.values + biases;
}
