/**
 * The region proposal network's answer made into proposals: boxes that may hold something, whatever it is (Faster R-CNN,
 * arXiv 1506.01497, section 3.1; values of torchvision's RegionProposalNetwork in test mode).
 */
import { check } from "../errors.ts";
import type { Size } from "../image/types.ts";
import type { FeatureMap } from "../network/description.ts";
import { clipBoxes, decodeBoxes, isLarge, PROPOSAL_WEIGHTS, takeBoxes } from "./boxes.ts";
import { checkBoxes, checkMap } from "./checks.ts";
import { byScore, nms } from "./nms.ts";

/** What the region proposal network computes for every cell and anchor. */
export interface RpnOutput {
  /** [height, width, anchors]: logits. */
  readonly objectness: FeatureMap<Float32Array>;
  /** [height, width, anchors * 4]: dx, dy, dw, dh of anchor 0, then of anchor 1 ... */
  readonly deltas: FeatureMap<Float32Array>;
}

/** Which boxes of the first stage go on to the second. */
export interface ProposalOptions {
  /** Anchors of the highest logits that are looked at; 1000. */
  readonly before?: number;
  /** Proposals at most; 1000. */
  readonly after?: number;
  /** Intersection over union above which the lower score goes; 0.7. */
  readonly overlap?: number;
  /** Shortest side in pixels; 0.001. */
  readonly minSide?: number;
  /** Lowest probability; 0. */
  readonly minScore?: number;
}

/** Boxes with what is known of each, by falling score. */
export interface Proposals {
  /** [n, 4] in pixels of the network's input. */
  readonly boxes: Float32Array;
  /** [n] probabilities that something is there. */
  readonly scores: Float32Array;
}

/**
 * @param anchors [height * width * anchors, 4], from `gridAnchors`
 * @param picture the part of the network's input that is not padding: boxes are clipped to it
 * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT (values that are not finite)
 */
export function proposeBoxes(
  { objectness, deltas }: RpnOutput,
  anchors: Float32Array,
  picture: Size,
  { before = 1000, after = 1000, overlap = 0.7, minSide = 1e-3, minScore = 0 }: ProposalOptions = {},
): Proposals {
  checkMap("objectness", objectness);
  checkMap("deltas", deltas, 4 * objectness.shape[2]);
  const [height, width] = objectness.shape;
  check(deltas.shape[0] === height && deltas.shape[1] === width, "ERR_SHAPE", () => {
    return `deltas: expected ${height} x ${width} cells as objectness, got ${deltas.shape[0]} x ${deltas.shape[1]}`;
  });
  const count = checkBoxes("anchors", anchors);
  check(count === objectness.data.length, "ERR_SHAPE", () => {
    return `anchors: expected ${objectness.data.length}, one a logit, got ${count}`;
  });

  // Boxes depend on their own anchor alone, so only those that are looked at are computed.
  const top = byScore(objectness.data, before);
  const boxes = decodeBoxes(takeBoxes(deltas.data, top), takeBoxes(anchors, top), PROPOSAL_WEIGHTS);
  clipBoxes(boxes, picture);
  const scores = Float32Array.from(top, (i) => sigmoid(objectness.data[i]!));
  const wanted = [...scores.keys()].filter((i) => isLarge(boxes, i, minSide) && scores[i]! >= Math.fround(minScore));
  const candidates = { boxes: takeBoxes(boxes, wanted), scores: Float32Array.from(wanted, (i) => scores[i]!) };
  const kept = nms(candidates.boxes, candidates.scores, overlap).subarray(0, after);
  return { boxes: takeBoxes(candidates.boxes, kept), scores: Float32Array.from(kept, (i) => candidates.scores[i]!) };
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
