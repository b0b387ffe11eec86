/**
 * The positions of XCiT, computed: see FourierPositionsLayer. By series of sums and products, each rounded once, since Math.sin, Math.cos and
 * powers are left to the engine's liking: int8 networks are to give the same bits everywhere.
 */

/** sum of x^k / k! for x from 0 to 10: all terms have one sign. */
function exponential(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 2 ** -55; k++) {
    term *= x / k;
    sum += term;
  }
  return sum;
}

/** x^n / n! - x^(n + 2) / (n + 2)! + ...: cosine for n = 0, sine for n = 1. For |x| up to pi no term reaches 6: errors stay below 1e-14. */
function wave(x: number, n: 0 | 1): number {
  let term = n === 0 ? 1 : x;
  let sum = term;
  // By x^64 / 64! nothing is left that a sum could hold.
  for (let k = n; k < 64; k += 2) {
    term *= -(x * x) / ((k + 1) * (k + 2));
    sum += term;
  }
  return sum;
}

const LOG_10000 = 9.210340371976184;

/** Sine (even i) or cosine (odd i) of coordinate `at` of `length` in channel i of `half`. */
export function fourierPosition(at: number, length: number, i: number, half: number): number {
  const position = ((at + 1) / (length + 1e-6)) * 2 * Math.PI;
  const angle = position / exponential(((2 * Math.floor(i / 2)) / half) * LOG_10000);
  return wave(angle > Math.PI ? angle - 2 * Math.PI : angle, i % 2 === 0 ? 1 : 0);
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
