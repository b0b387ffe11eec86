import type { Conv2dTransposeLayer, FeatureMap, RealWeight, Shape } from "../network/description.ts";

/** Transposed convolution of real values, tap by tap and summed in float64: each input spreads its kernel over the output. */
export function conv2dTranspose<Result extends Float32Array | Float64Array>(
  { shape: [height, width, inputs], data }: FeatureMap<Result>,
  { kernel: [kh, kw], stride, channels }: Pick<Conv2dTransposeLayer, "kernel" | "stride" | "channels">,
  weights: RealWeight,
  bias: Float32Array | Float64Array | undefined,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const shape: Shape = [height * stride, width * stride, channels];
  const sums = new Float64Array(shape[0] * shape[1] * channels);
  // Input (y, x) times tap (u, v) lands at (y * stride + u, x * stride + v) less what lies before its place.
  const [top, left] = [kh, kw].map((k) => Math.max(0, Math.floor((k - stride) / 2))) as [number, number];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let u = 0; u < kh; u++) {
        for (let v = 0; v < kw; v++) {
          const [oy, ox] = [y * stride + u - top, x * stride + v - left];
          if (oy < 0 || oy >= shape[0] || ox < 0 || ox >= shape[1]) continue;
          for (let o = 0; o < channels; o++) {
            const at = ((o * kh + u) * kw + v) * inputs;
            let sum = 0;
            for (let i = 0; i < inputs; i++) sum += data[(y * width + x) * inputs + i]! * weights.data[at + i]!;
            sums[(oy * shape[1] + ox) * channels + o]! += sum;
          }
        }
      }
    }
  }
  const result = make(sums.length);
  for (let i = 0; i < sums.length; i++) result[i] = sums[i]! + (bias?.[i % channels] ?? 0);
  return { shape, data: result };
}
