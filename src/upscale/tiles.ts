/**
 * Cutting a picture into tiles that give the same bits as the whole.
 *
 * Every tile has a core, the pixels that it contributes, and a source, the pixels that the network sees: the core with the network's
 * halo around it, as far as the picture goes. All sources of a picture have one size, so that one plan runs them all: at the borders
 * a source is pushed inwards, where it sees more than it needs.
 */
import type { Region, Size } from "../image/types.ts";

export interface Tile {
  readonly core: Region;
  readonly source: Region;
}

interface Span {
  readonly start: number;
  readonly length: number;
  readonly sourceStart: number;
}

/** Cuts one axis into the fewest cores of at most `edge`, as equal as possible. */
function cut(length: number, edge: number, halo: number): { spans: Span[]; source: number } {
  const count = Math.ceil(length / edge);
  const largest = Math.ceil(length / count);
  const source = Math.min(length, largest + 2 * halo);
  const spans: Span[] = [];
  for (let i = 0; i < count; i++) {
    const start = Math.floor((i * length) / count);
    const end = Math.floor(((i + 1) * length) / count);
    const sourceStart = Math.max(0, Math.min(start - halo, length - source));
    spans.push({ start, length: end - start, sourceStart });
  }
  return { spans, source };
}

/** The tiles of a picture, row by row, with cores of at most `largest`; `halo` is in pixels per side. */
export function cutTiles({ width, height }: Size, largest: Size, halo: number): readonly Tile[] {
  const columns = cut(width, largest.width, halo);
  const rows = cut(height, largest.height, halo);
  return rows.spans.flatMap((row) =>
    columns.spans.map((column) => ({
      core: { x: column.start, y: row.start, width: column.length, height: row.length },
      source: { x: column.sourceStart, y: row.sourceStart, width: columns.source, height: rows.source },
    })),
  );
}
