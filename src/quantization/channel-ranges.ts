import { WasmogradError } from "../errors.ts";
import type { FeatureMap, Model } from "../network/description.ts";
import { type Executor, type Observer, observe } from "./observe.ts";
import type { Range } from "./ranges.ts";

/** Observed range of every channel of a tensor, widened to zero, which int8 always covers. */
export type ChannelRanges = readonly Range[];

/** Collects the least and the largest value of each channel. @throws WasmogradError ERR_ARGUMENT when a value is not finite */
class ChannelExtremes {
  readonly #min: Float64Array;
  readonly #max: Float64Array;

  constructor(channels: number) {
    this.#min = new Float64Array(channels);
    this.#max = new Float64Array(channels);
  }

  add(values: Float32Array, name: string): void {
    const channels = this.#min.length;
    for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) {
      const value = values[i]!;
      if (value < this.#min[c]!) this.#min[c] = value;
      if (value > this.#max[c]!) this.#max[c] = value;
      if (Number.isFinite(value)) continue;
      throw new WasmogradError("ERR_ARGUMENT", `tensor ${name}: expected finite values, got ${value} at index ${i}`);
    }
  }

  get ranges(): ChannelRanges {
    return Array.from(this.#min, (min, c) => ({ min, max: this.#max[c]! }));
  }
}

/**
 * Ranges of the channels of some tensors of a prepared model over calibration inputs.
 * @param channels of each tensor to observe, by name
 * @throws WasmogradError ERR_ARGUMENT as `observe`, and on values that are not finite
 */
export function channelRanges(
  model: Model,
  inputs: Iterable<FeatureMap<Float32Array>>,
  run: Executor,
  channels: ReadonlyMap<string, number>,
): Map<string, ChannelRanges> {
  const extremes = new Map([...channels].map(([name, count]) => [name, new ChannelExtremes(count)] as const));
  const observers = [...extremes].map(([name, e]): [string, Observer] => [name, (values) => e.add(values, name)]);
  observe(model, inputs, run, new Map(observers));
  return new Map([...extremes].map(([name, { ranges }]) => [name, ranges]));
}
