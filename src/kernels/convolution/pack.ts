/** Filters in the order in which the direct kernels read them (OHWI in). */

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
