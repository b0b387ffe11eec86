import { accumulatorRange, largestMagnitude, winogradSafe } from "../../quantization/accumulator.ts";
import type { WinogradKernel } from "./algorithms.ts";

/** How a Winograd kernel sums over the input channels. */
export interface WinogradBlocks {
  /** Channels summed at once: ic, or a multiple of 8. */
  readonly channels: number;
  /**
   * false: one sum, bias included, that the kernel leaves multiplied by 2^shift. true: each block's sum is divided by 2^shift and added in
   * int32, bias first; also with a single block, when it is the bias that does not fit.
   */
  readonly blocked: boolean;
}

/** An int8 layer: OHWI weights, bias and the zero point of its input. */
export interface WinogradLayer {
  readonly weights: Int8Array;
  readonly oc: number;
  readonly ic: number;
  readonly inputZeroPoint: number;
  readonly bias: Int32Array;
}

/** The largest magnitude of any sum of a layer, with its real weights, zero point and bias. */
export function largestSum({ weights, oc, inputZeroPoint: zeroPoint, bias }: WinogradLayer): number {
  return largestMagnitude(accumulatorRange(weights, oc, { zeroPoint, bias }));
}

/** Whether all channels can be summed at once: the exact rule, 2^shift |acc| < 2^31. @param largest as `largestSum` */
export function fitsOneBlock({ shift }: WinogradKernel, largest: number): boolean {
  return winogradSafe(largest, 2 ** shift);
}

/**
 * Decides how an algorithm sums a layer, so that 2^shift times every possible result fits int32: all channels at once if that holds, else
 * in blocks of the largest multiple of 8 channels for which it holds by the block's own worst case, without bias. A block of 8
 * always fits: the largest of 2^shift r^2 is 2^6 * 9, and 2^6 * 9 * 8 * 255 * 127 < 2^31.
 */
export function winogradBlocks(algorithm: WinogradKernel, layer: WinogradLayer): WinogradBlocks {
  const { weights, oc, ic, inputZeroPoint: zeroPoint } = layer;
  if (fitsOneBlock(algorithm, largestSum(layer))) return { channels: ic, blocked: false };
  const taps = algorithm.r ** 2;
  const reach = Math.max(127 - zeroPoint, zeroPoint + 128);
  /** Per input channel: the largest sum over its taps, over all output channels. */
  const worst = new Float64Array(ic);
  for (let c = 0; c < ic; c++) {
    for (let o = 0; o < oc; o++) {
      let sum = 0;
      for (let t = 0; t < taps; t++) sum += Math.abs(weights[(o * taps + t) * ic + c]!);
      worst[c] = Math.max(worst[c]!, sum * reach);
    }
  }
  const fits = (block: number): boolean => {
    for (let first = 0; first < ic; first += block) {
      const sum = worst.subarray(first, first + block).reduce((a, b) => a + b, 0);
      if (sum * 2 ** algorithm.shift >= 2 ** 31) return false;
    }
    return true;
  };
  let channels = Math.ceil(ic / 8) * 8;
  while (!fits(channels)) channels -= 8;
  return { channels: Math.min(channels, ic), blocked: true };
}
