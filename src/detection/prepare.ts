/** A picture made ready for the detector: colours to ImageNet's mean and deviation, resized, padded. */
import { checkImage, type Image, type ImageInput, type Size } from "../image/types.ts";
import type { FeatureMap } from "../network/description.ts";
import { paddedSize, type ResizeRule, resizedSize, resizeRows } from "./resize.ts";

const f32 = Math.fround;

/** Mean and standard deviation of R, G, B in 0..1 over ImageNet, as torchvision has them. */
export const IMAGENET_MEAN: readonly [number, number, number] = [0.485, 0.456, 0.406];
export const IMAGENET_DEVIATION: readonly [number, number, number] = [0.229, 0.224, 0.225];

export interface PreparedPicture {
  /** [height, width, 3], both sides multiples of 32; padding is 0, the mean colour. */
  readonly input: FeatureMap<Float32Array>;
  /** The part that is not padding. */
  readonly resized: Size;
  readonly original: Size;
}

/**
 * Normalises, resizes and pads, in this order. Grey is taken as R = G = B; alpha is not looked at. Beside the result it holds two rows.
 * @throws WasmogradError ERR_ARGUMENT, ERR_SHAPE for what is no picture, has no pixels or is too narrow
 */
export function preparePicture(picture: ImageInput, rule: ResizeRule = {}): PreparedPicture {
  const image = checkImage(picture);
  const { width, height } = image;
  const resized = resizedSize(image, rule);
  const read = normalisedRows(image);
  const input = resizeRows({ width, height, channels: 3, read }, resized, paddedSize(resized));
  return { input, resized, original: { width, height } };
}

/** Row y of a picture as R, G, B, each (sample / limit - mean) / deviation in f32. */
function normalisedRows({ width, channels, depth, data }: Image): (y: number, into: Float32Array) => void {
  const limit = 2 ** depth - 1;
  const [r, g, b] = [0, 1, 2].map((c) => {
    const mean = f32(IMAGENET_MEAN[c]!);
    const deviation = f32(IMAGENET_DEVIATION[c]!);
    return Float32Array.from({ length: limit + 1 }, (_, v) => f32(f32(v / limit) - mean) / deviation);
  }) as [Float32Array, Float32Array, Float32Array];
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  return (y, into) => {
    for (let x = 0, from = y * width * channels, at = 0; x < width; x++, from += channels, at += 3) {
      into[at] = r[data[from]!]!;
      into[at + 1] = g[data[from + green]!]!;
      into[at + 2] = b[data[from + blue]!]!;
    }
  };
}
