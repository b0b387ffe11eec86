/** The positions of XCiT, computed: see FourierPositionsLayer. */

/** Sine (even i) or cosine (odd i) of coordinate `at` of `length` in channel i of `half`. */
export function fourierPosition(at: number, length: number, i: number, half: number): number {
  const position = ((at + 1) / (length + 1e-6)) * 2 * Math.PI;
  const angle = position / 10000 ** ((2 * Math.floor(i / 2)) / half);
  return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
}

/** [h, w, channels] in float64: the first half of the channels tells y, the second x. */
export function fourierPositions([height, width]: readonly [number, number], channels: number): Float64Array {
  const half = channels / 2;
  const result = new Float64Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let i = 0; i < half; i++) {
        const to = (y * width + x) * channels + i;
        result[to] = fourierPosition(y, height, i, half);
        result[to + half] = fourierPosition(x, width, i, half);
      }
    }
  }
  return result;
}
