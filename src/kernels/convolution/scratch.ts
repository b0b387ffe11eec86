/** The working memory of one convolution call: how large, and where the kernel's buffers lie in it. */

import type { WinogradKernel } from "../winograd/algorithms.ts";
import type { WinogradBlocks } from "../winograd/blocks.ts";
import { ROW_TABLE } from "../winograd/rows.ts";
import { PRODUCTS_STRIDE, TILES } from "../winograd/table.ts";
import type { ConvGeometry } from "./geometry.ts";
import { depthwisePairs, roundUp } from "./pack.ts";
import type { ConvParam } from "./params.ts";
import type { LayerShape } from "./spec.ts";

/** Output columns of a depthwise tile: its strips and sums stay in the first cache with 7x7 f32 kernels too. */
const TILE_COLUMNS = 32;
/** Of assembly/conv/strips.ts: bytes ahead of the strips, strips filled at once, bytes of sums a pixel. */
const STRIPS = 64;
const STRIP_COUNT = 4;
const SUMS_PIXEL = 64;

/** What of a packed convolution its working memory depends on. */
export interface LaidOut {
  readonly spec: LayerShape & { readonly dtype: "s8" | "f32" };
  /** Export of the binary. */
  readonly kernel: string;
  readonly winograd: WinogradKernel | undefined;
  readonly blocks: WinogradBlocks;
}

export interface ScratchLayout {
  readonly bytes: number;
  readonly fields: (scratch: number) => Partial<Record<ConvParam, number>>;
}

function directScratch(packed: LaidOut, g: ConvGeometry): ScratchLayout {
  const elementBytes = packed.spec.dtype === "f32" ? 4 : 2;
  const pixels = packed.spec.oc <= 4 ? 6 : 4;
  // The last group of pixels reads columns beyond the padded row; those products are not stored.
  const columns = (roundUp(g.ow, pixels) - 1) * g.stride + g.kw;
  const elements = Math.max(columns, g.padLeft + g.iw) * g.ic + 16;
  // A row stride that is an odd multiple of 64 keeps the kh rows out of each other's cache sets.
  const rowStride = (Math.ceil((elements * elementBytes + 64) / 64) | 1) * 64;
  return { bytes: g.kh * rowStride, fields: (scratch) => ({ scratch, scratchRowStride: rowStride }) };
}

function depthwiseScratch(packed: LaidOut, g: ConvGeometry): ScratchLayout {
  const tileColumns = Math.min(TILE_COLUMNS, roundUp(g.ow, 4));
  const columns = (tileColumns - 1) * g.stride + g.kw;
  const vectors = packed.spec.dtype === "f32" ? g.kh + g.stride : depthwisePairs(g.kh, g.stride);
  // An odd multiple of 64 keeps the strips out of each other's cache sets.
  const scratchRowStride = (Math.ceil((columns * vectors * 16) / 64) | 1) * 64;
  const bytes = STRIPS + STRIP_COUNT * scratchRowStride + 2 * tileColumns * SUMS_PIXEL;
  return { bytes, fields: (scratch) => ({ scratch, scratchRowStride, tileColumns }) };
}

function winogradScratch(packed: LaidOut, algorithm: WinogradKernel, g: ConvGeometry): ScratchLayout {
  const { m, n, planes, workspaceBytes } = algorithm;
  const float = packed.spec.dtype === "f32";
  // Whole vectors of channels: 8 int16 or 4 f32.
  const tileBytes = Math.ceil(packed.blocks.channels / (float ? 4 : 8)) * 16;
  const tiles = Math.min(TILES, Math.ceil(g.ow / m) * Math.ceil(g.oh / m));
  // Off the powers of two, so that the planes do not fall into the same cache sets. The product takes tiles in fours and may read past
  // the last ones, into the next plane or the products: stale values whose results nobody reads.
  const planeTilesStride = tiles * tileBytes + 64;
  const planeTilesBytes = planes * planeTilesStride;
  const productsBytes = roundUp(planes * PRODUCTS_STRIDE, 64);
  const patchBytes = roundUp(n * n * g.ic * (float ? 4 : 1) + 16, 64);
  const sumsBytes = packed.blocks.blocked ? tiles * m * m * roundUp(g.oc, 8) * 4 : 0;
  return {
    bytes: planeTilesBytes + productsBytes + workspaceBytes + patchBytes + sumsBytes,
    fields: (scratch) => {
      const products = scratch + planeTilesBytes;
      const workspace = products + productsBytes;
      const patch = workspace + workspaceBytes;
      const sums = sumsBytes === 0 ? 0 : patch + patchBytes;
      return { planeTiles: scratch, planeTilesStride, products, workspace, patch, sums };
    },
  };
}

/** Pixels that the panels of a 1x1 convolution hold at most, if they can choose: more would leave the second cache. */
const LONGEST_ROW = 64;

/**
 * Pixels of the rows that a 1x1 convolution with stride 1 is run in, or undefined where rows are those of the picture. To such a layer a map
 * is one line of pixels, so rows may be as long as fills tiles of four and reuses a filter often, however narrow the map.
 */
export function longRow(packed: LaidOut, { oh, ow, stride }: ConvGeometry): number | undefined {
  if (stride !== 1 || !packed.kernel.endsWith("conv2d_1x1_4x8")) return undefined;
  const pixels = oh * ow;
  return roundUp(Math.ceil(pixels / Math.ceil(pixels / LONGEST_ROW)), 4);
}

/** Panels of four pixels, their steps rounded up to whole transposes. */
function pointwiseScratch(packed: LaidOut, g: ConvGeometry): ScratchLayout {
  const steps = packed.spec.dtype === "f32" ? g.ic : Math.ceil(g.ic / 2);
  const scratchRowStride = roundUp(steps, 4) * 16;
  return {
    bytes: Math.ceil((longRow(packed, g) ?? g.ow) / 4) * scratchRowStride,
    fields: (scratch) => ({ scratch, scratchRowStride }),
  };
}

/** A ring of rows, each of planes of 4-byte columns. */
function planesScratch(packed: LaidOut, g: ConvGeometry): ScratchLayout {
  const planes = roundUp(packed.spec.dtype === "f32" ? g.ic : Math.ceil(g.ic / 2), 4);
  // Pixels are copied in fours, the last of which may overhang.
  const columns = Math.max(roundUp(g.ow, 8) + g.kw - 1, g.padLeft + roundUp(g.iw, 4));
  const scratchRowStride = planes * (Math.ceil(columns / 16) | 1) * 64;
  return { bytes: g.kh * scratchRowStride, fields: (scratch) => ({ scratch, scratchRowStride }) };
}

/** A ring of five transformed rows, the products of eight tiles, and a padded row. */
function rowsScratch(g: ConvGeometry): ScratchLayout {
  const { m, planes, r } = ROW_TABLE;
  const tiles = roundUp(Math.ceil(g.ow / m), 8);
  // Off the powers of two, so that planes do not fall into the same cache sets.
  const planeTilesStride = tiles * roundUp(g.ic, 8) * 2 + 64;
  const scratchRowStride = planes * planeTilesStride;
  const ringBytes = r * scratchRowStride;
  // And behind them four tiles of pixels, four channels each.
  const productsBytes = planes * 8 * 16 + m * 4 * 16;
  const patchBytes = roundUp((tiles * m + planes - m) * g.ic + 8, 64);
  return {
    bytes: ringBytes + productsBytes + patchBytes,
    fields: (scratch) => {
      const products = scratch + ringBytes;
      return { planeTiles: scratch, planeTilesStride, scratchRowStride, products, patch: products + productsBytes };
    },
  };
}

export function scratchLayout(packed: LaidOut, geometry: ConvGeometry): ScratchLayout {
  if (packed.kernel.endsWith("conv2d_8x4")) return planesScratch(packed, geometry);
  if (packed.kernel.endsWith("conv2d_1x1_4x8")) return pointwiseScratch(packed, geometry);
  if (packed.kernel === ROW_TABLE.kernel) return rowsScratch(geometry);
  if (packed.winograd) return winogradScratch(packed, packed.winograd, geometry);
  return packed.spec.depthwise ? depthwiseScratch(packed, geometry) : directScratch(packed, geometry);
}
