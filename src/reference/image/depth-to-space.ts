/**
 * Oracle of depth-to-space, TensorFlow's order (sesr.md section 1.1):
 * out[y*block + dy, x*block + dx, c] = input[y, x, (dy*block + dx)*C' + c], C' = channels / block^2.
 * @param input  NHWC [height, width, channels]
 * @returns [height * block, width * block, C']
 */
export function depthToSpace<T extends number>(
  input: ArrayLike<T>,
  height: number,
  width: number,
  channels: number,
  block: number,
): T[] {
  const depth = channels / (block * block);
  const output = new Array<T>(height * width * channels);
  for (let y = 0; y < height * block; y++) {
    for (let x = 0; x < width * block; x++) {
      const pixel = (Math.floor(y / block) * width + Math.floor(x / block)) * channels;
      const group = ((y % block) * block + (x % block)) * depth;
      for (let c = 0; c < depth; c++) output[(y * width * block + x) * depth + c] = input[pixel + group + c]!;
    }
  }
  return output;
}

/**
 * SESR x4 applies depth-to-space(2) twice. One depth-to-space(4) does the same when position k of its input takes
 * channel SESR_X4_CHANNELS[k] (sesr.md section 1.1); a test derives it from the two steps.
 */
export const SESR_X4_CHANNELS: readonly number[] = [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15];
