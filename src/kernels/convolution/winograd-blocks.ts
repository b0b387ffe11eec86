import { accumulatorRange, COMPLEX_F4X4_SCALE, winogradSafe } from "../../quantization/accumulator.ts";

/**
 * Input channels that complex F(4x4,3x3) may sum at once with these int8 OHWI weights, so that 16 times every possible result fits int32:
 * all of `ic` if they do together (the exact rule, from the real weights, zero point and bias), else the largest multiple of 8 for
 * which each block of channels does by its own worst case. A block of 8 always fits: 16 * 8 * 9 * 255 * 127 < 2^31.
 */
export function winogradBlockChannels(
  weights: Int8Array,
  oc: number,
  ic: number,
  zeroPoint: number,
  bias: Int32Array,
): number {
  if (winogradSafe(accumulatorRange(weights, oc, { zeroPoint, bias }))) return ic;
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
  let block = Math.floor((ic - 1) / 8) * 8;
  while (block > 8 && !fits(block)) block -= 8;
  return Math.max(8, block);
}
