/** What is wasted where a size is not a multiple of a tile's. */

export interface Tail {
  readonly what: string;
  readonly size: number;
  /** The size in whole tiles. */
  readonly whole: number;
}

/** A share of waste that is worth a word. */
const WORTH = 0.04;

export const fours = (count: number): number => Math.ceil(count / 4);

/** A size in whole tiles, where that is more. */
export function padded(what: string, size: number, tile: number): Tail[] {
  const whole = Math.ceil(size / tile) * tile;
  return whole > size ? [{ what, size, whole }] : [];
}

/** Rows are cut into strips, each of which has a tail; other sizes are the same in all. */
export const ROWS = "rows";

/** The tails of strips as those of the layer. @param strips in order, with the rows of each */
export function tailsOfStrips(strips: readonly { readonly tails: readonly Tail[]; readonly rows: number }[]): Tail[] {
  const found = new Map<string, Tail>();
  let waste = 0;
  let rows = 0;
  for (const strip of strips) {
    rows += strip.rows;
    for (const tail of strip.tails) {
      if (tail.what === ROWS) waste += tail.whole - tail.size;
      else found.set(tail.what, tail);
    }
  }
  const own = waste > 0 ? [{ what: ROWS, size: rows, whole: rows + waste }] : [];
  return [...own, ...found.values()];
}

/** "channels padded from 17 to 24", or nothing where that wastes little. */
export function tailText({ what, size, whole }: Tail): string | undefined {
  return whole - size > WORTH * whole ? `${what} padded from ${size} to ${whole}` : undefined;
}
