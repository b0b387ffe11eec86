import { accumulatorRange, COMPLEX_F4X4_SCALE, winogradSafe } from "../../quantization/accumulator.ts";

/** How a Winograd kernel sums over the input channels. */
export interface WinogradBlocks {
  /** Channels summed at once: ic, or a multiple of 8. */
  readonly channels: number;
  /**
   * false: one sum, bias included, that the kernel leaves multiplied by 16. true: each block's sum is divided by 16 and added in
   * int32, bias last; also with a single block, when it is the bias that does not fit.
   */
  readonly blocked: boolean;
}

/**
 * Decides how complex F(4x4,3x3) sums with these int8 OHWI weights, so that 16 times every possible result fits int32: all of `ic` at once
 * if that holds (the exact rule, from the real weights, zero point and bias), else in blocks of the largest multiple of 8 channels for
 * which it holds by the block's own worst case, without bias. A block of 8 always fits: 16 * 8 * 9 * 255 * 127 < 2^31.
 */
export function winogradBlocks(
  weights: Int8Array,
  oc: number,
  ic: number,
  zeroPoint: number,
  bias: Int32Array,
): WinogradBlocks {
  if (winogradSafe(accumulatorRange(weights, oc, { zeroPoint, bias }))) return { channels: ic, blocked: false };
  const reach = Math.max(127 - zeroPoint, zeroPoint + 128);
  /** Per input channel: the largest sum over its nine taps, over all output channels. */
  const worst = new Float64Array(ic);
  for (let c = 0; c < ic; c++) {
    for (let o = 0; o < oc; o++) {
      let sum = 0;
      for (let t = 0; t < 9; t++) sum += Math.abs(weights[(o * 9 + t) * ic + c]!);
      worst[c] = Math.max(worst[c]!, sum * reach);
    }
  }
  const fits = (block: number): boolean => {
    for (let first = 0; first < ic; first += block) {
      const sum = worst.subarray(first, first + block).reduce((a, b) => a + b, 0);
      if (sum * COMPLEX_F4X4_SCALE >= 2 ** 31) return false;
    }
    return true;
  };
  let channels = Math.ceil(ic / 8) * 8;
  while (!fits(channels)) channels -= 8;
  return { channels: Math.min(channels, ic), blocked: true };
}
