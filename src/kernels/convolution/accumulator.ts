/**
 * Exactness of int8 convolutions (winograd.md section 5, rule 1): the largest accumulator that a real filter can produce, and how many
 * channels a Winograd kernel may sum before 16 times the result leaves int32.
 */

const LIMIT = 2 ** 31;

/**
 * Largest |sum over i of (x - zeroPoint) w + bias| of each output channel over all int8 inputs x, for `oc` filters of equal length.
 */
export function accumulatorBounds(
  weights: Int8Array,
  oc: number,
  inputZeroPoint: number,
  bias?: ArrayLike<number>,
): Float64Array {
  const length = weights.length / oc;
  const up = 127 - inputZeroPoint;
  const down = -128 - inputZeroPoint;
  const bounds = new Float64Array(oc);
  for (let o = 0; o < oc; o++) {
    let high = bias?.[o] ?? 0;
    let low = high;
    for (let k = 0; k < length; k++) {
      const w = weights[o * length + k]!;
      high += w * (w > 0 ? up : down);
      low += w * (w > 0 ? down : up);
    }
    bounds[o] = Math.max(Math.abs(high), Math.abs(low));
  }
  return bounds;
}

/**
 * Channels that F(4x4,3x3) may sum at once with these int8 OHWI weights, so that 16 |acc| < 2^31 for every input and output channel: all of
 * `ic` if they fit, else the largest multiple of 8 for which every block does. A block of 8 always fits: 16 * 8 * 9 * 255 * 127 < 2^31.
 */
export function winogradBlockChannels(
  weights: Int8Array,
  oc: number,
  ic: number,
  inputZeroPoint: number,
  bias: ArrayLike<number>,
  scale = 16,
): number {
  if (accumulatorBounds(weights, oc, inputZeroPoint, bias).every((b) => b * scale < LIMIT)) return ic;
  // Bound per channel of the input and output: the worst tile of a block is the sum of its channels' worst cases.
  const up = 127 - inputZeroPoint;
  const down = -128 - inputZeroPoint;
  const reach = Math.max(Math.abs(up), Math.abs(down));
  const channel = new Float64Array(ic);
  for (let c = 0; c < ic; c++) {
    for (let o = 0; o < oc; o++) {
      let sum = 0;
      for (let t = 0; t < 9; t++) sum += Math.abs(weights[(o * 9 + t) * ic + c]!);
      channel[c] = Math.max(channel[c]!, sum * reach);
    }
  }
  for (let block = Math.floor((ic - 1) / 8) * 8; block > 8; block -= 8) {
    let fits = true;
    for (let first = 0; first < ic && fits; first += block) {
      let sum = 0;
      for (let c = first; c < Math.min(ic, first + block); c++) sum += channel[c]!;
      fits = sum * scale < LIMIT;
    }
    if (fits) return block;
  }
  return 8;
}
