import type { FeatureMap } from "../network/description.ts";
import { requantize } from "../quantization/requantize.ts";
import { convShape, type FilterShape, forEachWindow, type WindowOptions } from "./windows.ts";

/** An int8 filter, OHWI, -128..127. */
export interface FilterS8 {
  readonly shape: FilterShape;
  readonly weights: Int8Array;
}

export interface AccumulateOptions extends WindowOptions {
  readonly inputZeroPoint: number;
  /** [out], without any zero-point correction; absent means zero. */
  readonly bias?: Int32Array;
}

export interface ConvS8Options extends AccumulateOptions {
  /** Per output channel, binary32 values. */
  readonly multipliers: Float32Array;
  /** For accumulators below zero; absent means `multipliers`. */
  readonly negativeMultipliers?: Float32Array;
  readonly outputZeroPoint: number;
  readonly qmin: number;
  readonly qmax: number;
  readonly residual?: ResidualS8;
}

export interface ResidualS8 {
  /** Of the output's shape, or of one channel that is broadcast. */
  readonly map: FeatureMap<Int8Array>;
  readonly zeroPoint: number;
  /** Per output channel, binary32 values. */
  readonly multipliers: Float32Array;
}

/** start + sum of x[from + j * step] * w[at + j] over j < count, modulo 2^32: every step wraps as int32 does. */
function dot(
  start: number,
  x: Int16Array,
  from: number,
  w: Int8Array,
  at: number,
  { step, count }: { readonly step: number; readonly count: number },
): number {
  let sum = start;
  for (let j = 0; j < count; j++) sum = (sum + Math.imul(x[from + j * step]!, w[at + j]!)) | 0;
  return sum;
}

/**
 * acc[o] = bias[o] + sum_{u,v,i} (x[u,v,i] - inputZeroPoint) * w[o,u,v,i] modulo 2^32, as int32; padding is real zero and adds nothing.
 * Depthwise, i is o and w has one input channel.
 */
export function accumulateS8(
  input: FeatureMap<Int8Array>,
  filter: FilterS8,
  options: AccumulateOptions,
): FeatureMap<Int32Array> {
  const { inputZeroPoint, bias } = options;
  const [out, kh, kw, inputs] = filter.shape;
  const centred = Int16Array.from(input.data, (q) => q - inputZeroPoint);
  const perChannel = kh * kw * inputs;
  const shape = convShape(input.shape, filter.shape, options);
  const data = new Int32Array(shape[0] * shape[1] * out);
  forEachWindow(input.shape, filter.shape, options, (pixel, rows) => {
    for (let o = 0; o < out; o++) {
      let sum = bias ? bias[o]! : 0;
      const channel = options.depthwise ? o : 0;
      for (const row of rows)
        sum = dot(sum, centred, row.input + channel, filter.weights, o * perChannel + row.filter, row);
      data[pixel * out + o] = sum;
    }
  });
  return { shape, data };
}

/** The int8 convolution that every kernel equals bit for bit: `accumulateS8`, then `requantize` with the fused residual. */
export function conv2dS8(
  input: FeatureMap<Int8Array>,
  filter: FilterS8,
  options: ConvS8Options,
): FeatureMap<Int8Array> {
  return finishS8(accumulateS8(input, filter, options), options);
}

/** int32 sums -> int8: `requantize` with the fused residual. */
export function finishS8(
  { shape, data: sums }: FeatureMap<Int32Array>,
  options: Omit<ConvS8Options, keyof AccumulateOptions>,
): FeatureMap<Int8Array> {
  const { multipliers, negativeMultipliers = multipliers, outputZeroPoint, qmin, qmax, residual } = options;
  const channels = shape[2];
  const data = new Int8Array(sums.length);
  const broadcast = residual?.map.shape[2] === 1;
  for (let i = 0; i < data.length; i++) {
    const sum = sums[i]!;
    const c = i % channels;
    const multiplier = sum < 0 ? negativeMultipliers[c]! : multipliers[c]!;
    if (residual) {
      const other = residual.map.data[broadcast ? (i - c) / channels : i]! - residual.zeroPoint;
      data[i] = requantize(sum, multiplier, outputZeroPoint, qmin, qmax, other, residual.multipliers[c]!);
    } else {
      data[i] = requantize(sum, multiplier, outputZeroPoint, qmin, qmax);
    }
  }
  return { shape, data };
}

export interface ConvS8RealOptions extends AccumulateOptions {
  /** Per output channel, binary32 values. */
  readonly multipliers: Float32Array;
  /** For accumulators below zero; absent means `multipliers`. */
  readonly negativeMultipliers?: Float32Array;
  /** Limits of the output, binary32. */
  readonly minimum: number;
  readonly maximum: number;
  /** Of the output's shape, or of one channel that is broadcast. */
  readonly residual?: FeatureMap<Float32Array>;
}

/** What `requantize` adds of an int8 residual, f32((r - zeroPoint) * multiplier), of all channels. */
export function scaledResidual({ map, zeroPoint, multipliers }: ResidualS8): FeatureMap<Float32Array> {
  const channels = multipliers.length;
  const broadcast = map.shape[2] === 1;
  const [h, w] = map.shape;
  const data = Float32Array.from({ length: h * w * channels }, (_, i) => {
    const c = i % channels;
    return (map.data[broadcast ? (i - c) / channels : i]! - zeroPoint) * multipliers[c]!;
  });
  return { shape: [h, w, channels], data };
}

/** An int8 convolution whose output stays real: `accumulateS8`, then f32(f32(f32(acc) * multiplier) + residual) within the limits; NaN stays. */
export function conv2dS8Real(
  input: FeatureMap<Int8Array>,
  filter: FilterS8,
  options: ConvS8RealOptions,
): FeatureMap<Float32Array> {
  const { multipliers, negativeMultipliers = multipliers, minimum, maximum, residual } = options;
  const { shape, data: sums } = accumulateS8(input, filter, options);
  const channels = shape[2];
  const broadcast = residual?.shape[2] === 1;
  const data = new Float32Array(sums.length);
  for (let i = 0; i < data.length; i++) {
    const c = i % channels;
    const sum = sums[i]!;
    let t = Math.fround(Math.fround(sum) * (sum < 0 ? negativeMultipliers : multipliers)[c]!);
    if (residual) t = Math.fround(t + residual.data[broadcast ? (i - c) / channels : i]!);
    if (t < minimum) t = minimum;
    data[i] = t > maximum ? maximum : t;
  }
  return { shape, data };
}
