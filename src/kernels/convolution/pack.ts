/** Filters in the order in which the direct and depthwise kernels read them (OHWI in). */

export const roundUp = (x: number, multiple: number): number => Math.ceil(x / multiple) * multiple;

/**
 * int8 OHWI -> int16 [oc/lanes][kh][K2][lanes][2], K2 = ceil(kw*ic / 2): consecutive values of the flattened (v, i) row in pairs, an odd
 * row and missing output channels zero-padded.
 */
export function packDirectS8(
  weights: Int8Array,
  oc: number,
  kh: number,
  rowLength: number,
  lanes: number,
): Int16Array<ArrayBuffer> {
  const pairs = Math.ceil(rowLength / 2);
  const packed = new Int16Array(roundUp(oc, lanes) * kh * pairs * 2);
  for (let o = 0; o < oc; o++) {
    const block = Math.floor(o / lanes) * kh * pairs * lanes * 2;
    for (let u = 0; u < kh; u++) {
      for (let k = 0; k < rowLength; k++) {
        const to = block + ((u * pairs + (k >> 1)) * lanes + (o % lanes)) * 2 + (k & 1);
        packed[to] = weights[(o * kh + u) * rowLength + k]!;
      }
    }
  }
  return packed;
}

/** f32 OHWI -> f32 [oc/lanes][kh][kw*ic][lanes], missing output channels zero-padded. */
export function packDirectF32(
  weights: Float32Array,
  oc: number,
  kh: number,
  rowLength: number,
  lanes: number,
): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(roundUp(oc, lanes) * kh * rowLength);
  for (let o = 0; o < oc; o++) {
    const block = Math.floor(o / lanes) * kh * rowLength * lanes;
    for (let k = 0; k < kh * rowLength; k++) {
      packed[block + k * lanes + (o % lanes)] = weights[o * kh * rowLength + k]!;
    }
  }
  return packed;
}

/** Pairs of input rows that two neighbouring output rows cover. */
export const depthwisePairs = (kh: number, stride: number): number => Math.ceil((kh + stride) / 2);

/** Channels of a depthwise tile. */
const DEPTHWISE_LANES = 4;

/**
 * int8 [channels][kh][kw] -> int16 [channels/4][kw][pairs][2][4 channels][2]: the taps that an output row and the row below it, `stride` input
 * rows further down, have in each pair of the input rows that both cover; zero where a row has none.
 */
export function packDepthwiseS8(
  weights: Int8Array,
  channels: number,
  kh: number,
  kw: number,
  stride: number,
): Int16Array<ArrayBuffer> {
  const pairs = depthwisePairs(kh, stride);
  const packed = new Int16Array(roundUp(channels, DEPTHWISE_LANES) * kw * pairs * 4);
  for (let c = 0; c < channels; c++) {
    const block = Math.floor(c / DEPTHWISE_LANES) * kw;
    for (let u = 0; u < kh; u++) {
      for (let v = 0; v < kw; v++) {
        for (const below of [0, 1]) {
          const row = u + below * stride;
          const vector = ((block + v) * pairs + (row >> 1)) * 2 + below;
          packed[(vector * DEPTHWISE_LANES + (c % DEPTHWISE_LANES)) * 2 + (row & 1)] = weights[(c * kh + u) * kw + v]!;
        }
      }
    }
  }
  return packed;
}

/** f32 [channels][kh][kw] -> f32 [channels/4][kh][kw][4 channels], missing channels zero-padded. */
export function packDepthwiseF32(weights: Float32Array, channels: number, taps: number): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(roundUp(channels, DEPTHWISE_LANES) * taps);
  for (let c = 0; c < channels; c++) {
    const block = Math.floor(c / DEPTHWISE_LANES) * taps;
    for (let t = 0; t < taps; t++) {
      packed[(block + t) * DEPTHWISE_LANES + (c % DEPTHWISE_LANES)] = weights[c * taps + t]!;
    }
  }
  return packed;
}
