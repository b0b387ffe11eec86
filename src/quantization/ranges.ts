import { check } from "../errors.ts";
import { roundHalfEven } from "../rounding.ts";
import { QMAX, QMIN, type QuantizationParams } from "./requantize.ts";

/** Smallest and largest real value of a tensor, as observed or prescribed. */
export interface Range {
  /** Finite, at most `max`. */
  readonly min: number;
  /** Finite. */
  readonly max: number;
}

/** What calibration found: a range per tensor of the fused network. Plain data, so it can be stored as JSON. */
export type Calibration = Readonly<Record<string, Range>>;

/** Levels between the smallest and the largest int8 value. */
export const STEPS = QMAX - QMIN;

/**
 * Scale and zero point whose int8 values cover [min, max] and zero. The zero point is rounded to an integer, so that real zero is
 * exact; either end of the range may therefore lie up to half a step outside. A range of nothing but zero gets scale 1.
 * @throws WasmogradError ERR_QUANTIZATION when the range is not finite or is upside down
 */
export function paramsFromRange(range: Range, name = "range"): QuantizationParams {
  checkRange(range, name);
  const low = Math.min(range.min, 0);
  const high = Math.max(range.max, 0);
  const scale = (high - low) / STEPS || 1;
  return { scale, zeroPoint: roundHalfEven(QMIN - low / scale) };
}

/** @throws WasmogradError ERR_QUANTIZATION unless min <= max and both are finite */
export function checkRange({ min, max }: Range, name: string): void {
  const sound = Number.isFinite(min) && Number.isFinite(max) && min <= max && Number.isFinite(max - min);
  check(sound, "ERR_QUANTIZATION", () => `${name}: expected finite min <= max, got min ${min}, max ${max}`);
}
