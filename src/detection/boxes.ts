/**
 * Boxes: f32 rows x1, y1, x2, y2 in pixels, edges and not pixel indices, so that the width is x2 - x1. Every operation
 * is rounded to f32, because thresholds further on decide by these values; formulas are those of torchvision's BoxCoder
 * and ops.boxes.
 */
import { check } from "../errors.ts";
import type { Size } from "../image/types.ts";
import { checkBoxes, checkFinite, checkSize } from "./checks.ts";

const f32 = Math.fround;

/** By how much the four deltas were multiplied in training: [x, y, width, height]. */
export type BoxWeights = readonly [number, number, number, number];
/** Region proposals. */
export const PROPOSAL_WEIGHTS: BoxWeights = [1, 1, 1, 1];
/** The heads' boxes. */
export const HEAD_WEIGHTS: BoxWeights = [10, 10, 5, 5];

/** A box grows at most 62.5-fold on an axis, whatever the network says. */
const MAX_LOG_GROWTH = f32(Math.log(1000 / 16));

/**
 * Moves and scales reference boxes by what a network predicts: centre + delta * size, size * exp(delta).
 * @param deltas     [n, perBox, 4] as dx, dy, dw, dh
 * @param references [n, 4], anchors or proposals
 * @param perBox     predictions for each reference box (classes of the heads; 1 by default)
 * @returns [n, perBox, 4]; a corner past the range of f32 is infinite, which `clipBoxes` mends
 * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT (values that are not finite)
 */
export function decodeBoxes(
  deltas: Float32Array,
  references: Float32Array,
  weights: BoxWeights,
  perBox = 1,
): Float32Array {
  const count = checkBoxes("references", references);
  check(deltas.length === count * perBox * 4, "ERR_SHAPE", () => {
    return `deltas: expected ${count * perBox * 4} values (${count} x ${perBox} x 4), got ${deltas.length}`;
  });
  checkFinite("deltas", deltas);
  const boxes = new Float32Array(deltas.length);
  for (let n = 0, at = 0; n < count; n++) {
    const left = references[4 * n]!;
    const top = references[4 * n + 1]!;
    const width = f32(references[4 * n + 2]! - left);
    const height = f32(references[4 * n + 3]! - top);
    const centreX = f32(left + f32(0.5 * width));
    const centreY = f32(top + f32(0.5 * height));
    for (let k = 0; k < perBox; k++, at += 4) {
      const x = f32(f32(f32(deltas[at]! / weights[0]) * width) + centreX);
      const y = f32(f32(f32(deltas[at + 1]! / weights[1]) * height) + centreY);
      const halfWidth = 0.5 * f32(f32(growth(deltas[at + 2]! / weights[2])) * width);
      const halfHeight = 0.5 * f32(f32(growth(deltas[at + 3]! / weights[3])) * height);
      boxes[at] = x - halfWidth;
      boxes[at + 1] = y - halfHeight;
      boxes[at + 2] = x + halfWidth;
      boxes[at + 3] = y + halfHeight;
    }
  }
  return boxes;
}

function growth(log: number): number {
  return Math.exp(Math.min(f32(log), MAX_LOG_GROWTH));
}

/** Moves every corner into the picture, in place: x to [0, width], y to [0, height]. @throws WasmogradError ERR_SHAPE */
export function clipBoxes(boxes: Float32Array, size: Size): void {
  checkSize("size", size);
  check(boxes.length % 4 === 0, "ERR_SHAPE", () => `boxes: expected 4 values a box, got ${boxes.length} in all`);
  for (let i = 0; i < boxes.length; i++) {
    boxes[i] = Math.min(Math.max(boxes[i]!, 0), i % 2 === 0 ? size.width : size.height);
  }
}

/** Whether both sides of box `i` are at least `minSide` long (compared in f32). */
export function isLarge(boxes: Float32Array, i: number, minSide: number): boolean {
  const width = f32(boxes[4 * i + 2]! - boxes[4 * i]!);
  const height = f32(boxes[4 * i + 3]! - boxes[4 * i + 1]!);
  return width >= f32(minSide) && height >= f32(minSide);
}

/** Width times height of box `i`, negative when one side is. */
export function area(boxes: Float32Array, i: number): number {
  return f32(f32(boxes[4 * i + 2]! - boxes[4 * i]!) * f32(boxes[4 * i + 3]! - boxes[4 * i + 1]!));
}

/**
 * Intersection over union of box `i` of one set and box `j` of another; NaN where both are empty. Areas may be given where
 * they are at hand.
 */
export function iou(
  a: Float32Array,
  i: number,
  b: Float32Array,
  j: number,
  areaA = area(a, i),
  areaB = area(b, j),
): number {
  const width = f32(Math.min(a[4 * i + 2]!, b[4 * j + 2]!) - Math.max(a[4 * i]!, b[4 * j]!));
  const height = f32(Math.min(a[4 * i + 3]!, b[4 * j + 3]!) - Math.max(a[4 * i + 1]!, b[4 * j + 1]!));
  const common = f32(Math.max(0, width) * Math.max(0, height));
  return f32(common / f32(f32(areaA + areaB) - common));
}

/** The rows [i, 4] that are named, in that order. */
export function takeBoxes(boxes: Float32Array, indices: ArrayLike<number>): Float32Array {
  const taken = new Float32Array(4 * indices.length);
  for (let n = 0; n < indices.length; n++) taken.set(boxes.subarray(4 * indices[n]!, 4 * indices[n]! + 4), 4 * n);
  return taken;
}
