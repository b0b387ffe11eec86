/** Non-maximum suppression: of boxes that overlap, the one of the highest score stays. Equal scores: the lower index. */
import { check } from "../errors.ts";
import { area, iou } from "./boxes.ts";
import { checkBoxes, checkFinite } from "./checks.ts";

/** Indices by falling score, the lower index first among equals; the first `limit` of them. */
export function byScore(scores: Float32Array, limit = Number.POSITIVE_INFINITY): Uint32Array {
  const order = Uint32Array.from(scores, (_, i) => i).sort((i, j) => scores[j]! - scores[i]! || i - j);
  return order.subarray(0, Math.min(limit, order.length));
}

/**
 * Greedy suppression, torchvision's `nms`: from the highest score down, a box stays unless its intersection over union
 * with one that stayed is greater than the threshold.
 * @param boxes  [n, 4]
 * @param scores [n]
 * @returns indices that stay, by falling score
 * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT (values that are not finite, threshold outside 0..1)
 */
export function nms(boxes: Float32Array, scores: Float32Array, threshold: number): Uint32Array {
  return batchedNms(boxes, scores, new Uint32Array(scores.length), threshold);
}

/**
 * The same within each group (class) by itself: boxes of different groups never suppress each other.
 *
 * torchvision's `batched_nms` does this for many boxes; for few it shifts each group's boxes apart instead, which rounds
 * their corners and can decide the other way where an overlap lies within rounding error of the threshold.
 * @param groups [n]
 */
export function batchedNms(
  boxes: Float32Array,
  scores: Float32Array,
  groups: Uint32Array,
  threshold: number,
): Uint32Array {
  const count = checkBoxes("boxes", boxes);
  for (const [name, values] of [["scores", scores] as const, ["groups", groups] as const]) {
    check(values.length === count, "ERR_SHAPE", () => `${name}: expected ${count}, one a box, got ${values.length}`);
  }
  checkFinite("scores", scores);
  check(threshold >= 0 && threshold <= 1, "ERR_ARGUMENT", () => `threshold: expected 0 to 1, got ${threshold}`);
  const areas = Float32Array.from(scores, (_, i) => area(boxes, i));
  const kept: number[] = [];
  const keptOfGroup = new Map<number, number[]>();
  for (const i of byScore(scores)) {
    const rivals = keptOfGroup.get(groups[i]!) ?? [];
    if (rivals.some((j) => iou(boxes, j, boxes, i, areas[j]!, areas[i]!) > threshold)) continue;
    kept.push(i);
    rivals.push(i);
    keptOfGroup.set(groups[i]!, rivals);
  }
  return Uint32Array.from(kept);
}
