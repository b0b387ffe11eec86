/**
 * The heads' answer made into detections (torchvision's RoIHeads.postprocess_detections): every class of every proposal
 * is a candidate with a box of its own.
 */
import { check } from "../errors.ts";
import type { Size } from "../image/types.ts";
import type { FeatureMap } from "../network/description.ts";
import { clipBoxes, decodeBoxes, HEAD_WEIGHTS, isLarge, takeBoxes } from "./boxes.ts";
import { checkBoxes, checkMap } from "./checks.ts";
import { batchedNms } from "./nms.ts";

/** What the heads compute for n proposals. */
export interface HeadOutput {
  /** [n, 1, classes]: logits; class 0 is the background. */
  readonly classes: FeatureMap<Float32Array>;
  /** [n, 1, classes * 4]: dx, dy, dw, dh for class 0, then for class 1 ... */
  readonly deltas: FeatureMap<Float32Array>;
}

/** Which boxes of the second stage are results. */
export interface DetectionOptions {
  /** Probability that must be passed; 0.05. */
  readonly minScore?: number;
  /** Intersection over union above which the lower score of a class goes; 0.5. */
  readonly overlap?: number;
  /** Shortest side in pixels of the network's input; 0.01. */
  readonly minSide?: number;
  /** Detections at most; 100. */
  readonly most?: number;
}

/** n detections by falling score. */
export interface Detections {
  /** [n, 4] */
  readonly boxes: Float32Array;
  /** [n] from 1: COCO's category numbers where there are 91 classes. */
  readonly labels: Uint32Array;
  /** [n] probabilities. */
  readonly scores: Float32Array;
}

/**
 * @param proposals [n, 4] in pixels of the network's input, n from 1
 * @param picture   the part of the input that is not padding: boxes are clipped to it
 * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT (values that are not finite)
 */
export function selectDetections(
  { classes, deltas }: HeadOutput,
  proposals: Float32Array,
  picture: Size,
  { minScore = 0.05, overlap = 0.5, minSide = 1e-2, most = 100 }: DetectionOptions = {},
): Detections {
  const count = checkBoxes("proposals", proposals);
  checkMap("classes", classes);
  const width = classes.shape[2];
  checkMap("deltas", deltas, 4 * width);
  for (const [name, { shape }] of [["classes", classes] as const, ["deltas", deltas] as const]) {
    check(shape[0] === count && shape[1] === 1, "ERR_SHAPE", () => {
      return `${name}: expected ${count} x 1, a row for each proposal, got ${shape[0]} x ${shape[1]}`;
    });
  }
  const boxes: Float32Array[] = [];
  const labels: number[] = [];
  const scores: number[] = [];
  for (let n = 0; n < count; n++) {
    const probabilities = softmax(classes.data.subarray(n * width, (n + 1) * width));
    const found = [...probabilities.keys()].filter(
      (label) => label > 0 && probabilities[label]! > Math.fround(minScore),
    );
    if (found.length === 0) continue;
    // Boxes of other classes are not looked at, so they are not computed.
    const rows = takeBoxes(deltas.data.subarray(n * width * 4, (n + 1) * width * 4), found);
    const decoded = decodeBoxes(rows, proposals.subarray(4 * n, 4 * n + 4), HEAD_WEIGHTS, found.length);
    clipBoxes(decoded, picture);
    for (const [k, label] of found.entries()) {
      if (!isLarge(decoded, k, minSide)) continue;
      boxes.push(decoded.subarray(4 * k, 4 * k + 4));
      labels.push(label);
      scores.push(probabilities[label]!);
    }
  }
  const candidates = new Float32Array(4 * boxes.length);
  for (const [i, box] of boxes.entries()) candidates.set(box, 4 * i);
  const kept = batchedNms(candidates, Float32Array.from(scores), Uint32Array.from(labels), overlap).subarray(0, most);
  return {
    boxes: takeBoxes(candidates, kept),
    labels: kept.map((i) => labels[i]!),
    scores: Float32Array.from(kept, (i) => scores[i]!),
  };
}

/** Probabilities of logits, rounded to f32 once. */
export function softmax(logits: Float32Array): Float32Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Float64Array.from(logits, (x) => Math.exp(x - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return Float32Array.from(powers, (power) => power / sum);
}
