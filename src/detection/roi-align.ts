/**
 * RoIAlign (Mask R-CNN, arXiv 1703.06870, section 3) in torchvision's form with aligned = false: each box of the feature
 * map is divided into pooled x pooled bins, and a bin's value is the mean of samples x samples bilinear samples.
 *
 * A sample's weight is a product of one of its row and one of its column, out-of-map samples (weight 0) included, and
 * so is a bin's: rows are blended first, once for all bins of a band, then columns. Cells that several samples of a bin
 * share are read once. Both passes are sums over runs of channels.
 */
import { check } from "../errors.ts";
import type { FeatureMap } from "../network/description.ts";
import { checkBoxes, checkMap } from "./checks.ts";

const f32 = Math.fround;

/** Bins a side in Faster R-CNN's head. */
export const POOLED = 7;

export interface RoiAlignOptions {
  /** Cells of the feature map per pixel of the boxes. */
  readonly scale: number;
  /** Bins a side; 7. */
  readonly pooled?: number;
  /** Samples of a bin on each axis; 2. */
  readonly samples?: number;
}

/** What the bins of one axis read: bin b sums cells[i] * weights[i] for i in [first[b], first[b + 1]). Cells rise. */
interface Taps {
  readonly first: Int32Array;
  readonly cells: Int32Array;
  readonly weights: Float32Array;
}

/**
 * Features of every box.
 * @param features [height, width, channels]
 * @param boxes    [n, 4] in pixels; sides under one cell are taken as one cell
 * @returns [n, pooled, pooled, channels]
 * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT
 */
export function roiAlign(
  features: FeatureMap<Float32Array>,
  boxes: Float32Array,
  { scale, pooled = POOLED, samples = 2 }: RoiAlignOptions,
): Float32Array {
  checkMap("features", features);
  const count = checkBoxes("boxes", boxes);
  check(Number.isFinite(scale) && scale > 0, "ERR_ARGUMENT", () => `scale: expected a positive number, got ${scale}`);
  for (const [name, value] of [["pooled", pooled] as const, ["samples", samples] as const]) {
    check(
      Number.isInteger(value) && value > 0,
      "ERR_ARGUMENT",
      () => `${name}: expected a whole number from 1, got ${value}`,
    );
  }
  const [height, width, channels] = features.shape;
  const out = new Float32Array(count * pooled * pooled * channels);
  const rows = createTaps(pooled, samples);
  const columns = createTaps(pooled, samples);
  const band = new Float32Array(width * channels);
  const offsets = new Int32Array(2 * samples);

  for (let n = 0, at = 0; n < count; n++) {
    const [x1, y1, x2, y2] = [0, 1, 2, 3].map((i) => f32(boxes[4 * n + i]! * f32(scale))) as [
      number,
      number,
      number,
      number,
    ];
    fillTaps(rows, y1, y2, height, samples);
    fillTaps(columns, x1, x2, width, samples);
    const used = columns.first[pooled]!;
    const from = used === 0 ? 0 : columns.cells[0]!;
    const run = used === 0 ? 0 : (columns.cells[used - 1]! - from + 1) * channels;
    for (let y = 0; y < pooled; y++) {
      const firstRow = rows.first[y]!;
      const rowCount = rows.first[y + 1]! - firstRow;
      for (let i = 0; i < rowCount; i++) offsets[i] = (rows.cells[firstRow + i]! * width + from) * channels;
      weightedSum(band, 0, run, features.data, offsets, rows.weights, firstRow, rowCount);
      for (let x = 0; x < pooled; x++, at += channels) {
        const firstColumn = columns.first[x]!;
        const columnCount = columns.first[x + 1]! - firstColumn;
        for (let i = 0; i < columnCount; i++) offsets[i] = (columns.cells[firstColumn + i]! - from) * channels;
        weightedSum(out, at, channels, band, offsets, columns.weights, firstColumn, columnCount);
      }
    }
  }
  return out;
}

function createTaps(pooled: number, samples: number): Taps {
  const most = 2 * pooled * samples;
  return { first: new Int32Array(pooled + 1), cells: new Int32Array(most), weights: new Float32Array(most) };
}

/**
 * Positions in f32, operation by operation as in torchvision, because a position decides which cells are read. A sample
 * outside [-1, size] counts as 0; one between there and the outermost cell's position takes that cell's value.
 */
function fillTaps(taps: Taps, start: number, end: number, size: number, samples: number): void {
  const { first } = taps;
  const bins = first.length - 1;
  const bin = f32(Math.max(f32(end - start), 1) / bins);
  let count = 0;
  for (let b = 0; b < bins; b++) {
    first[b] = count;
    for (let s = 0; s < samples; s++) {
      const at = f32(f32(start + f32(b * bin)) + f32(f32((s + 0.5) * bin) / samples));
      if (!(at >= -1 && at <= size)) continue;
      const position = Math.min(Math.max(at, 0), size - 1);
      const cell = Math.floor(position);
      const upper = f32(position - cell);
      count = addTap(taps, first[b]!, count, cell, f32(1 - upper) / samples);
      if (upper > 0) count = addTap(taps, first[b]!, count, cell + 1, upper / samples);
    }
  }
  first[bins] = count;
}

/** Adds to the weight of a cell that the bin has, or appends it; returns how many taps there are then. */
function addTap({ cells, weights }: Taps, binStart: number, count: number, cell: number, weight: number): number {
  // Samples rise, so a cell that the bin has already is among its last two.
  for (let i = count - 1; i >= binStart && i >= count - 2; i--) {
    if (cells[i] !== cell) continue;
    weights[i]! += weight;
    return count;
  }
  cells[count] = cell;
  weights[count] = weight;
  return count + 1;
}

/** out[at + i] = sum over k < count of weights[first + k] * source[offsets[k] + i], for i < length. */
function weightedSum(
  out: Float32Array,
  at: number,
  length: number,
  source: Float32Array,
  offsets: Int32Array,
  weights: Float32Array,
  first: number,
  count: number,
): void {
  if (count === 0) {
    out.fill(0, at, at + length);
    return;
  }
  // One to four taps are all that two samples can have; one pass over memory for them.
  const a = offsets[0]!;
  const b = count > 1 ? offsets[1]! : a;
  const c = count > 2 ? offsets[2]! : a;
  const d = count > 3 ? offsets[3]! : a;
  const u = weights[first]!;
  const v = count > 1 ? weights[first + 1]! : 0;
  const w = count > 2 ? weights[first + 2]! : 0;
  const t = count > 3 ? weights[first + 3]! : 0;
  if (count === 1) for (let i = 0; i < length; i++) out[at + i] = u * source[a + i]!;
  else if (count === 2) for (let i = 0; i < length; i++) out[at + i] = u * source[a + i]! + v * source[b + i]!;
  else if (count === 3) {
    for (let i = 0; i < length; i++) out[at + i] = u * source[a + i]! + v * source[b + i]! + w * source[c + i]!;
  } else {
    for (let i = 0; i < length; i++) {
      out[at + i] = u * source[a + i]! + v * source[b + i]! + (w * source[c + i]! + t * source[d + i]!);
    }
  }
  for (let k = 4; k < count; k++) {
    const offset = offsets[k]!;
    const weight = weights[first + k]!;
    for (let i = 0; i < length; i++) out[at + i]! += weight * source[offset + i]!;
  }
}

/**
 * Weights of the layer that reads RoIAlign's bins, from PyTorch's order of inputs [channels, pooled, pooled] to that of
 * `roiAlign`, [pooled, pooled, channels]: the flattened features then meet the same weights.
 * @param weights [outputs, channels * pooled * pooled]
 * @returns       [outputs, pooled * pooled * channels]
 * @throws WasmogradError ERR_SHAPE
 */
export function headWeightsFromTorch(weights: Float32Array, channels: number, pooled: number = POOLED): Float32Array {
  const bins = pooled * pooled;
  const inputs = bins * channels;
  check(Number.isInteger(inputs) && inputs > 0 && weights.length % inputs === 0, "ERR_SHAPE", () => {
    return `weights: expected whole rows of ${inputs} (${channels} x ${pooled} x ${pooled}), got ${weights.length} values`;
  });
  const permuted = new Float32Array(weights.length);
  for (let row = 0; row < weights.length; row += inputs) {
    for (let channel = 0; channel < channels; channel++) {
      for (let bin = 0; bin < bins; bin++) {
        permuted[row + bin * channels + channel] = weights[row + channel * bins + bin]!;
      }
    }
  }
  return permuted;
}
