import type { FeatureMap, Padding } from "../../src/network/description.ts";

/** A convolution written differently from the oracle's: the input is padded with explicit values first. One product at a time. */
export function naiveConvolution(
  { shape: [height, width, channels], data }: FeatureMap<ArrayLike<number>>,
  { shape: [out, kh, kw], weights }: { shape: readonly number[]; weights: ArrayLike<number> },
  { stride, padding, padValue = 0 }: { stride: number; padding: Padding; padValue?: number },
  multiplyAdd: (sum: number, x: number, w: number, o: number) => number,
): number[][] {
  const pads = (n: number, k: number): [number, number] => {
    if (padding === "valid") return [0, 0];
    const total = Math.max(0, (Math.ceil(n / stride) - 1) * stride + k - n);
    return [total >> 1, total - (total >> 1)];
  };
  const [top, bottom] = pads(height, kh!);
  const [left, right] = pads(width, kw!);
  const padded: number[][][] = [];
  for (let y = -top; y < height + bottom; y++) {
    const row: number[][] = [];
    for (let x = -left; x < width + right; x++) {
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      row.push(Array.from({ length: channels }, (_, c) => (inside ? data[(y * width + x) * channels + c]! : padValue)));
    }
    padded.push(row);
  }
  const pixels: number[][] = [];
  for (let y = 0; y + kh! <= padded.length; y += stride) {
    for (let x = 0; x + kw! <= padded[0]!.length; x += stride) {
      const pixel: number[] = [];
      for (let o = 0; o < out!; o++) {
        let sum = 0;
        for (let u = 0; u < kh!; u++) {
          for (let v = 0; v < kw!; v++) {
            for (let i = 0; i < channels; i++) {
              sum = multiplyAdd(sum, padded[y + u]![x + v]![i]!, weights[((o * kh! + u) * kw! + v) * channels + i]!, o);
            }
          }
        }
        pixel.push(sum);
      }
      pixels.push(pixel);
    }
  }
  return pixels;
}
