import { type RealActivation, realActivation } from "../network/activations.ts";
import type { FeatureMap, FusedResidual } from "../network/description.ts";
import { convShape, type FilterShape, forEachWindow, type WindowOptions } from "./windows.ts";

export type RealArray = Float32Array | Float64Array;

export interface RealConvOptions extends WindowOptions {
  /** [out]; absent means zero. */
  readonly bias?: RealArray;
  readonly activation?: RealActivation;
  readonly residual?: RealResidual;
}

export interface RealResidual {
  /** Of the output's shape, or of one channel that is broadcast. */
  readonly map: FeatureMap<RealArray>;
  readonly position: FusedResidual["position"];
  /** [out], what it is multiplied by; absent means 1. */
  readonly scale?: RealArray;
}

/** start + sum of x[from + j * step] * w[at + j] over j < count, in float64. */
function dot(
  start: number,
  x: RealArray,
  from: number,
  w: RealArray,
  at: number,
  { step, count }: { readonly step: number; readonly count: number },
): number {
  let sum = start;
  for (let j = 0; j < count; j++) sum += x[from + j * step]! * w[at + j]!;
  return sum;
}

/**
 * Convolution of real values (cross-correlation, zero padding), a fused activation and residual included:
 *
 *   y[o] = act(sum_{u,v,i} x[u,v,i] * w[o,u,v,i] + bias[o] + before) + after        depthwise: i is o, w has one input channel
 *
 * Everything is summed in float64 and rounded once when stored. With f32 storage the error is at most half a unit in the last place of
 * the result plus 2^-53 * (n + 3) * sum |x * w| for n products, so any f32 kernel may be judged against it.
 * @param make gives the array for the result: its type is the precision of the result
 */
export function conv2dReal<Result extends RealArray>(
  input: FeatureMap<RealArray>,
  filter: { readonly shape: FilterShape; readonly weights: RealArray },
  options: RealConvOptions,
  make: (length: number) => Result,
): FeatureMap<Result> {
  const { bias, activation, residual } = options;
  const [out, kh, kw, inputs] = filter.shape;
  const { weights } = filter;
  const x = input.data;
  const perChannel = kh * kw * inputs;
  const shape = convShape(input.shape, filter.shape, options);
  const data = make(shape[0] * shape[1] * out);
  const before = residual?.position === "before-activation" ? residual : undefined;
  const after = residual?.position === "after-activation" ? residual : undefined;
  forEachWindow(input.shape, filter.shape, options, (pixel, rows) => {
    for (let o = 0; o < out; o++) {
      let sum = bias ? bias[o]! : 0;
      const channel = options.depthwise ? o : 0;
      for (const row of rows) sum = dot(sum, x, row.input + channel, weights, o * perChannel + row.filter, row);
      if (before) sum += residualAt(before, pixel, o);
      sum = realActivation(sum, activation, o);
      if (after) sum += residualAt(after, pixel, o);
      data[pixel * out + o] = sum;
    }
  });
  return { shape, data };
}

/** What is added to channel c of a pixel; a map of one channel serves for all. */
function residualAt({ map: { shape, data }, scale }: RealResidual, pixel: number, c: number): number {
  return (shape[2] === 1 ? data[pixel]! : data[pixel * shape[2] + c]!) * (scale?.[c] ?? 1);
}
