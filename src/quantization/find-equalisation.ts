import { check } from "../errors.ts";
import type { FeatureMap, Model } from "../network/description.ts";
import { prepare } from "../network/passes/prepare.ts";
import { channelRanges } from "./channel-ranges.ts";
import { channelScales } from "./channel-scales.ts";
import type { Equalisation } from "./equalise.ts";
import type { Executor } from "./observe.ts";
import { scalingGroups } from "./scaling-groups.ts";

/** Of `findEqualisation`. */
export interface EqualisationOptions {
  /**
   * Exponent of the scales: 0 changes nothing, 1 fills the range of every channel. The default, 0.75, leaves the small channels room
   * for pictures unlike those of the calibration (measured: docs/quantization.md).
   */
  readonly strength?: number;
}

/** Digits that are stored: far finer than the measurement, and short in JSON. */
const DIGITS = 4;

/**
 * Finds the scales for `equalise` from the ranges that a model's channels take over calibration inputs. After arXiv 1906.04721,
 * section 4.1; the strength, and ranges of activations in place of weights, are ours.
 * @param inputs [height, width, channels] of any sizes, in the units in which the network runs
 * @param run `runReference`, or an engine that keeps all tensors
 * @throws WasmogradError ERR_ARGUMENT on a strength outside 0..1, no inputs, values that are not finite, tensors that `run` leaves
 *   out; and as `collapse`
 */
export function findEqualisation(
  model: Model,
  inputs: Iterable<FeatureMap<Float32Array>>,
  run: Executor,
  { strength = 0.75 }: EqualisationOptions = {},
): Equalisation {
  check(strength >= 0 && strength <= 1, "ERR_ARGUMENT", () => `strength: expected 0 to 1, got ${String(strength)}`);
  const prepared = prepare(model);
  const groups = scalingGroups(prepared.network);
  const channels = new Map(groups.flatMap((group) => group.tensors.map((name) => [name, group.channels] as const)));
  const ranges = channelRanges(prepared, inputs, run, channels);
  return Object.fromEntries(
    groups.map(({ tensors }) => {
      const scales = channelScales(tensors.map((name) => ranges.get(name)!));
      return [tensors[0]!, scales.map((scale) => Number((scale ** strength).toPrecision(DIGITS)))];
    }),
  );
}
