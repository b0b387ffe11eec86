import type { FeatureMap, Shape } from "../network/description.ts";
import { requantize } from "../quantization/requantize.ts";

type RealArray = Float32Array | Float64Array;

/** Result of f(value, channel) for every value, rounded when stored. */
export function mapReal<Result extends RealArray>(
  { shape, data }: FeatureMap<RealArray>,
  f: (value: number, channel: number) => number,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const result = make(data.length);
  for (let i = 0; i < data.length; i++) result[i] = f(data[i]!, i % shape[2]);
  return { shape, data: result };
}

/** Shape of a sum, and where in an operand the value of output index i lies (one channel is broadcast). */
function broadcast(a: Shape, b: Shape): { shape: Shape; index: (operand: Shape, i: number) => number } {
  const channels = Math.max(a[2], b[2]);
  return {
    shape: [a[0], a[1], channels],
    index: (operand, i) => (operand[2] === channels ? i : Math.floor(i / channels)),
  };
}

/** a + b, rounded when stored. */
export function addReal<Result extends RealArray>(
  a: FeatureMap<RealArray>,
  b: FeatureMap<RealArray>,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const { shape, index } = broadcast(a.shape, b.shape);
  const data = make(shape[0] * shape[1] * shape[2]);
  for (let i = 0; i < data.length; i++) data[i] = a.data[index(a.shape, i)]! + b.data[index(b.shape, i)]!;
  return { shape, data };
}

/** An int8 operand with the zero point and the multiplier that bring it to the output's scale. */
export interface OperandS8 {
  readonly map: FeatureMap<Int8Array>;
  readonly zeroPoint: number;
  readonly multiplier: number;
}

/** Where results go: the output's zero point and limits. */
export interface OutputS8 {
  readonly zeroPoint: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** int8 sum: clamp(roundHalfEven(f32((a - za) * Ma) + f32((b - zb) * Mb)) + z). */
export function addS8(a: OperandS8, b: OperandS8, { zeroPoint, qmin, qmax }: OutputS8): FeatureMap<Int8Array> {
  const { shape, index } = broadcast(a.map.shape, b.map.shape);
  const data = new Int8Array(shape[0] * shape[1] * shape[2]);
  for (let i = 0; i < data.length; i++) {
    const first = a.map.data[index(a.map.shape, i)]! - a.zeroPoint;
    const second = b.map.data[index(b.map.shape, i)]! - b.zeroPoint;
    data[i] = requantize(first, a.multiplier, zeroPoint, qmin, qmax, second, b.multiplier);
  }
  return { shape, data };
}

/** int8 activation: t = q - zeroPoint; t below zero takes the channel's negative multiplier where there are any. */
export function activationS8(
  { map: { shape, data }, zeroPoint: inputZeroPoint, multiplier }: OperandS8,
  negativeMultipliers: Float32Array | undefined,
  { zeroPoint, qmin, qmax }: OutputS8,
): FeatureMap<Int8Array> {
  const result = data.map((q, i) => {
    const t = q - inputZeroPoint;
    const factor = t < 0 && negativeMultipliers ? negativeMultipliers[i % shape[2]]! : multiplier;
    return requantize(t, factor, zeroPoint, qmin, qmax);
  });
  return { shape, data: result };
}

/** int8 clip: limits alone, as input and output share their parameters. */
export function clipS8({ shape, data }: FeatureMap<Int8Array>, qmin: number, qmax: number): FeatureMap<Int8Array> {
  return { shape, data: data.map((q) => Math.min(qmax, Math.max(qmin, q))) };
}
