/** Work of the Winograd kernels over some rows of a layer: transforms, products and what borders cost, counted. */
import { roundUp } from "../../kernels/convolution/pack.ts";
import { ROW_TABLE } from "../../kernels/winograd/rows.ts";
import { PRODUCTS_STRIDE, TILES } from "../../kernels/winograd/table.ts";
import type { ConvolutionCounts, ConvolutionLayer } from "./convolution-work.ts";
import { padded, ROWS } from "./tails.ts";

/** Tiles of a call that touch the picture's border, whose input is copied first. */
function borderTiles({ geometry: g, winograd }: ConvolutionLayer, tileRows: number, first: number): number {
  const { m, n } = winograd!;
  const across = Math.ceil(g.ow / m);
  const inner = Math.min(across, Math.ceil(g.padLeft / m));
  const innerEnd = g.iw + g.padLeft < n ? 0 : Math.min(across, Math.floor((g.iw + g.padLeft - n) / m) + 1);
  const inside = Math.max(0, innerEnd - inner);
  let border = 0;
  for (let t = 0; t < tileRows; t++) {
    const iy = first + t * m - g.padTop;
    border += iy >= 0 && iy + n <= g.ih ? across - inside : across;
  }
  return border;
}

function planeCounts(layer: ConvolutionLayer, [begin, end]: readonly [number, number]): ConvolutionCounts {
  const { geometry: g, winograd, residual } = layer;
  const { m, n, planes } = winograd!;
  const float = layer.spec.dtype === "f32";
  const pair = float ? 1 : 2;
  const tileRows = Math.ceil((end - begin) / m);
  const across = Math.ceil(g.ow / m);
  const tiles = tileRows * across;
  const groups = Math.ceil(tiles / TILES);
  const inGroups = (groups - 1) * TILES + roundUp(tiles - (groups - 1) * TILES, 4);
  const lanes = g.oc <= 4 ? 4 : 8;
  const blocks = Math.ceil(g.oc / lanes);
  const steps = Math.ceil(g.ic / pair);
  const vectors = Math.ceil(g.ic / (float ? 4 : 8));
  const border = borderTiles(layer, tileRows, begin);
  const tileBytes = planes * vectors * 16;
  const blockBytes = planes * steps * lanes * 2 * pair;
  const perGroup = Math.min(tiles, TILES) * tileBytes;
  const products = planes * PRODUCTS_STRIDE;
  const whole = m === 4 ? Math.floor(g.oc / 8) * tileRows * Math.floor(g.ow / m) : 0;
  return {
    macs: planes * inGroups * blocks * lanes * steps * pair,
    parts: {
      input: tiles * vectors,
      borders: border,
      borderBytes: (border * n * n * g.ic * (float ? 4 : 1)) / 16,
      // A panel of a plane is a loop of its own.
      turns: (planes * inGroups * blocks) / 4,
      output: whole,
      halves: tiles * Math.ceil(g.oc / 4) - 2 * whole,
      odd: g.oc % 4 === 0 ? 0 : tiles,
      ...(residual && { residual: tiles * Math.ceil(g.oc / 4) }),
    },
    inner: [
      { bytes: groups * blocks * blockBytes, distance: blocks * blockBytes + perGroup + products },
      { bytes: groups * blocks * perGroup, distance: perGroup + blockBytes / planes + products },
      { bytes: 2 * groups * blocks * products, distance: products + tileBytes },
    ],
    tails: [
      ...padded(ROWS, end - begin, m),
      ...padded("columns", g.ow, m),
      ...padded("output channels", g.oc, lanes),
      ...(pair === 2 ? padded("input channels", g.ic, 2) : []),
    ],
  };
}

/** f1x4-5x5-rational: a ring of five transformed rows, eight tiles of four columns at a time. */
function rowCounts({ geometry: g, residual }: ConvolutionLayer, rows: number): ConvolutionCounts {
  const { m, r, planes } = ROW_TABLE;
  const groups = Math.ceil(g.ow / (8 * m));
  const blocks = Math.ceil(g.ic / 8);
  const fours = Math.ceil(g.oc / 4);
  const filled = r + rows - 1;
  const ringRow = planes * groups * blocks * 128;
  const panel = planes * r * blocks * 64;
  const inside = rows * Math.ceil(g.ow / m) * fours;
  return {
    macs: rows * fours * groups * planes * r * blocks * 4 * 64,
    parts: {
      input: filled * groups * blocks * 8,
      borderBytes: (filled * (groups * 8 * m + planes - m) * g.ic) / 16,
      borders: filled,
      turns: rows * fours * groups * planes * r,
      output: inside,
      odd: g.oc % 4 === 0 ? 0 : rows * Math.ceil(g.ow / m),
      ...(residual && { residual: inside }),
    },
    inner: [
      { bytes: rows * fours * panel, distance: fours * panel + r * ringRow },
      { bytes: rows * fours * groups * panel, distance: panel },
      { bytes: rows * fours * r * ringRow, distance: r * ringRow + panel },
    ],
    tails: [
      ...padded("columns", g.ow, 8 * m),
      ...padded("input channels", g.ic, 8),
      ...padded("output channels", g.oc, 4),
    ],
  };
}

/** @param range rows [begin, end) of the output */
export function winogradCounts(layer: ConvolutionLayer, range: readonly [number, number]): ConvolutionCounts {
  return layer.winograd ? planeCounts(layer, range) : rowCounts(layer, range[1] - range[0]);
}
