/**
 * Ethos-U: weights in slow memory are copied into SRAM before they are used, in one piece or slice by slice of the output's depth, while
 * operations before them run. Restates the choice of the vendor's open compiler (3.10).
 */
import type { EthosU } from "../devices/description.ts";
import type { FilterSize } from "../operation.ts";
import { type Block, type NpuOperation, roundUp, SPLIT_DEPTH } from "./block.ts";
import { npuCycles } from "./cycles.ts";
import { BIAS_BYTES, copyCycles, type Placement } from "./transfers.ts";

export interface Staging {
  /** "single": the NPU waits for all of it; "double": one slice arrives while another is used. */
  readonly buffers: "single" | "double";
  /** Boundaries of the depth slices, from 0 to the depth. */
  readonly slices: readonly number[];
  /** Bytes of the first slice, and of all slices. */
  readonly firstBytes: number;
  readonly bytes: number;
  /** Of the stream in one piece, which is a little shorter: what the compiler's transfer time goes by. */
  readonly wholeBytes: number;
  /** SRAM that the buffers take. */
  readonly bufferBytes: number;
  /** Cycles of the operation during which the next one's weights can arrive: those of its last slice. */
  readonly tailCycles: number;
}

/** The weight stream is read in pieces of this many bytes. */
const ALIGNMENT = 16;
/** Thinner slices would not fill a block. */
const THINNEST = SPLIT_DEPTH;

const floorTo = (value: number, multiple: number): number => Math.floor(value / multiple) * multiple;

/** Bytes of `depth` of the output's channels in the weight stream, biases included. */
function sliceBytes({ channels }: FilterSize, encodedBytes: number, depth: number): number {
  const weights = encodedBytes - channels * BIAS_BYTES;
  return roundUp(Math.ceil((weights * depth) / channels) + depth * BIAS_BYTES, ALIGNMENT);
}

/** NPU cycles for the first `depth` output channels. */
export function cyclesOfDepth(
  device: EthosU,
  operation: NpuOperation,
  block: Block,
  place: Placement,
  depth: number,
): number {
  const [h, w] = operation.output.shape;
  const part = { ...operation, output: { ...operation.output, shape: [h, w, depth] } } as NpuOperation;
  return npuCycles(device, part, block, { ...place, weights: "sram" }).total;
}

/** Boundaries of slices: the first as deep as what arrives before the operation begins, the others as the operation leaves time for. */
function boundaries(first: number, next: number, depth: number): number[] {
  const inner = [];
  for (let at = first; at < depth; at += next) inner.push(at);
  return [0, ...inner, depth];
}

/** Sizes of the two buffers: the deepest of the even and of the odd slices. */
function bufferSizes(filter: FilterSize, encodedBytes: number, slices: readonly number[]): readonly [number, number] {
  const sizes: [number, number] = [0, 0];
  for (let i = 1; i < slices.length; i++) {
    const bytes = sliceBytes(filter, encodedBytes, slices[i]! - slices[i - 1]!);
    const parity = ((i - 1) % 2) as 0 | 1;
    sizes[parity] = Math.max(sizes[parity], bytes);
  }
  return sizes;
}

function chooseSlices(
  device: EthosU,
  operation: NpuOperation & { readonly filter: FilterSize },
  block: Block,
  place: Placement,
  encodedBytes: number,
  { slack, limit, transfer }: { slack: number; limit: number; transfer: number },
): number[] {
  const depth = operation.output.shape[2];
  const half = Math.floor(limit / 2);
  const ahead = Math.min(transfer > slack ? (slack / transfer) * encodedBytes : encodedBytes, half);
  if (ahead >= encodedBytes) return [0, depth];
  const blockDepth = block.output[2];
  let first = Math.max(THINNEST, floorTo(depth * (ahead / encodedBytes), SPLIT_DEPTH));
  let next = roundUp(depth * (cyclesOfDepth(device, operation, block, place, first) / transfer), blockDepth);
  if ((next / depth) * encodedBytes > half) next = (half / encodedBytes) * depth;
  for (;;) {
    next = Math.max(floorTo(next, next > blockDepth ? blockDepth : SPLIT_DEPTH), THINNEST);
    const slices = boundaries(first, next, depth);
    const [a, b] = bufferSizes(operation.filter, encodedBytes, slices);
    if (a + b <= limit || first === THINNEST) return slices;
    if (next > first) next = roundUp(Math.floor(next / 2), SPLIT_DEPTH);
    else first = roundUp(Math.floor(first / 2), SPLIT_DEPTH);
  }
}

/** Whether there is a point in copying: fully connected layers read each weight once. */
export function wantsStaging(operation: NpuOperation, place: Placement): boolean {
  const slow = place.weights === "dram" || place.weights === "flash";
  return (
    operation.kind !== "elementwise" && operation.kind !== "fully-connected" && operation.filter !== undefined && slow
  );
}

/**
 * Buffers for an operation's weights, or undefined where they are read in place.
 * @param slack cycles of the operation before this one during which weights can arrive
 * @param limit bytes of SRAM that are free; infinite where nothing limits them
 */
export function chooseStaging(
  device: EthosU,
  operation: NpuOperation,
  block: Block,
  place: Placement,
  encodedBytes: number,
  { slack, limit }: { readonly slack: number; readonly limit: number },
): Staging | undefined {
  if (operation.kind === "elementwise" || !operation.filter || !wantsStaging(operation, place)) return undefined;
  const { filter } = operation;
  const depth = operation.output.shape[2];
  const transfer = copyCycles(device, place.weights, "sram", encodedBytes);
  const slices = chooseSlices(device, { ...operation, filter }, block, place, encodedBytes, { slack, limit, transfer });
  const sizes = bufferSizes(filter, encodedBytes, slices);
  const whole = slices.length === 2;
  const most = Math.max(...sizes);
  if (most > limit) return undefined;
  const bytes = whole
    ? encodedBytes
    : slices.slice(1).reduce((sum, at, i) => sum + sliceBytes(filter, encodedBytes, at - slices[i]!), 0);
  const double = !whole && sizes[0] + sizes[1] <= limit;
  const tail = whole
    ? npuCycles(device, operation, block, { ...place, weights: "sram" }).total
    : cyclesOfDepth(device, operation, block, place, depth - slices.at(-2)!);
  return {
    buffers: double ? "double" : "single",
    slices,
    firstBytes: whole ? encodedBytes : sliceBytes(filter, encodedBytes, slices[1]!),
    bytes,
    wholeBytes: encodedBytes,
    bufferBytes: double ? sizes[0] + sizes[1] : most,
    tailCycles: tail,
  };
}

/** One buffer for all weights, or undefined where it does not fit: operations of a cascade use them stripe by stripe. */
export function wholeStaging(
  device: EthosU,
  operation: NpuOperation,
  block: Block,
  place: Placement,
  encodedBytes: number,
  limit: number,
): Staging | undefined {
  if (!wantsStaging(operation, place) || encodedBytes > limit) return undefined;
  return {
    buffers: "single",
    slices: [0, operation.output.shape[2]],
    firstBytes: encodedBytes,
    bytes: encodedBytes,
    wholeBytes: encodedBytes,
    bufferBytes: encodedBytes,
    tailCycles: npuCycles(device, operation, block, { ...place, weights: "sram" }).total,
  };
}
