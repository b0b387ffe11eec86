/**
 * NN-Mass: how many channels a network offers to its skip connections, a number that is known before any training. There are two
 * definitions, and they do not agree on the same network:
 *
 * - RAN's (arXiv 2208.08562, official code of RAN-i): every residual block counts its width twice.
 * - the parent's (arXiv 1910.00780; the authors' public code, as the text of neither paper was at hand): the density of the skip
 *   connections of a cell times its width and depth, and closed forms for residual blocks.
 */
import { check } from "../errors.ts";

/** Blocks of one width, one after the other. */
export interface BlockStage {
  /** Blocks. */
  readonly depth: number;
  /** Channels that the residual connection carries. */
  readonly width: number;
}

/** RAN's NN-Mass: the sum over all residual blocks of twice their width (RAN, official code). */
export function blockMass(stages: readonly BlockStage[]): number {
  return stages.reduce((sum, { depth, width }) => sum + depth * 2 * width, 0);
}

/**
 * A cell of fully connected or convolutional layers with DenseNet-type random skips (parent paper). Layer 0 makes the first `width`
 * channels; layer l >= 2 sees the channels of layer l-1 and at most `maxSkips` of the (l-1) * width channels before those.
 */
export interface DenseCell {
  /** Channels that each layer makes, at least 1. */
  readonly width: number;
  /** Layers, at least 3: the first that can have a skip is the third. */
  readonly depth: number;
  /** Extra input channels that a layer takes at most, at least 0. */
  readonly maxSkips: number;
}

/** @throws WasmogradError ERR_ARGUMENT */
export function checkCell({ width, depth, maxSkips }: DenseCell): void {
  const least = { width: 1, depth: 3, maxSkips: 0 };
  for (const [name, value] of Object.entries({ width, depth, maxSkips })) {
    const from = least[name as keyof DenseCell];
    check(
      Number.isSafeInteger(value) && value >= from,
      "ERR_ARGUMENT",
      () => `${name}: expected an integer from ${from}, got ${value}`,
    );
  }
}

/** Extra input channels of each layer, min(maxSkips, (l-1) * width) from l = 2 on and none before. */
export function skipChannels({ width, depth, maxSkips }: DenseCell): number[] {
  return Array.from({ length: depth }, (_, l) => (l < 2 ? 0 : Math.min(maxSkips, (l - 1) * width)));
}

/** Share of the possible skip connections that a cell has, 0 to 1 (parent paper, code). @throws WasmogradError ERR_ARGUMENT */
export function cellDensity(cell: DenseCell): number {
  checkCell(cell);
  const taken = skipChannels(cell).reduce((sum, n) => sum + n, 0);
  const possible = (cell.width * (cell.depth - 1) * (cell.depth - 2)) / 2;
  return taken / possible;
}

/** Density times width times depth (parent paper, code). @throws WasmogradError ERR_ARGUMENT */
export function cellMass(cell: DenseCell): number {
  return cellDensity(cell) * cell.width * cell.depth;
}

/** The parent's NN-Mass of a network: the sum over its cells. @throws WasmogradError ERR_ARGUMENT */
export function denseMass(cells: readonly DenseCell[]): number {
  return cells.reduce((sum, cell) => sum + cellMass(cell), 0);
}
