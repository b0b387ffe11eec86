/**
 * The detector's input size, torchvision's GeneralizedRCNNTransform: the short side to 800 pixels unless the long one
 * would pass 1200, bilinear, then zeros at the right and the bottom up to multiples of 32. Boxes go the way back.
 *
 * `src/image` resizes bicubically with antialiasing (MATLAB's model); this is PyTorch's plain bilinear, which reads four
 * pixels whatever the factor. The weights were trained on such pictures.
 */
import { check } from "../errors.ts";
import type { Size } from "../image/types.ts";
import type { FeatureMap } from "../network/description.ts";
import { checkBoxes, checkMap, checkSize } from "./checks.ts";

const f32 = Math.fround;

/** Sides of the resized picture in pixels; its proportions stay. */
export interface ResizeRule {
  /** What the short side becomes; 800. */
  readonly shortSide?: number;
  /** What the long side must not pass; 1200. */
  readonly longSide?: number;
}

/**
 * The size of a resized picture: both sides times one factor, rounded down. The factor is an f32, as in the release of
 * torchvision that RAN-i used (0.13): a short side often becomes 799, where the f32 lies below the exact quotient.
 * @throws WasmogradError ERR_SHAPE for a size that is not one, or a picture so narrow that nothing would be left
 */
export function resizedSize(size: Size, { shortSide = 800, longSide = 1200 }: ResizeRule = {}): Size {
  checkSize("size", size);
  const short = Math.min(size.width, size.height);
  const long = Math.max(size.width, size.height);
  // PyTorch divides a number by a tensor as number * (1 / tensor), both steps rounded.
  const factor = Math.min(f32(f32(1 / short) * shortSide), f32(f32(1 / long) * longSide));
  const resized = { width: Math.floor(size.width * factor), height: Math.floor(size.height * factor) };
  check(resized.width > 0 && resized.height > 0, "ERR_SHAPE", () => {
    return `size: expected sides that differ less than ${longSide}-fold, got ${size.width} x ${size.height}`;
  });
  return resized;
}

/** Both sides rounded up to multiples of the network's stride. */
export function paddedSize({ width, height }: Size, multiple = 32): Size {
  return { width: Math.ceil(width / multiple) * multiple, height: Math.ceil(height / multiple) * multiple };
}

/** Rows of f32 samples, channels interleaved, made when they are asked for. */
export interface RowSource extends Size {
  readonly channels: number;
  /** Writes row y, width * channels values. */
  readonly read: (y: number, into: Float32Array) => void;
}

/** Where the samples of one axis lie: between `low` and the next one, `upper` of the way. */
interface Axis {
  readonly low: Int32Array;
  readonly upper: Float32Array;
}

/** align_corners = false: (o + 0.5) * input / output - 0.5, not below 0; as in PyTorch the quotient alone is an f32. */
function bilinearAxis(input: number, output: number): Axis {
  const ratio = f32(input / output);
  const low = new Int32Array(output);
  const upper = new Float32Array(output);
  for (let o = 0; o < output; o++) {
    const position = Math.max(0, ratio * (o + 0.5) - 0.5);
    low[o] = Math.min(Math.floor(position), input - 1);
    upper[o] = low[o]! + 1 < input ? f32(position - low[o]!) : 0;
  }
  return { low, upper };
}

/**
 * Bilinear resize by PyTorch's `interpolate(align_corners=False)`, into the top left of a larger map of zeros.
 * Each row of the source is read at most once, in rising order.
 * @param to     size of the resized picture
 * @param padded size of the map, at least `to`
 * @returns [padded.height, padded.width, channels]
 * @throws WasmogradError ERR_SHAPE
 */
export function resizeRows(source: RowSource, to: Size, padded: Size = to): FeatureMap<Float32Array> {
  checkSize("source", source);
  checkSize("to", to);
  check(padded.width >= to.width && padded.height >= to.height, "ERR_SHAPE", () => {
    return `padded: expected at least ${to.width} x ${to.height}, got ${padded.width} x ${padded.height}`;
  });
  const { channels } = source;
  const rows = bilinearAxis(source.height, to.height);
  const columns = bilinearAxis(source.width, to.width);
  const data = new Float32Array(padded.width * padded.height * channels);
  const row = new Float32Array(source.width * channels);
  const run = to.width * channels;
  // Two resized rows: a row of the output lies between source rows low and low + 1, kept in the slot of their parity.
  const kept = [new Float32Array(run), new Float32Array(run)] as const;
  const held = [-1, -1];
  const resized = (y: number): Float32Array => {
    if (held[y % 2] !== y) {
      source.read(y, row);
      resizeRow(row, kept[y % 2]!, channels, columns);
      held[y % 2] = y;
    }
    return kept[y % 2]!;
  };
  for (let y = 0; y < to.height; y++) {
    const upper = rows.upper[y]!;
    const above = resized(rows.low[y]!);
    const below = upper > 0 ? resized(rows.low[y]! + 1) : above;
    const lower = f32(1 - upper);
    const at = y * padded.width * channels;
    for (let i = 0; i < run; i++) data[at + i] = lower * above[i]! + upper * below[i]!;
  }
  return { shape: [padded.height, padded.width, channels], data };
}

function resizeRow(row: Float32Array, out: Float32Array, channels: number, { low, upper }: Axis): void {
  for (let x = 0, at = 0; x < low.length; x++) {
    const right = upper[x]!;
    const left = f32(1 - right);
    const from = low[x]! * channels;
    const next = right > 0 ? channels : 0;
    for (let c = 0; c < channels; c++, at++) out[at] = left * row[from + c]! + right * row[from + next + c]!;
  }
}

/** The same for a map that is there as a whole. @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT */
export function resizeMap(map: FeatureMap<Float32Array>, to: Size, padded: Size = to): FeatureMap<Float32Array> {
  checkMap("map", map);
  const [height, width, channels] = map.shape;
  const read = (y: number, into: Float32Array): void => {
    into.set(map.data.subarray(y * into.length, (y + 1) * into.length));
  };
  return resizeRows({ width, height, channels, read }, to, padded);
}

/**
 * Boxes of the resized picture as boxes of the original, each axis by its own ratio (sizes were rounded).
 * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT
 */
export function boxesToOriginal(boxes: Float32Array, resized: Size, original: Size): Float32Array {
  checkBoxes("boxes", boxes);
  checkSize("resized", resized);
  checkSize("original", original);
  const x = f32(original.width / resized.width);
  const y = f32(original.height / resized.height);
  return boxes.map((value, i) => value * (i % 2 === 0 ? x : y));
}
