/** Work of the direct, pointwise and depthwise kernels over some rows of a layer: their loops, counted. */
import type { ConvGeometry } from "../../kernels/convolution/geometry.ts";
import { depthwisePairs, roundUp } from "../../kernels/convolution/pack.ts";
import { type LaidOut, longRow } from "../../kernels/convolution/scratch.ts";
import { padded, ROWS } from "./tails.ts";
import type { Work } from "./work.ts";

export interface ConvolutionCounts extends Pick<Work, "macs" | "parts" | "tails"> {
  /** Reads of filters and of the kernel's own buffers, in bytes, by how many bytes lie between two reads. */
  readonly inner: readonly { readonly bytes: number; readonly distance: number }[];
}

/** A convolution as the kernels see it. */
export interface ConvolutionLayer extends LaidOut {
  readonly geometry: ConvGeometry;
  readonly residual: boolean;
}

const VECTOR = 16;

/** Products of a step: single f32, pairs of int8. */
const paired = ({ spec }: LaidOut): 1 | 2 => (spec.dtype === "f32" ? 1 : 2);
const elementBytes = ({ spec }: LaidOut): 2 | 4 => (spec.dtype === "f32" ? 4 : 2);

/** Input rows that a call brings into its line buffer. */
const filledRows = ({ kh, stride }: ConvGeometry, rows: number): number => kh + (rows - 1) * Math.min(stride, kh);

/** Tiles of four channels and pixels whose channels are not all there: they are stored byte by byte, or value by value. */
const oddTiles = (oc: number, tiles: number): number => (oc % 4 === 0 ? 0 : tiles);

/** conv2d_4x8 and conv2d_6x4: line buffers of padded rows, tiles of pixels times channels. */
function tiledCounts(layer: ConvolutionLayer, rows: number, pixels: number, lanes: number): ConvolutionCounts {
  const { geometry: g, residual } = layer;
  const pair = paired(layer);
  const steps = Math.ceil((g.kw * g.ic) / pair);
  const across = Math.ceil(g.ow / pixels);
  const blocks = Math.ceil(g.oc / lanes);
  const tiles = rows * across * blocks;
  const rowBytes = ((g.ow - 1) * g.stride + g.kw) * g.ic * elementBytes(layer);
  const blockBytes = g.kh * steps * lanes * 2 * pair;
  return {
    macs: tiles * pixels * lanes * g.kh * steps * pair,
    parts: {
      input: (filledRows(g, rows) * rowBytes) / VECTOR,
      turns: tiles * g.kh,
      output: tiles,
      odd: oddTiles(g.oc, rows * across),
      ...(residual && { residual: tiles }),
    },
    inner: [
      // Each row of outputs meets all filters; each tile meets those of its block.
      { bytes: rows * blocks * blockBytes, distance: blocks * blockBytes + g.kh * rowBytes },
      { bytes: tiles * blockBytes, distance: blockBytes },
      { bytes: rows * blocks * g.kh * rowBytes, distance: g.kh * rowBytes + blockBytes },
    ],
    tails: [
      ...padded("columns", g.ow, pixels),
      ...padded("output channels", g.oc, lanes),
      ...(pair === 2 ? padded("values of a kernel row", g.kw * g.ic, 2) : []),
    ],
  };
}

/** conv2d_8x4: lanes are pixels, at most four output channels. */
function planarCounts(layer: ConvolutionLayer, rows: number): ConvolutionCounts {
  const { geometry: g, residual } = layer;
  const pair = paired(layer);
  const planes = Math.ceil(g.ic / pair);
  const across = Math.ceil(g.ow / 8);
  const columns = roundUp(g.ow, 8) + g.kw - 1;
  const rowBytes = roundUp(planes, 4) * columns * 4;
  const tiles = rows * across;
  return {
    macs: tiles * 32 * g.kh * g.kw * planes * pair,
    parts: {
      input: (filledRows(g, rows) * rowBytes) / VECTOR,
      turns: tiles * g.kh * (planes === 1 ? 1 : g.kw),
      output: rows * Math.ceil(g.ow / 4),
      odd: oddTiles(g.oc, rows * Math.ceil(g.ow / 4)),
      ...(residual && { residual: rows * Math.ceil(g.ow / 4) }),
    },
    inner: [
      { bytes: rows * g.kh * rowBytes, distance: g.kh * rowBytes },
      // A tile visits all planes, a line of the cache of each.
      { bytes: tiles * g.kh * planes * (g.kw + 7) * 4, distance: g.kh * planes * 64 },
    ],
    tails: [
      ...padded("columns", g.ow, 8),
      ...padded("output channels", g.oc, 4),
      ...(pair === 2 ? padded("input channels", g.ic, 2) : []),
    ],
  };
}

/** conv2d_1x1_4x8: panels of four pixels. */
function pointwiseCounts(layer: ConvolutionLayer, rows: number): ConvolutionCounts {
  const { geometry: g, residual } = layer;
  const pair = paired(layer);
  const steps = Math.ceil(g.ic / pair);
  const blocks = Math.ceil(g.oc / 8);
  const long = longRow(layer, g);
  const pixels = rows * g.ow;
  const columns = long ?? g.ow;
  const lines = long === undefined ? rows : Math.ceil(pixels / long);
  const perLine = Math.ceil(columns / 4);
  const groups =
    long === undefined ? rows * perLine : Math.floor(pixels / long) * perLine + Math.ceil((pixels % long) / 4);
  const tiles = groups * blocks;
  const panelBytes = roundUp(steps, 4) * VECTOR;
  const blockBytes = steps * 16 * pair;
  return {
    macs: tiles * 32 * steps * pair,
    parts: {
      input: (groups * panelBytes) / VECTOR,
      lines: lines * blocks,
      output: tiles,
      odd: oddTiles(g.oc, groups),
      ...(residual && { residual: tiles }),
    },
    inner: [
      { bytes: lines * blocks * blockBytes, distance: blocks * blockBytes + perLine * panelBytes },
      { bytes: tiles * blockBytes, distance: blockBytes },
      { bytes: lines * blocks * perLine * panelBytes, distance: perLine * panelBytes + blockBytes },
    ],
    tails: [
      ...padded("pixels of a row", long === undefined ? g.ow : pixels, 4),
      ...padded("output channels", g.oc, 8),
      ...(pair === 2 ? padded("input channels", g.ic, 2) : []),
    ],
  };
}

const TILE_COLUMNS = 32;
const STRIP_CHANNELS = 16;

/** dwconv2d_2x4x4: two rows, four pixels and four channels a tile; strips of 16 channels. */
function depthwiseCounts(layer: ConvolutionLayer, rows: number): ConvolutionCounts {
  const { geometry: g, residual } = layer;
  const float = layer.spec.dtype === "f32";
  const wide = Math.min(TILE_COLUMNS, roundUp(g.ow, 4));
  const pairs = depthwisePairs(g.kh, g.stride);
  const rowPairs = Math.ceil(rows / 2);
  const strips = Math.ceil(g.oc / STRIP_CHANNELS);
  let columns = 0;
  let tiles = 0;
  let turns = 0;
  for (let left = 0; left < g.ow; left += wide) {
    const four = Math.ceil((Math.min(g.ow, left + wide) - left) / 4);
    columns += (four * 4 - 1) * g.stride + g.kw;
    tiles += four;
    turns++;
  }
  const fours = Math.ceil(g.oc / 4);
  const whole = g.oc >= STRIP_CHANNELS && !residual ? Math.floor(g.oc / STRIP_CHANNELS) : 0;
  const pixels = rows * g.ow;
  return {
    macs: rowPairs * tiles * fours * (float ? 32 * g.kh * g.kw : 64 * g.kw * pairs),
    parts: {
      input: rowPairs * columns * strips * 4 * (float ? g.kh + g.stride : pairs),
      // Strips begin and end with calls and borders; tiles with their sums.
      turns: rowPairs * turns * strips,
      tiles: rowPairs * tiles * fours,
      output: pixels * whole * 4,
      edges: pixels * (fours - whole * 4),
      odd: oddTiles(g.oc, pixels),
    },
    inner: [],
    tails: [
      ...padded("columns", g.ow, 4),
      ...padded("channels", g.oc, 4),
      ...padded(ROWS, rows, 2),
      ...(float ? [] : padded("rows of the kernel and its stride", g.kh + g.stride, 2)),
    ],
  };
}

/** undefined where the layer has a Winograd kernel. */
export function directCounts(layer: ConvolutionLayer, rows: number): ConvolutionCounts | undefined {
  const { kernel } = layer;
  if (kernel.endsWith("conv2d_4x8")) return tiledCounts(layer, rows, 4, 8);
  if (kernel.endsWith("conv2d_6x4")) return tiledCounts(layer, rows, 6, 4);
  if (kernel.endsWith("conv2d_8x4")) return planarCounts(layer, rows);
  if (kernel.endsWith("conv2d_1x1_4x8")) return pointwiseCounts(layer, rows);
  if (kernel.endsWith("dwconv2d_2x4x4")) return depthwiseCounts(layer, rows);
  return undefined;
}
