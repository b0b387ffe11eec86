import { check } from "../errors.ts";
import { roundHalfEven } from "../rounding.ts";

/**
 * The normative arithmetic of int8 (docs/quantization.md derives it). Every kernel and the oracle compute exactly this,
 * on every engine: all steps are IEEE-754 binary32 operations with one rounding each, so results agree bit for bit.
 */

/** Affine quantisation of a tensor: real = scale * (q - zeroPoint), q in [-128, 127]. */
export interface QuantizationParams {
  /** Positive and finite. */
  readonly scale: number;
  /** Integer in -128..127. */
  readonly zeroPoint: number;
}

export const QMIN = -128;
export const QMAX = 127;

/**
 * @throws WasmogradError ERR_QUANTIZATION unless scale is a positive normal binary32 number and the zero point an int8 integer
 */
export function checkQuantization(name: string, params: QuantizationParams): void {
  const scale = Math.fround(params?.scale);
  check(
    scale >= 2 ** -126 && Number.isFinite(scale),
    "ERR_QUANTIZATION",
    () => `${name}: scale: expected a positive finite number, got ${params?.scale}`,
  );
  const { zeroPoint } = params;
  check(
    Number.isInteger(zeroPoint) && zeroPoint >= QMIN && zeroPoint <= QMAX,
    "ERR_QUANTIZATION",
    () => `${name}: zeroPoint: expected an integer in ${QMIN}..${QMAX}, got ${zeroPoint}`,
  );
}

/** Multipliers lie within these, far from what binary32 could not hold or would flush to a subnormal. */
export const SMALLEST_MULTIPLIER = 2 ** -60;
const LARGEST_MULTIPLIER = 2 ** 60;

/**
 * A ratio of scales rounded to binary32, as `requantize` multiplies by.
 * @throws WasmogradError ERR_QUANTIZATION outside 2^-60..2^60, where products could overflow or vanish
 */
export function checkedMultiplier(name: string, value: number): number {
  const rounded = Math.fround(value);
  const sound = rounded >= SMALLEST_MULTIPLIER / 2 && rounded <= LARGEST_MULTIPLIER;
  check(sound, "ERR_QUANTIZATION", () => `${name}: expected a multiplier from 2^-60 to 2^60, got ${value}`);
  return rounded;
}

/** What the sum of `pixels` values of one scale is multiplied by to be their mean in another. @throws WasmogradError ERR_QUANTIZATION */
export function averageMultiplier(from: QuantizationParams, to: QuantizationParams, pixels: number): number {
  return checkedMultiplier("global-average-pool", from.scale / (to.scale * pixels));
}

/**
 * One output of a fused integer operator:
 *
 *     t = f32(acc) * f32(multiplier)            two roundings: the conversion (inexact only for |acc| > 2^24), the product
 *     t = t + f32(residual) * f32(residualMultiplier)   only with a fused residual; two more roundings
 *     q = clamp(roundHalfEven(t) + zeroPoint, qmin, qmax)
 *
 * `acc` is the int32 accumulator, bias included, modulo 2^32. `multiplier` is inputScale * weightScale[c] / outputScale, rounded
 * once to binary32: a 24-bit significand and a power of two. For per-channel PReLU a second multiplier (multiplier * slope,
 * rounded once) applies to negative accumulators. `residual` is the other operand less its zero point, and
 * `residualMultiplier` is residualScale / outputScale, times the channel's scale where the residual has scales. Arguments are not checked. Ours: docs/quantization.md derives it.
 */
export function requantize(
  acc: number,
  multiplier: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
  residual = 0,
  residualMultiplier = 0,
): number {
  let t = Math.fround(Math.fround(acc) * multiplier);
  if (residualMultiplier !== 0) t = Math.fround(t + Math.fround(residual * residualMultiplier));
  return Math.min(qmax, Math.max(qmin, roundHalfEven(t) + zeroPoint));
}

/** real -> int8: clamp(roundHalfEven(f32(x * f32(1 / scale))) + zeroPoint). NaN becomes the zero point. Not checked; ours. */
export function quantizeValue(x: number, { scale, zeroPoint }: QuantizationParams): number {
  const t = Math.fround(Math.fround(x) * Math.fround(1 / scale));
  if (Number.isNaN(t)) return zeroPoint;
  return Math.min(QMAX, Math.max(QMIN, roundHalfEven(t) + zeroPoint));
}

/** Parts of a level that a real tensor is read in: what is left beside a level is -4..4 of them, unless the level was limited. */
export const FINE = 8;

/**
 * real -> level and rest, both int8, in whole levels of `scale` and in eighths of one:
 *
 *     parts = clamp(roundHalfEven(f32(x * f32(8 / scale))), -2^15, 2^15 - 1)      NaN: 0
 *     level = clamp(floor((parts + 4) / 8) + zeroPoint)
 *     rest  = clamp(parts - 8 * (level - zeroPoint) + restZeroPoint)
 *
 * Not checked; ours.
 */
export function splitValue(
  x: number,
  { scale, zeroPoint }: QuantizationParams,
  restZeroPoint: number,
): readonly [level: number, rest: number] {
  const t = Math.fround(Math.fround(x) * Math.fround(FINE / scale));
  const parts = Number.isNaN(t) ? 0 : Math.min(2 ** 15 - 1, Math.max(-(2 ** 15), roundHalfEven(t)));
  const clamp = (q: number) => Math.min(QMAX, Math.max(QMIN, q));
  const level = clamp(Math.floor((parts + FINE / 2) / FINE) + zeroPoint);
  return [level, clamp(parts - FINE * (level - zeroPoint) + restZeroPoint)];
}

/** int8 -> real: f32((q - zeroPoint) * f32(scale)). Not checked. */
export function dequantizeValue(q: number, { scale, zeroPoint }: QuantizationParams): number {
  return Math.fround((q - zeroPoint) * Math.fround(scale));
}
