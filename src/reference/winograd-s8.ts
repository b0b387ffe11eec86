import { convAxis } from "../conv-axis.ts";
import { check } from "../errors.ts";
import type { FeatureMap } from "../network/description.ts";
import { type FilterScaling, scaleFilters } from "../winograd/filter-scaling.ts";
import { gain } from "../winograd/growth.ts";
import { apply, filterPlanes, inputPlanes, type Nested, outputPlanes } from "../winograd/nested.ts";
import { type ConvS8Options, type FilterS8, finishS8 } from "./conv2d-s8.ts";
import { convShape } from "./windows.ts";

/** The filters of a layer as a scaled kernel sees them, [out][in][planes]: rounded, and multiplied back by their powers of two. */
function scaledFactors({ shape, weights }: FilterS8, nested: Nested, scaling: FilterScaling): Float64Array {
  const [out, kh, kw, inputs] = shape;
  const taps = kh * kw;
  const matrix = filterPlanes(nested);
  const planes = matrix.length;
  const factors = new Float64Array(out * inputs * planes);
  for (let o = 0; o < out; o++) {
    for (let c = 0; c < inputs; c++) {
      const g = Array.from({ length: taps }, (_, t) => weights[(o * taps + t) * inputs + c]!);
      factors.set(apply(matrix, g), (o * inputs + c) * planes);
    }
  }
  const filterShape = { outputChannels: out, inputChannels: inputs, planes };
  const { values, shifts } = scaleFilters(factors, filterShape, scaling, { gains: matrix.map(gain) });
  return factors.map((_, i) => values[i]! * 2 ** shifts[(i % planes) * out + Math.floor(i / (planes * inputs))]!);
}

/**
 * What the Winograd kernels compute with scaled filters, tile by tile from the exact matrices; with exact filters it would be
 * `conv2dS8`. The rounding of filters makes results depend on a pixel's place in its tile, and so on where tiles begin: at the first row
 * and column of the output.
 *
 *   t = f32(A^T [ sum_c (B^T (x_c - zeroPoint) B) (.) U_c ] A + scale * bias) * f32(multiplier / scale)        U_c rounded
 *
 * @throws WasmogradError ERR_UNSUPPORTED where the scale of the result is no power of two
 */
export function winogradScaledS8(
  input: FeatureMap<Int8Array>,
  filter: FilterS8,
  options: ConvS8Options,
  nested: Nested,
  scaling: FilterScaling,
): FeatureMap<Int8Array> {
  const { result, vertical } = nested;
  check(
    result.odd === 1n,
    "ERR_UNSUPPORTED",
    () => `nested: expected a scale that is a power of two, got ${result.scale}`,
  );
  const { m, n } = vertical.algorithm;
  const scale = Number(result.scale);
  const [height, width, channels] = input.shape;
  const shape = convShape(input.shape, filter.shape, options);
  const [oh, ow, oc] = shape;
  const { bias, inputZeroPoint, padding } = options;
  const [top, left] = [
    convAxis(height, vertical.algorithm.r, 1, padding),
    convAxis(width, vertical.algorithm.r, 1, padding),
  ];
  const factors = scaledFactors(filter, nested, scaling);
  const [inputs, outputs] = [inputPlanes(nested), outputPlanes(nested)];
  const planes = inputs.length;
  const sums = new Int32Array(oh * ow * oc);
  for (let ty = 0; ty < oh; ty += m) {
    for (let tx = 0; tx < ow; tx += m) {
      const V = Array.from({ length: channels }, (_, c) => {
        const tile = Array.from({ length: n * n }, (_, i) => {
          const y = ty - top.padBefore + Math.floor(i / n);
          const x = tx - left.padBefore + (i % n);
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          return inside ? input.data[(y * width + x) * channels + c]! - inputZeroPoint : 0;
        });
        return apply(inputs, tile);
      });
      for (let o = 0; o < oc; o++) {
        const products = Array.from({ length: planes }, (_, p) => {
          let sum = 0;
          for (let c = 0; c < channels; c++) sum += factors[(o * channels + c) * planes + p]! * V[c]![p]!;
          return sum;
        });
        for (const [i, value] of apply(outputs, products).entries()) {
          const [y, x] = [ty + Math.floor(i / m), tx + (i % m)];
          if (y < oh && x < ow) sums[(y * ow + x) * oc + o] = value + scale * (bias?.[o] ?? 0);
        }
      }
    }
  }
  const divided = (values: Float32Array): Float32Array => values.map((v) => v / scale);
  const { multipliers, negativeMultipliers } = options;
  return finishS8(
    { shape, data: sums },
    {
      ...options,
      multipliers: divided(multipliers),
      ...(negativeMultipliers && { negativeMultipliers: divided(negativeMultipliers) }),
    },
  );
}
