import type { FeatureMap } from "../network/description.ts";

type NumericArray = Int8Array | Uint8Array | Int32Array | Float32Array | Float64Array;

/** out[y*b+dy, x*b+dx, c] = in[y, x, (dy*b+dx)*C' + c] with C' = C / b^2 (TensorFlow's order); values are moved, not changed. */
export function depthToSpace<Data extends NumericArray>(
  { shape, data }: FeatureMap<Data>,
  block: number,
): FeatureMap<Data> {
  const [height, width, channels] = shape;
  const depth = channels / block ** 2;
  const moved = data.slice() as Data;
  let from = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let cell = 0; cell < block ** 2; cell++) {
        const oy = y * block + Math.floor(cell / block);
        const ox = x * block + (cell % block);
        for (let c = 0; c < depth; c++) moved[(oy * width * block + ox) * depth + c] = data[from++]!;
      }
    }
  }
  return { shape: [height * block, width * block, depth], data: moved };
}

/**
 * SESR x4 applies depth-to-space 2 twice. One depth-to-space 4 does the same when position k of its input takes channel
 * SESR_X4_CHANNELS[k]; a test derives it from the two steps.
 */
export const SESR_X4_CHANNELS: readonly number[] = [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15];
