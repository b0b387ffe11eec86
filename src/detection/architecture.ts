/**
 * The RAN-i detector as data: a two-stage Faster R-CNN on one feature map, without a pyramid ("TheDetector" of the
 * official code of arXiv 2208.08562, whose modules' names the layers have).
 *
 * The backbone is RAN-i without what turns features into classes: stem, the three downsampling layers and the four
 * stages. The mean over the picture, the LayerNorm after it and the linear classifier are left out, and no norm is put
 * in their place: the last block's sum is the map of stride 32. For RAN-i-S (606 channels) its parameters are
 *
 *   28,932,376 (network) - 2 * 606 (final norm) - (606 + 1) * 1000 (classifier) = 28,324,164
 *
 * and the whole detector has 28,324,164 + 3,351,255 (RPN) + 15,699,911 (heads) = 47,375,330.
 */
import { check } from "../errors.ts";
import { ANCHORS_PER_CELL } from "./anchors.ts";
import { POOLED } from "./roi-align.ts";

/** COCO's category numbers, 1 to 90 with gaps, and 0 for the background. */
export const COCO_CLASSES = 91;

/** One layer with bias; both kinds keep the map's size (3 x 3 with zero padding). */
export interface DetectorLayer {
  readonly name: string;
  readonly op: "conv2d" | "dense";
  /** Name of the layer that is read, or "features" (of the part's input). */
  readonly input: string;
  /** Side of the kernel; 1 for dense. */
  readonly kernel: 1 | 3;
  readonly inputs: number;
  readonly outputs: number;
  readonly activation?: "relu";
}

export interface DetectorParts {
  /** Reads the feature map; its outputs are the last two layers, objectness and box deltas. */
  readonly rpn: readonly DetectorLayer[];
  /** Reads the flattened bins of one proposal; its outputs are the last two layers, classes and box deltas. */
  readonly head: readonly DetectorLayer[];
}

/** Outputs of the head's two hidden layers. */
const HIDDEN = 512;

/**
 * The layers that come after the backbone.
 * @param channels of the backbone's feature map (RAN-i-S: 606)
 * @throws WasmogradError ERR_ARGUMENT
 */
export function detectorParts(channels: number, classes: number = COCO_CLASSES): DetectorParts {
  for (const [name, value, least] of [["channels", channels, 1] as const, ["classes", classes, 2] as const]) {
    check(Number.isInteger(value) && value >= least, "ERR_ARGUMENT", () => {
      return `${name}: expected a whole number from ${least}, got ${value}`;
    });
  }
  const conv = (name: string, input: string, kernel: 1 | 3, outputs: number) =>
    ({ name: `rpn.head.${name}`, op: "conv2d", input, kernel, inputs: channels, outputs }) as const;
  const dense = (name: string, input: string, inputs: number, outputs: number) =>
    ({ name: `roi_heads.${name}`, op: "dense", input, kernel: 1, inputs, outputs }) as const;
  return {
    rpn: [
      // From 0.13 on torchvision stores this one's weights as rpn.head.conv.0.0.
      { ...conv("conv", "features", 3, channels), activation: "relu" },
      conv("cls_logits", "rpn.head.conv", 1, ANCHORS_PER_CELL),
      conv("bbox_pred", "rpn.head.conv", 1, 4 * ANCHORS_PER_CELL),
    ],
    head: [
      { ...dense("box_head.fc1", "features", channels * POOLED ** 2, HIDDEN), activation: "relu" },
      { ...dense("box_head.fc2", "roi_heads.box_head.fc1", HIDDEN, HIDDEN), activation: "relu" },
      dense("box_predictor.class_scores", "roi_heads.box_head.fc2", HIDDEN, classes),
      dense("box_predictor.bbox_predictor", "roi_heads.box_head.fc2", HIDDEN, 4 * classes),
    ],
  };
}

/** Weights and biases of some layers. */
export function countLayers(layers: readonly DetectorLayer[]): number {
  return layers.reduce((sum, { kernel, inputs, outputs }) => sum + (kernel ** 2 * inputs + 1) * outputs, 0);
}
