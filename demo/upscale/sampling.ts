/** Pictures to the pixels of a screen: magnified pixels stay squares, reduced ones are averaged. */
import type { Image, Region } from "../../src/image/types.ts";
import type { View } from "./messages.ts";

/** Columns or rows [begin, end) of the view whose centres lie in [start, start + length) of the picture. */
function covered(start: number, length: number, origin: number, zoom: number, limit: number): [number, number] {
  const at = (position: number): number => Math.ceil((position - origin) * zoom - 0.5);
  return [Math.max(0, at(start)), Math.min(limit, at(start + length))];
}

/** The part of the view that shows a region of the picture. */
export function shown({ x, y, width, height }: Region, view: View): Region {
  const [left, right] = covered(x, width, view.x, view.zoom, view.width);
  const [top, bottom] = covered(y, height, view.y, view.zoom, view.height);
  return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

/** Paints a region by the nearest pixel: exact where pixels are magnified, a quick draft where they are reduced. */
export function paintNearest(picture: Image, region: Region, view: View, rgba: Uint8ClampedArray): void {
  const target = shown(region, view);
  const { width, channels, data } = picture;
  const columns = Int32Array.from({ length: target.width }, (_, i) => {
    return Math.min(width - 1, Math.floor(view.x + (target.x + i + 0.5) / view.zoom)) * channels;
  });
  for (let i = 0; i < target.height; i++) {
    const row = Math.floor(view.y + (target.y + i + 0.5) / view.zoom);
    const from = Math.min(picture.height - 1, row) * width * channels;
    let to = ((target.y + i) * view.width + target.x) * 4;
    for (let k = 0; k < columns.length; k++, to += 4) {
      const at = from + columns[k]!;
      rgba[to] = data[at]!;
      rgba[to + 1] = data[at + 1]!;
      rgba[to + 2] = data[at + 2]!;
      rgba[to + 3] = channels === 4 ? data[at + 3]! : 255;
    }
  }
}

/** Shares of the pixels from `first` on that a column or row of the view averages. */
interface Shares {
  readonly first: number;
  readonly weights: Float32Array;
}

function sharesOf(begin: number, count: number, origin: number, zoom: number, limit: number): Shares[] {
  return Array.from({ length: count }, (_, i) => {
    const start = Math.max(0, origin + (begin + i) / zoom);
    const end = Math.min(limit, origin + (begin + i + 1) / zoom);
    const first = Math.min(limit - 1, Math.floor(start));
    const last = Math.max(first, Math.min(limit - 1, Math.ceil(end) - 1));
    const weights = Float32Array.from({ length: last - first + 1 }, (_, k) => {
      return Math.max(1e-6, Math.min(end, first + k + 1) - Math.max(start, first + k));
    });
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((w) => w / sum) };
  });
}

/** Paints a region by averaging the area under each pixel of the view: for pictures that are shown smaller than they are. */
export function paintArea(picture: Image, region: Region, view: View, rgba: Uint8ClampedArray): void {
  const target = shown(region, view);
  const { width, height, channels, data } = picture;
  const columns = sharesOf(target.x, target.width, view.x, view.zoom, width);
  const rows = sharesOf(target.y, target.height, view.y, view.zoom, height);
  if (columns.length === 0) return;
  const left = columns[0]!.first;
  const right = columns.at(-1)!.first + columns.at(-1)!.weights.length;
  const sums = new Float32Array((right - left) * channels);
  for (const [i, row] of rows.entries()) {
    sums.fill(0);
    for (const [k, weight] of row.weights.entries()) {
      const from = ((row.first + k) * width + left) * channels;
      for (let j = 0; j < sums.length; j++) sums[j]! += weight * data[from + j]!;
    }
    let to = ((target.y + i) * view.width + target.x) * 4;
    for (let x = 0; x < columns.length; x++, to += 4) {
      const { first, weights } = columns[x]!;
      let [r, g, b, a] = [0, 0, 0, channels === 4 ? 0 : 255];
      let at = (first - left) * channels;
      for (let k = 0; k < weights.length; k++, at += channels) {
        const weight = weights[k]!;
        r += weight * sums[at]!;
        g += weight * sums[at + 1]!;
        b += weight * sums[at + 2]!;
        if (channels === 4) a += weight * sums[at + 3]!;
      }
      rgba[to] = r;
      rgba[to + 1] = g;
      rgba[to + 2] = b;
      rgba[to + 3] = a;
    }
  }
}

/** Paints a region as well as it can be at this zoom. */
export function paint(picture: Image, region: Region, view: View, rgba: Uint8ClampedArray): void {
  if (view.zoom >= 1) paintNearest(picture, region, view, rgba);
  else paintArea(picture, region, view, rgba);
}
