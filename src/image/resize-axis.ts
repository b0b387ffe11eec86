/**
 * The taps of one axis of a bicubic resize (Keys, a = -0.5) exactly as MATLAB's imresize places and normalises them:
 * centres aligned by the outer edges, kernel stretched for downscaling. src/reference/image/imresize.ts is the plain
 * twin.
 */

/**
 * What lies beyond the picture: "symmetric" mirrors it, edge sample included (MATLAB today); "replicate" repeats the
 * edge sample (MATLAB until about 2015, with which the stored low-resolution pictures of Set5 and Set14 agree in every
 * sample).
 */
export type Border = "symmetric" | "replicate";

export interface ResizeAxis {
  readonly inLength: number;
  readonly outLength: number;
  readonly scale: number;
  /** Taps per output sample; unused ones have weight 0. */
  readonly taps: number;
  /** [outLength][taps], 0-based, inside the input. */
  readonly indices: Int32Array;
  /** [outLength][taps], each row sums to 1 before the rounding to f32. */
  readonly weights: Float32Array;
}

function cubic(x: number): number {
  const a = Math.abs(x);
  if (a <= 1) return 1.5 * a ** 3 - 2.5 * a ** 2 + 1;
  return a <= 2 ? -0.5 * a ** 3 + 2.5 * a ** 2 - 4 * a + 2 : 0;
}

/** @param scale  output samples per input sample; differs from outLength / inLength when the output size was rounded */
export function resizeAxis(
  inLength: number,
  outLength: number,
  scale = outLength / inLength,
  border: Border = "symmetric",
): ResizeAxis {
  const inside = border === "symmetric" ? mirror : clamp;
  const stretch = Math.min(scale, 1);
  const width = 4 / stretch;
  const span = Math.ceil(width) + 2;
  const starts = new Float64Array(outLength);
  const rows = new Float64Array(outLength * span);
  let taps = 1;
  for (let x = 0; x < outLength; x++) {
    const u = (x + 1) / scale + 0.5 * (1 - 1 / scale); // 1-based, in MATLAB's order of operations: the same double
    const left = Math.floor(u - width / 2);
    const row = rows.subarray(x * span, (x + 1) * span);
    let sum = 0;
    for (let k = 0; k < span; k++) {
      row[k] = stretch * cubic(stretch * (u - (left + k)));
      sum += row[k]!;
    }
    for (let k = 0; k < span; k++) row[k]! /= sum;
    // Weights outside the kernel are exactly 0: drop those before the first and, by the common width, those behind the
    // last.
    const first = row.findIndex((weight) => weight !== 0);
    taps = Math.max(taps, row.findLastIndex((weight) => weight !== 0) - first + 1);
    row.copyWithin(0, first);
    row.fill(0, span - first);
    starts[x] = left + first - 1;
  }

  const indices = new Int32Array(outLength * taps);
  const weights = new Float32Array(outLength * taps);
  for (let x = 0; x < outLength; x++) {
    for (let k = 0; k < taps; k++) {
      const weight = rows[x * span + k]!;
      weights[x * taps + k] = weight;
      // A tap without weight repeats its neighbour, so that it never asks for more of the input.
      indices[x * taps + k] = weight === 0 && k > 0 ? indices[x * taps + k - 1]! : inside(starts[x]! + k, inLength);
    }
  }
  return { inLength, outLength, scale, taps, indices, weights };
}

/** ... 1 0 | 0 1 ... n-1 | n-1 n-2 ... */
function mirror(position: number, length: number): number {
  const period = 2 * length;
  const at = ((position % period) + period) % period;
  return at < length ? at : period - 1 - at;
}

function clamp(position: number, length: number): number {
  return Math.min(Math.max(position, 0), length - 1);
}

/** The inputs [begin, end) that outputs [from, to) need. */
export function inputRange(axis: ResizeAxis, from: number, to: number): { begin: number; end: number } {
  let begin = axis.inLength;
  let end = 0;
  for (const index of axis.indices.subarray(from * axis.taps, to * axis.taps)) {
    if (index < begin) begin = index;
    if (index >= end) end = index + 1;
  }
  return { begin, end };
}
