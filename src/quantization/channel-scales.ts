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

/**
 * Rounding noise, up to a constant: a tensor's step is proportional to its span, and channel c turns it into scale[c] steps of its
 * own. Counts all channels and tensors alike, whatever the layers behind make of them.
 */
function noise(ranges: readonly ChannelRanges[], reaches: readonly Reach[]): number {
  const steps = reaches.reduce((sum, { low, high }) => sum + (low + high) ** 2, 0);
  return steps * scalesFor(ranges, reaches).reduce((sum, scale) => sum + scale ** 2, 0);
}

/**
 * Scales of the channels of tied tensors for which the rounding noise of all of them together is least, the largest being 1.
 *
 * Given how far each tensor may reach, the least scales follow; so the search is over the reaches, by multiplicative steps along one
 * side or both. In logarithms the noise is convex (a posynomial of maxima), so there is one minimum; the descent may stop a little
 * short of it at a kink. A channel of nothing but zeros keeps the scale 1, as nothing is known of it.
 * @param ranges of the channels of each tensor, equally many
 */
export function channelScales(ranges: readonly ChannelRanges[]): number[] {
  const reaches = ranges.map(
    (channels): Reach => ({
      low: Math.max(...channels.map(({ min }) => -min)),
      high: Math.max(...channels.map(({ max }) => max)),
    }),
  );
  const silent = reaches.every(({ low, high }) => low === 0 && high === 0);
  if (silent) return ranges[0]!.map(() => 1);
  let least = noise(ranges, reaches);
  const improves = (reach: Reach, low: number, high: number): boolean => {
    const before = { ...reach };
    Object.assign(reach, { low: before.low * low, high: before.high * high });
    const next = noise(ranges, reaches);
    if (next < least * (1 - GAIN)) {
      least = next;
      return true;
    }
    Object.assign(reach, before);
    return false;
  };
  for (const factor of FACTORS) {
    const moves = [factor, 1 / factor].flatMap((f) => [[f, 1] as const, [1, f] as const, [f, f] as const]);
    for (let moving = true; moving; ) {
      moving = false;
      for (const reach of reaches) {
        for (const [low, high] of moves) if (improves(reach, low, high)) moving = true;
      }
    }
  }
  const scales = scalesFor(ranges, reaches);
  const largest = Math.max(...scales);
  const silentChannel = (c: number) => ranges.every((channels) => channels[c]!.min === 0 && channels[c]!.max === 0);
  return scales.map((scale, c) => (silentChannel(c) ? 1 : scale / largest));
}
