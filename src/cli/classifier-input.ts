/** A picture as a classifier wants it. */
import { resize } from "../image/resize.ts";
import type { Image } from "../image/types.ts";
import type { FeatureMap } from "../network/description.ts";

/** Mean and standard deviation of ImageNet's RGB in 0..1, which the networks here are trained with. */
const MEAN = [0.485, 0.456, 0.406] as const;
const DEVIATION = [0.229, 0.224, 0.225] as const;

/** Of the short side, what the evaluation of ImageNet networks keeps (224 of 256). */
const CROP = 224 / 256;

/** The centre of the picture at the network's size: a picture of that size already stays as it is. */
async function fitted(image: Image, [height, width]: readonly [number, number]): Promise<Image> {
  if (image.height === height && image.width === width) return image;
  const scale = Math.max(height / image.height, width / image.width) / CROP;
  const size = { height: Math.round(image.height * scale), width: Math.round(image.width * scale) };
  const whole = await resize(image, size);
  const [top, left] = [Math.floor((size.height - height) / 2), Math.floor((size.width - width) / 2)];
  const { channels } = whole;
  const data = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * size.width + left) * channels;
    data.set(whole.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { ...whole, width, height, data };
}

/** RGB, (value / 255 - mean) / deviation; grey counts as three equal channels, alpha is left out. */
export async function classifierInput(
  image: Image,
  size: readonly [height: number, width: number],
): Promise<FeatureMap<Float32Array>> {
  const { data, channels, depth } = await fitted(image, size);
  const [height, width] = size;
  const largest = 2 ** depth - 1;
  const values = new Float32Array(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      const value = data[i * channels + (channels < 3 ? 0 : c)]! / largest;
      values[3 * i + c] = (value - MEAN[c]!) / DEVIATION[c]!;
    }
  }
  return { shape: [height, width, 3], data: values };
}
