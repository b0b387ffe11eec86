import type { ChannelRanges } from "./channel-ranges.ts";

/** How far the channels of one tensor may reach after scaling: from -low to high. */
interface Reach {
  low: number;
  high: number;
}

/**
 * A channel's scale is at least this share of the group's largest: one that calibration saw next to nothing of is not enlarged without
 * bound, or a picture of another kind would drive it far into saturation.
 */
const SMALLEST_SCALE = 1 / 32;
/** Factors that the descent tries on a reach, one after the other. */
const FACTORS = [2, 2 ** (1 / 2), 2 ** (1 / 4), 2 ** (1 / 8), 2 ** (1 / 16), 2 ** (1 / 32), 2 ** (1 / 64)];
/** A step must gain this much, so that the descent ends. */
const GAIN = 1e-6;

/** extreme / reach; nothing needs no room. */
function ratio(extreme: number, reach: number): number {
  return extreme === 0 ? 0 : extreme / reach;
}

/** Least scales with which every channel of every tensor stays within its tensor's reach. */
function scalesFor(ranges: readonly ChannelRanges[], reaches: readonly Reach[]): number[] {
  const needs = ranges[0]!.map((_, c) =>
    Math.max(
      ...ranges.map((channels, t) => {
        const { min, max } = channels[c]!;
        return Math.max(ratio(-min, reaches[t]!.low), ratio(max, reaches[t]!.high));
      }),
    ),
  );
  const largest = Math.max(...needs);
  return needs.map((need) => Math.max(need, largest * SMALLEST_SCALE));
}

/** Least reaches within which every channel stays under the scales. */
function reachesFor(ranges: readonly ChannelRanges[], scales: readonly number[]): Reach[] {
  return ranges.map((channels) => ({
    low: Math.max(...channels.map(({ min }, c) => -min / scales[c]!)),
    high: Math.max(...channels.map(({ max }, c) => max / scales[c]!)),
  }));
}

/**
 * Rounding noise, up to a constant: a tensor's step is proportional to its span, and channel c turns it into scale[c] steps of its
 * own. Counts all channels and tensors alike, whatever the layers behind make of them.
 */
function noise(reaches: readonly Reach[], scales: readonly number[]): number {
  const steps = reaches.reduce((sum, { low, high }) => sum + (low + high) ** 2, 0);
  return steps * scales.reduce((sum, scale) => sum + scale ** 2, 0);
}

/** Channels that fill the reach of more than one side: where those can move only together. */
function joints(ranges: readonly ChannelRanges[], reaches: readonly Reach[], scales: readonly number[]): number[] {
  const fills = (extreme: number, reach: number, scale: number) => extreme >= reach * scale * (1 - GAIN);
  return [...scales.keys()].filter((c) => {
    const sides = ranges.flatMap((channels, t) => [
      fills(-channels[c]!.min, reaches[t]!.low, scales[c]!),
      fills(channels[c]!.max, reaches[t]!.high, scales[c]!),
    ]);
    return sides.filter(Boolean).length > 1;
  });
}

/** What a step may try from these reaches. */
function* neighbours(
  ranges: readonly ChannelRanges[],
  reaches: readonly Reach[],
  scales: readonly number[],
  factor: number,
) {
  for (const f of [factor, 1 / factor]) {
    for (const [t] of reaches.entries()) {
      for (const [low, high] of [
        [f, 1],
        [1, f],
        [f, f],
      ] as const) {
        yield reaches.map((reach, u) => (u === t ? { low: reach.low * low, high: reach.high * high } : reach));
      }
    }
    for (const c of joints(ranges, reaches, scales)) {
      yield reachesFor(
        ranges,
        scales.map((scale, d) => (d === c ? scale * f : scale)),
      );
    }
  }
}

/**
 * Scales of the channels of tied tensors for which the rounding noise of all of them together is least, the largest being 1.
 *
 * Given how far each tensor may reach, the least scales follow, and given the scales, the least reaches. The search descends by
 * multiplicative steps on either: along a side of a tensor or both, or along the scale of a channel, which moves every tensor that this
 * channel bounds at once. In logarithms the noise is convex (a posynomial of maxima), so there is one minimum; the descent may
 * stop a little short of it at a kink. A channel of nothing but zeros keeps the scale 1, as nothing is known of it.
 * @param ranges of the channels of each tensor, equally many
 */
export function channelScales(ranges: readonly ChannelRanges[]): number[] {
  const even = ranges[0]!.map(() => 1);
  let reaches = reachesFor(ranges, even);
  if (reaches.every(({ low, high }) => low === 0 && high === 0)) return even;
  let scales = scalesFor(ranges, reaches);
  let least = noise(reaches, scales);
  for (const factor of FACTORS) {
    for (let moving = true; moving; ) {
      moving = false;
      for (const next of neighbours(ranges, reaches, scales, factor)) {
        const nextScales = scalesFor(ranges, next);
        const nextNoise = noise(next, nextScales);
        if (nextNoise < least * (1 - GAIN)) {
          [reaches, scales, least, moving] = [next, nextScales, nextNoise, true];
          break;
        }
      }
    }
  }
  const largest = Math.max(...scales);
  const silentChannel = (c: number) => ranges.every((channels) => channels[c]!.min === 0 && channels[c]!.max === 0);
  return scales.map((scale, c) => (silentChannel(c) ? 1 : scale / largest));
}
