import { check } from "../errors.ts";
import type { FeatureMap, Model } from "../network/description.ts";
import { prepare } from "../network/passes/prepare.ts";
import { Histogram } from "./histogram.ts";
import { type Executor, observe } from "./observe.ts";
import { type RangeMethod, rangeFrom } from "./range-methods.ts";
import { type Calibration, checkRange, type Range } from "./ranges.ts";

/** Of `calibrate`. */
export interface CalibrateOptions {
  /** "min-max" unless given. */
  readonly method?: RangeMethod;
  /** For the percentile method: percent of the values kept on each side, above 50 up to 100; 99.99 unless given. */
  readonly percentile?: number;
  /**
   * Ranges prescribed by tensor name instead of observed. Give the input's when it is known (luma: 0 to 1), or pictures brighter
   * than those of the calibration would be clipped.
   */
  readonly fixed?: Calibration;
}

const METHODS: readonly RangeMethod[] = ["min-max", "percentile", "mean-squared-error"];

/** @throws WasmogradError ERR_ARGUMENT */
function checkOptions({ method, percentile }: { method: RangeMethod; percentile: number }): void {
  check(
    METHODS.includes(method),
    "ERR_ARGUMENT",
    () => `method: expected one of ${METHODS.join(", ")}, got ${String(method)}`,
  );
  const sound = percentile > 50 && percentile <= 100;
  check(sound, "ERR_ARGUMENT", () => `percentile: expected above 50 up to 100, got ${String(percentile)}`);
}

/**
 * Observes the ranges of all tensors of a model while it runs over calibration inputs. The model is collapsed and fused first, as
 * `quantise` does, so the names agree. The result is plain data: store it as JSON beside the weights.
 * @param inputs [height, width, channels] of any sizes, in the units in which the network runs
 * @param run `runReference`, or an engine that keeps all tensors
 * @throws WasmogradError ERR_ARGUMENT on unknown methods, no inputs, values that are not finite, tensors that `run` leaves out;
 *   ERR_QUANTIZATION on a prescribed range that is upside down
 */
export function calibrate(
  model: Model,
  inputs: Iterable<FeatureMap<Float32Array>>,
  run: Executor,
  { method = "min-max", percentile = 99.99, fixed = {} }: CalibrateOptions = {},
): Calibration {
  checkOptions({ method, percentile });
  const prepared = prepare(model);
  const histograms = new Map(prepared.network.layers.map(({ name }): [string, Histogram] => [name, new Histogram()]));
  const observers = new Map(
    [...histograms].map(([name, histogram]) => [name, (values: Float32Array) => histogram.add(values, name)] as const),
  );
  observe(prepared, inputs, run, observers);
  for (const [name, range] of Object.entries(fixed)) {
    checkRange(range, `fixed: ${name}`);
    check(
      histograms.has(name),
      "ERR_ARGUMENT",
      () => `fixed: expected names of tensors of the fused network, got ${name}`,
    );
  }
  return Object.fromEntries(
    [...histograms].map(([name, histogram]): [string, Range] => {
      const given = Object.hasOwn(fixed, name) ? fixed[name] : undefined;
      return [name, given ?? rangeFrom(histogram, method, percentile)];
    }),
  );
}
