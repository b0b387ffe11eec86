/** Filters stored in fewer bits (winograd/filter-scaling.ts), packed for the Winograd kernels. */
import { check } from "../../errors.ts";
import { accumulatorRange } from "../../quantization/accumulator.ts";
import { type FilterScaling, type ScaledFilters, scaleFilters } from "../../winograd/filter-scaling.ts";
import type { WinogradKernel } from "./algorithms.ts";
import type { WinogradLayer } from "./blocks.ts";
import { forEachFilter, packedLayout } from "./filter.ts";

export interface ScaledPack {
  /** int8 where 8 bits hold the values, else int16. */
  readonly filter: Int8Array<ArrayBuffer> | Int16Array<ArrayBuffer>;
  /** int32 [oc/8][planes][8]: 2^shift of each plane and output channel. */
  readonly scales: Int32Array<ArrayBuffer>;
  /** int32 [oc], added in the bias plane: bias and zero-point term at the scale of the result, modulo 2^32. */
  readonly bias: Int32Array<ArrayBuffer>;
}

/** Why an algorithm cannot run with scaled filters, or undefined. */
export function scalingObstacle({ dtype, odd }: WinogradKernel): string | undefined {
  if (dtype !== "s8") return "f32 filters have no integer form";
  if (odd !== 1) return `rounded filters give no multiples of ${odd}, which its scale has as a factor`;
  return undefined;
}

interface ScaledLayer extends ScaledFilters {
  /** Of each output channel the largest magnitude that its scaled-up sum can take, rounding of the filters included. */
  readonly largest: Float64Array;
}

function scaleLayer(algorithm: WinogradKernel, layer: WinogradLayer, scaling: FilterScaling): ScaledLayer {
  const { planes, inputMaxima, outputGains } = algorithm;
  const { weights, oc, ic, inputZeroPoint, bias } = layer;
  const transformed = new Int32Array(oc * ic * planes);
  forEachFilter(algorithm, layer, (o, c, factors) => transformed.set(factors, (o * ic + c) * planes));
  const taps = algorithm.r ** 2;
  const gains = Array.from({ length: planes }, (_, p) =>
    algorithm.filter.slice(p * taps, (p + 1) * taps).reduce((sum, c) => sum + Math.abs(c), 0),
  );
  const shape = { outputChannels: oc, inputChannels: ic, planes };
  const { values, shifts } = scaleFilters(transformed, shape, scaling, { gains });
  const { low, high } = accumulatorRange(weights, oc, { zeroPoint: inputZeroPoint, bias });
  const largest = Float64Array.from({ length: oc }, (_, o) => {
    let error = 0;
    for (let at = o * ic * planes; at < (o + 1) * ic * planes; at++) {
      const p = at % planes;
      const off = Math.abs(values[at]! * 2 ** shifts[p * oc + o]! - transformed[at]!);
      // |x - zero point| <= 255, of which inputMaxima has 128.
      error += off * inputMaxima[p]! * 2 * outputGains[p]!;
    }
    return 2 ** algorithm.shift * Math.max(-low[o]!, high[o]!) + error;
  });
  return { values, shifts, largest };
}

const fits = (sum: number): boolean => sum < 2 ** 31;

/** Whether the algorithm can run this layer with scaled filters: no sum leaves int32. */
export function fitsScaled(algorithm: WinogradKernel, layer: WinogradLayer, scaling: FilterScaling): boolean {
  return scalingObstacle(algorithm) === undefined && scaleLayer(algorithm, layer, scaling).largest.every(fits);
}

/**
 * Transforms, scales and packs the filters of a layer. A constant input reaches one plane only, so the zero point is taken out
 * exactly as the stored filters see it, and an input at its zero point gives the bias and nothing else.
 * @throws WasmogradError ERR_UNSUPPORTED for algorithms that cannot, and where a result could leave int32
 */
export function packScaled(algorithm: WinogradKernel, layer: WinogradLayer, scaling: FilterScaling): ScaledPack {
  const obstacle = scalingObstacle(algorithm);
  check(obstacle === undefined, "ERR_UNSUPPORTED", () => `filterScaling: ${algorithm.algorithm} cannot, ${obstacle}`);
  const { planes, biasPlane, biasFactor, onesResponse } = algorithm;
  const { oc, ic, inputZeroPoint, bias } = layer;
  const { values, shifts, largest } = scaleLayer(algorithm, layer, scaling);
  const wide = largest.findIndex((sum) => !fits(sum));
  check(wide < 0, "ERR_UNSUPPORTED", () => {
    return `filterScaling: sums of output channel ${wide} reach ${largest[wide]}, expected less than 2^31; use exact filters`;
  });

  const { length, planeStep, offset } = packedLayout(algorithm, oc, ic, 2);
  const filter = scaling.bits <= 8 ? new Int8Array(length) : new Int16Array(length);
  const packedBias = new Int32Array(oc);
  for (let o = 0; o < oc; o++) {
    let plane11 = 0;
    for (let c = 0; c < ic; c++) {
      const from = (o * ic + c) * planes;
      let at = offset(o, c);
      for (let p = 0; p < planes; p++, at += planeStep) filter[at] = values[from + p]!;
      plane11 += values[from + biasPlane]! * 2 ** shifts[biasPlane * oc + o]!;
    }
    packedBias[o] = Math.imul(biasFactor, bias[o]!) - Math.imul(Math.imul(inputZeroPoint, onesResponse), plane11);
  }

  const scales = new Int32Array(Math.ceil(oc / 8) * planes * 8);
  for (let p = 0; p < planes; p++) {
    for (let o = 0; o < oc; o++) scales[((o >> 3) * planes + p) * 8 + (o & 7)] = 2 ** shifts[p * oc + o]!;
  }
  return { filter, scales, bias: packedBias };
}
