/**
 * Oracle of the bicubic resize: MATLAB's imresize, written as its documentation and published descriptions state it.
 * Sizes and indices are 1-based inside, as there. Slow and plain on purpose.
 */

/** Keys' cubic convolution kernel with a = -0.5; zero for |x| > 2. */
export function cubic(x: number): number {
  const a = Math.abs(x);
  if (a <= 1) return 1.5 * a ** 3 - 2.5 * a ** 2 + 1;
  if (a <= 2) return -0.5 * a ** 3 + 2.5 * a ** 2 - 4 * a + 2;
  return 0;
}

/** For each output sample the input samples (0-based) and their weights, which sum to 1. */
export function contributions(
  inLength: number,
  outLength: number,
  scale: number,
  border: "symmetric" | "replicate" = "symmetric",
): { indices: number[]; weights: number[] }[] {
  // Antialiasing: for downscaling the kernel is stretched by 1 / scale.
  const stretch = Math.min(scale, 1);
  const kernelWidth = 4 / stretch;
  const taps = Math.ceil(kernelWidth) + 2;
  const result = [];
  for (let x = 1; x <= outLength; x++) {
    // The centre of output sample x in input coordinates, such that 0.5 maps to 0.5 (the outer edges coincide).
    const u = x / scale + 0.5 * (1 - 1 / scale);
    const left = Math.floor(u - kernelWidth / 2);
    const positions = Array.from({ length: taps }, (_, k) => left + k);
    const weights = positions.map((position) => stretch * cubic(stretch * (u - position)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    result.push({
      indices: positions.map((position) => {
        // 1-based in, 0-based out. Older MATLAB repeats the edge sample, newer mirrors the picture.
        return border === "symmetric" ? mirror(position, inLength) : Math.min(Math.max(position, 1), inLength) - 1;
      }),
      weights: weights.map((weight) => weight / sum),
    });
  }
  return result;
}

/** Symmetric border: ... 2 1 | 1 2 3 ... n | n n-1 ...; 1-based in, 0-based out. */
function mirror(position: number, length: number): number {
  const period = 2 * length;
  const at = (((position - 1) % period) + period) % period;
  return at < length ? at : period - 1 - at;
}

export interface ImresizeOptions {
  /** Scale per axis; output / input by default. */
  scale?: { vertical: number; horizontal: number };
  border?: "symmetric" | "replicate";
  /**
   * Rounds (halves up) and clips to [0, limit] after each pass, as MATLAB does for integer classes; 0 (default): not at
   * all.
   */
  limit?: number;
  /**
   * "f32" rounds weights and every operation to binary32, in the order of the taps: the bit-exact twin of the kernels.
   */
  arithmetic?: "f64" | "f32";
}

/** One channel, row-major [height, width] -> [outHeight, outWidth]. */
export function imresize(
  input: ArrayLike<number>,
  [height, width]: readonly [number, number],
  [outHeight, outWidth]: readonly [number, number],
  { scale, border, limit = 0, arithmetic = "f64" }: ImresizeOptions = {},
): Float64Array {
  const vertical = scale?.vertical ?? outHeight / height;
  const horizontal = scale?.horizontal ?? outWidth / width;
  const round = arithmetic === "f32" ? Math.fround : (x: number) => x;
  const finish = (sum: number) => (limit > 0 ? Math.floor(round(Math.min(Math.max(sum, 0), limit) + 0.5)) : sum);
  const combine = (indices: number[], weights: number[], sample: (index: number) => number) => {
    let sum = 0;
    for (let k = 0; k < indices.length; k++) sum = round(sum + round(round(weights[k]!) * sample(indices[k]!)));
    return finish(sum);
  };

  const resizeRows = (data: ArrayLike<number>, columns: number) => {
    const output = new Float64Array(outHeight * columns);
    for (const [y, { indices, weights }] of contributions(height, outHeight, vertical, border).entries()) {
      for (let x = 0; x < columns; x++) {
        output[y * columns + x] = combine(indices, weights, (index) => data[index * columns + x]!);
      }
    }
    return output;
  };
  const resizeColumns = (data: ArrayLike<number>, rows: number) => {
    const output = new Float64Array(rows * outWidth);
    for (const [x, { indices, weights }] of contributions(width, outWidth, horizontal, border).entries()) {
      for (let y = 0; y < rows; y++) {
        output[y * outWidth + x] = combine(indices, weights, (index) => data[y * width + index]!);
      }
    }
    return output;
  };

  // The dimension with the smaller scale goes first, rows (height) on a tie.
  if (vertical <= horizontal) return resizeColumns(resizeRows(input, width), outHeight);
  return resizeRows(resizeColumns(input, height), outWidth);
}
