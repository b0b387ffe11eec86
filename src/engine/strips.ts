/**
 * Depth-first execution: a strip of rows goes through all layers before the next one is begun, so that between layers only the rows
 * that are still needed are held (rolling line buffers), whatever the height. This file only counts rows: which of them each layer
 * computes in each strip, and from which on each buffer holds them.
 *
 * A strip asks for some rows of the output; backwards through the layers follows up to which row each tensor must be there, and every
 * layer computes what is missing. No row is computed twice, so strips cost no arithmetic.
 */

/** Rows [begin, end). */
export type RowRange = readonly [begin: number, end: number];

/** How one layer depends on rows of its inputs. */
export interface StripLayer {
  /** Rows of its output. */
  readonly height: number;
  /** Rows are computed in multiples of this, but for the last. */
  readonly multiple: number;
  readonly inputs: readonly StripInput[];
  /** The buffer of its output, from 0; tensors that share one have the same rows. */
  readonly buffer: number;
}

export interface StripInput {
  /** The layer that writes it. */
  readonly layer: number;
  /** The rows that are needed for some rows of the output, within the tensor. */
  readonly needs: (rows: RowRange) => RowRange;
  /** The rows that may be loaded, whatever they hold: at least those that are needed. */
  readonly touches: (rows: RowRange) => RowRange;
}

export interface StripSchedule {
  readonly strips: readonly Strip[];
  /** Rows that each buffer has room for. */
  readonly capacities: readonly number[];
}

export interface Strip {
  /** What each layer computes; possibly nothing. */
  readonly rows: readonly RowRange[];
  /** The rows that each buffer still holds from before: what came earlier is no longer needed. */
  readonly held: readonly RowRange[];
}

/**
 * @param layers in the order in which they run; all are needed for the output
 * @param output the layer whose rows are asked for, `step` a strip
 * @param limit strips after which to stop, to see what a step would cost
 */
export function scheduleStrips(
  layers: readonly StripLayer[],
  output: number,
  step: number,
  limit = Number.POSITIVE_INFINITY,
): StripSchedule {
  const done = layers.map(() => 0);
  const buffers = 1 + Math.max(...layers.map(({ buffer }) => buffer));
  const capacities = new Array<number>(buffers).fill(0);
  const strips: Strip[] = [];
  const { height } = layers[output]!;
  for (let end = Math.min(step, height); ; end = Math.min(end + step, height)) {
    const wanted = rowsWanted(layers, output, end);
    const rows = layers.map((_, i): RowRange => [done[i]!, Math.max(done[i]!, wanted[i]!)]);
    strips.push({ rows, held: holdRows(layers, rows, capacities) });
    for (const [i, [, last]] of rows.entries()) done[i] = last;
    if (end === height || strips.length === limit) return { strips, capacities };
  }
}

/** Up to which row each tensor must be there for the output to be there up to `asked`. */
function rowsWanted(layers: readonly StripLayer[], output: number, asked: number): readonly number[] {
  const wanted = layers.map((_, i) => (i === output ? asked : 0));
  for (let i = layers.length - 1; i >= 0; i--) {
    const { height, multiple, inputs } = layers[i]!;
    const end = Math.min(height, Math.ceil(wanted[i]! / multiple) * multiple);
    wanted[i] = end;
    if (end === 0) continue;
    for (const { layer, needs } of inputs) wanted[layer] = Math.max(wanted[layer]!, needs([0, end])[1]);
  }
  return wanted;
}

/** Which rows each buffer must keep so that these and all later rows can be computed; raises the capacities to what that takes. */
function holdRows(layers: readonly StripLayer[], rows: readonly RowRange[], capacities: number[]): RowRange[] {
  const firsts = capacities.map(() => Number.POSITIVE_INFINITY);
  const filled = capacities.map(() => 0);
  const ends = capacities.map(() => 0);
  const hold = (buffer: number, first: number, end: number): void => {
    firsts[buffer] = Math.min(firsts[buffer]!, first);
    ends[buffer] = Math.max(ends[buffer]!, end);
  };
  for (const [i, { buffer, height, inputs }] of layers.entries()) {
    const own = rows[i]!;
    filled[buffer] = Math.max(filled[buffer]!, own[0]);
    hold(buffer, ...own);
    for (const { layer, needs, touches } of inputs) {
      const source = layers[layer]!.buffer;
      // A layer that computes nothing in this strip will want these rows in a later one.
      if (own[0] < own[1]) hold(source, ...touches(own));
      else if (own[0] < height) hold(source, needs([own[0], own[0] + 1])[0], 0);
    }
  }
  return firsts.map((first, buffer) => {
    const begin = Math.min(first, Math.max(filled[buffer]!, ends[buffer]!));
    capacities[buffer] = Math.max(capacities[buffer]!, ends[buffer]! - begin);
    return [begin, Math.max(begin, filled[buffer]!)] as const;
  });
}
