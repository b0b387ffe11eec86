/** Relative time of the int8 algorithms, from the measured table, between whose channel counts it is interpolated. */
import { CHANNELS, RELATIVE_TIME } from "./cost-table.ts";
import type { LayerShape } from "./spec.ts";

/** Position of a channel count on the table's grid, which is logarithmic; beyond its ends the last value holds. */
function position(channels: number): { index: number; fraction: number } {
  const last = CHANNELS.length - 1;
  if (channels >= CHANNELS[last]!) return { index: last - 1, fraction: 1 };
  const index = Math.max(
    0,
    CHANNELS.findIndex((_, i) => channels < CHANNELS[i + 1]!),
  );
  const [low, high] = [CHANNELS[index]!, CHANNELS[index + 1]!];
  return { index, fraction: Math.log(channels / low) / Math.log(high / low) };
}

/** What prices an algorithm: its name, and the outputs of its tiles. */
export interface Priced {
  readonly algorithm: string;
  /** Columns, and rows unless `rows` says otherwise. */
  readonly m: number;
  readonly rows?: number;
}

/**
 * Time of an int8 layer by an algorithm that applies to it, over that of direct convolution.
 * @param output size of the output, where known: tiles that hang over it cost as much as full ones
 */
export function relativeTime(
  { algorithm, m, rows: tall = m }: Priced,
  { ic, oc }: LayerShape,
  output?: readonly [height: number, width: number],
): number {
  const rows: readonly (readonly number[])[] = RELATIVE_TIME[algorithm as keyof typeof RELATIVE_TIME];
  const [x, y] = [position(ic), position(oc)];
  const at = (i: number, o: number): number => Math.log(rows[x.index + i]![y.index + o]!);
  const along = (i: number): number => at(i, 0) * (1 - y.fraction) + at(i, 1) * y.fraction;
  const time = Math.exp(along(0) * (1 - x.fraction) + along(1) * x.fraction);
  if (output === undefined) return time;
  const [height, width] = output;
  return (time * Math.ceil(height / tall) * tall * Math.ceil(width / m) * m) / (height * width);
}
