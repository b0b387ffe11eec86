/**
 * The detector from picture to boxes. The three networks in it are functions, run by whatever engine the caller has; what
 * lies between them (sizes, anchors, proposals, RoIAlign, selection) is this folder's.
 */
import { check, checkObject } from "../errors.ts";
import type { ImageInput } from "../image/types.ts";
import type { FeatureMap } from "../network/description.ts";
import { gridAnchors } from "./anchors.ts";
import { checkMap } from "./checks.ts";
import { type DetectionOptions, type HeadOutput, selectDetections } from "./detections.ts";
import { preparePicture } from "./prepare.ts";
import { type ProposalOptions, proposeBoxes, type RpnOutput } from "./proposals.ts";
import { boxesToOriginal, type ResizeRule } from "./resize.ts";
import { POOLED, roiAlign } from "./roi-align.ts";

/** [height, width, 3], sides multiples of 32, to [ceil(height / 32), ceil(width / 32), channels]. */
export type Backbone = (image: FeatureMap<Float32Array>) => FeatureMap<Float32Array>;
/** The backbone's map to logits and deltas of every anchor. */
export type Rpn = (features: FeatureMap<Float32Array>) => RpnOutput;
/** Bins [n, 1, 7 * 7 * channels], n proposals as the rows of a map: a dense layer is a 1 x 1 convolution over it. */
export type Head = (bins: FeatureMap<Float32Array>) => HeadOutput;

/** How a detector resizes, proposes and selects. */
export interface DetectorOptions {
  /** The size at which the network sees the picture. */
  readonly resize?: ResizeRule;
  /** Which boxes of the first stage go on. */
  readonly proposals?: ProposalOptions;
  /** Which boxes of the second stage are results. */
  readonly detections?: DetectionOptions;
  /**
   * Proposals that go to the head at once; 128. Their bins take 4 * 49 * channels bytes each, and every run reads all of the
   * head's weights.
   */
  readonly batch?: number;
}

/** One object that was found. */
export interface Detection {
  /** x1, y1, x2, y2 in pixels of the picture that was given. */
  readonly box: readonly [number, number, number, number];
  /** From 1; COCO's category number where the head has 91 classes. */
  readonly label: number;
  /** Probability, 0 to 1. */
  readonly score: number;
}

/**
 * Two-stage detector without a pyramid.
 *
 * @example
 * const detector = new Detector(backbone, rpn, head);
 * for (const { box, label, score } of detector.detect(picture)) draw(box, label, score);
 */
export class Detector {
  readonly #backbone: Backbone;
  readonly #rpn: Rpn;
  readonly #head: Head;
  readonly #options: DetectorOptions;

  /** @throws WasmogradError ERR_ARGUMENT */
  constructor(backbone: Backbone, rpn: Rpn, head: Head, options: DetectorOptions = {}) {
    for (const [name, part] of Object.entries({ backbone, rpn, head })) {
      check(typeof part === "function", "ERR_ARGUMENT", () => `${name}: expected a function, got ${typeof part}`);
    }
    const { batch = 128 } = options;
    check(Number.isInteger(batch) && batch > 0, "ERR_ARGUMENT", () => {
      return `batch: expected a whole number from 1, got ${batch}`;
    });
    this.#backbone = backbone;
    this.#rpn = rpn;
    this.#head = head;
    this.#options = { ...options, batch };
  }

  /**
   * What is in the picture, by falling score.
   * @throws WasmogradError ERR_ARGUMENT, ERR_SHAPE for a picture that is none or too narrow, and for networks that answer
   *   with other shapes or values that are not finite
   */
  detect(picture: ImageInput): Detection[] {
    const { resize, proposals, detections } = this.#options;
    const { input, resized, original } = preparePicture(picture, resize);
    const features = this.#backbone(input);
    checkMap("features", features);
    const anchors = gridAnchors(features.shape, { width: input.shape[1], height: input.shape[0] });
    const answer = this.#rpn(features);
    checkObject("rpn's answer", answer);
    const { boxes } = proposeBoxes(answer, anchors, resized, proposals);
    if (boxes.length === 0) return [];
    const output = this.#runHead(features, boxes, roiScale(features.shape[0], resized.height));
    const found = selectDetections(output, boxes, resized, detections);
    return toList(boxesToOriginal(found.boxes, resized, original), found.labels, found.scores);
  }

  /** The head's answer for all boxes, batch after batch. */
  #runHead(features: FeatureMap<Float32Array>, boxes: Float32Array, scale: number): HeadOutput {
    const step = 4 * this.#options.batch!;
    const inputs = POOLED * POOLED * features.shape[2];
    const answers: HeadOutput[] = [];
    for (let at = 0; at < boxes.length; at += step) {
      const some = boxes.subarray(at, at + step);
      const bins = roiAlign(features, some, { scale });
      const answer = this.#head({ shape: [some.length / 4, 1, inputs], data: bins });
      checkObject("head's answer", answer);
      for (const name of ["classes", "deltas"] as const) {
        const rows = answer[name]?.shape[0];
        check(rows === some.length / 4, "ERR_SHAPE", () => {
          return `head's answer, ${name}: expected ${some.length / 4} rows, one a proposal, got ${rows}`;
        });
      }
      answers.push(answer);
    }
    return { classes: joinRows(answers.map((a) => a.classes)), deltas: joinRows(answers.map((a) => a.deltas)) };
  }
}

/**
 * Cells of the map per pixel, 1/32 but for the narrowest of pictures: torchvision's MultiScaleRoIAlign takes the power of
 * two that is nearest to the quotient of the heights, the map's over the resized picture's without its padding. From 68
 * pixels on that is 1/32 whatever the padding; the few below are taken as torchvision takes them.
 */
export function roiScale(mapHeight: number, resizedHeight: number): number {
  return 2 ** Math.round(Math.log2(mapHeight / resizedHeight));
}

/** Maps of one width, one below the other. */
function joinRows(maps: readonly FeatureMap<Float32Array>[]): FeatureMap<Float32Array> {
  const [, columns, channels] = maps[0]!.shape;
  const rows = maps.reduce((sum, { shape }) => sum + shape[0], 0);
  const data = new Float32Array(maps.reduce((sum, map) => sum + map.data.length, 0));
  let at = 0;
  for (const map of maps) {
    data.set(map.data, at);
    at += map.data.length;
  }
  return { shape: [rows, columns, channels], data };
}

function toList(boxes: Float32Array, labels: Uint32Array, scores: Float32Array): Detection[] {
  return Array.from(labels, (label, i) => {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    return { box: [x1, y1, x2, y2] as const, label, score: scores[i]! };
  });
}
