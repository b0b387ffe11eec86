/** Operators of classification networks on feature maps, slow and readable; any array of numbers unless said. */
import { convAxis } from "../conv-axis.ts";
import type {
  Conv2dTransposeLayer,
  FeatureMap,
  MaxPoolLayer,
  Shape,
  SubsampleLayer,
  Weight,
} from "../network/description.ts";

type RealArray = Float32Array | Float64Array;
type Values = RealArray | Int8Array;
type Make<Result> = (length: number) => Result;

/** (x - mean) / sqrt(variance + epsilon) * scale[c] + offset[c], mean and variance over the channels of each pixel. */
export function layerNorm<Result extends RealArray>(
  { shape, data }: FeatureMap<Result>,
  { scale, offset, epsilon }: { scale: RealArray; offset: RealArray; epsilon: number },
  make: Make<Result>,
): FeatureMap<Result> {
  const channels = shape[2];
  const result = make(data.length);
  for (let pixel = 0; pixel < data.length; pixel += channels) {
    let mean = 0;
    for (let c = 0; c < channels; c++) mean += data[pixel + c]! / channels;
    let variance = 0;
    for (let c = 0; c < channels; c++) variance += (data[pixel + c]! - mean) ** 2 / channels;
    const factor = 1 / Math.sqrt(variance + epsilon);
    for (let c = 0; c < channels; c++) result[pixel + c] = (data[pixel + c]! - mean) * factor * scale[c]! + offset[c]!;
  }
  return { shape, data: result };
}

/** The mean of each channel over all pixels. */
export function globalAverage<Result extends RealArray>(
  { shape: [height, width, channels], data }: FeatureMap<Result>,
  make: Make<Result>,
): FeatureMap<Result> {
  const sums = new Float64Array(channels);
  for (let i = 0; i < data.length; i++) sums[i % channels]! += data[i]!;
  const result = make(channels);
  for (let c = 0; c < channels; c++) result[c] = sums[c]! / (height * width);
  return { shape: [1, 1, channels], data: result };
}

/** The largest value of each window, what lies in the padding left out. */
export function maxPool<Data extends Values>(
  { shape: [height, width, channels], data }: FeatureMap<Data>,
  { kernel: [kh, kw], stride, padding }: Pick<MaxPoolLayer, "kernel" | "stride" | "padding">,
  make: Make<Data>,
): FeatureMap<Data> {
  const vertical = convAxis(height, kh, stride, padding);
  const horizontal = convAxis(width, kw, stride, padding);
  const result = make(vertical.size * horizontal.size * channels);
  result.fill(Number.NEGATIVE_INFINITY);
  if (result instanceof Int8Array) result.fill(-128);
  let to = 0;
  for (let oy = 0; oy < vertical.size; oy++) {
    for (let ox = 0; ox < horizontal.size; ox++, to += channels) {
      for (let u = 0; u < kh; u++) {
        for (let v = 0; v < kw; v++) {
          const y = oy * stride - vertical.padBefore + u;
          const x = ox * stride - horizontal.padBefore + v;
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          const from = (y * width + x) * channels;
          for (let c = 0; c < channels; c++) result[to + c] = Math.max(result[to + c]!, data[from + c]!);
        }
      }
    }
  }
  return { shape: [vertical.size, horizontal.size, channels], data: result };
}

/** Every stride-th pixel, its channels behind `before` others; those hold `zero`. */
export function subsample<Data extends Values>(
  { shape: [height, width, inputs], data }: FeatureMap<Data>,
  { stride, channels, before }: Pick<SubsampleLayer, "stride" | "channels" | "before">,
  make: Make<Data>,
  zero = 0,
): FeatureMap<Data> {
  const shape: Shape = [Math.ceil(height / stride), Math.ceil(width / stride), channels];
  const result = make(shape[0] * shape[1] * channels);
  result.fill(zero);
  for (let y = 0; y < shape[0]; y++) {
    for (let x = 0; x < shape[1]; x++) {
      const from = (y * stride * width + x * stride) * inputs;
      result.set(data.subarray(from, from + inputs), (y * shape[1] + x) * channels + before);
    }
  }
  return { shape, data: result };
}

/** Each output gathers the inputs whose kernel reaches it. */
export function conv2dTranspose<Result extends RealArray>(
  { shape: [height, width, inputs], data }: FeatureMap<Result>,
  { kernel: [kh, kw], stride, channels }: Pick<Conv2dTransposeLayer, "kernel" | "stride" | "channels">,
  weights: Weight,
  bias: Float32Array | undefined,
  make: Make<Result>,
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
