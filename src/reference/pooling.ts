/** Slow, plain forms of pooling and of the parameter-free shortcut. */
import type { FeatureMap } from "../network/description.ts";
import { requantize } from "../quantization/requantize.ts";
import type { OutputS8 } from "./elementwise.ts";

type RealArray = Float32Array | Float64Array;

/** Mean over all pixels, channel by channel, in float64 and rounded when stored: shape [1, 1, channels]. */
export function globalAverage<Result extends RealArray>(
  { shape: [height, width, channels], data }: FeatureMap<RealArray>,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const result = make(channels);
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let i = c; i < data.length; i += channels) sum += data[i]!;
    result[c] = sum / (height * width);
  }
  return { shape: [1, 1, channels], data: result };
}

/** int8 mean: acc = sum of (q - inputZeroPoint), requantised by multiplier = f32(inputScale / (outputScale * pixels)). */
export function globalAverageS8(
  { shape: [, , channels], data }: FeatureMap<Int8Array>,
  inputZeroPoint: number,
  multiplier: number,
  { zeroPoint, qmin, qmax }: OutputS8,
): FeatureMap<Int8Array> {
  const result = Int8Array.from({ length: channels }, (_, c) => {
    let acc = 0;
    for (let i = c; i < data.length; i += channels) acc += data[i]! - inputZeroPoint;
    return requantize(acc, multiplier, zeroPoint, qmin, qmax);
  });
  return { shape: [1, 1, channels], data: result };
}

/** Windows of a pooling layer: sizes and padding in pixels, [height, width] of the output. */
export interface PoolWindows {
  readonly kernel: readonly [height: number, width: number];
  readonly stride: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly output: readonly [height: number, width: number];
}

/** Maximum over each window's pixels inside the input; NaN wins, and a window without any gives the least value of the type. */
export function maxPool<Data extends RealArray | Int8Array>(
  { shape: [height, width, channels], data }: FeatureMap<Data>,
  { kernel: [kh, kw], stride, padTop, padLeft, output: [oh, ow] }: PoolWindows,
  make: (length: number) => Data,
): FeatureMap<Data> {
  const result = make(oh * ow * channels);
  const least = data instanceof Int8Array ? -128 : Number.NEGATIVE_INFINITY;
  for (let i = 0; i < result.length; i++) {
    const c = i % channels;
    const x = (Math.floor(i / channels) % ow) * stride - padLeft;
    const y = Math.floor(i / channels / ow) * stride - padTop;
    let most = least;
    for (let v = Math.max(0, y); v < Math.min(height, y + kh); v++) {
      for (let u = Math.max(0, x); u < Math.min(width, x + kw); u++) {
        most = Math.max(most, data[(v * width + u) * channels + c]!);
      }
    }
    result[i] = most;
  }
  return { shape: [oh, ow, channels], data: result };
}

/**
 * Every stride-th pixel, its channels from channel `before` on and `zero` in the others: option A of "Deep Residual Learning for Image
 * Recognition", arXiv 1512.03385, section 3.3. Real zero in int8 is the zero point.
 */
export function subsample<Data extends RealArray | Int8Array>(
  { shape: [height, width, inputs], data }: FeatureMap<Data>,
  { stride, channels, before, zero }: { stride: number; channels: number; before: number; zero: number },
  make: (length: number) => Data,
): FeatureMap<Data> {
  const [oh, ow] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const result = make(oh * ow * channels).fill(zero) as Data;
  for (let y = 0; y < oh; y++) {
    for (let x = 0; x < ow; x++) {
      const from = (y * width + x) * stride * inputs;
      result.set(data.subarray(from, from + inputs), (y * ow + x) * channels + before);
    }
  }
  return { shape: [oh, ow, channels], data: result };
}
