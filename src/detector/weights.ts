/**
 * The detector's weights from a file. PyTorch's tensors have other names and orders: the two output layers of the RPN and of the head are
 * one here, and the head's first layer reads bins by place and channel instead of channel and place.
 */
import { headWeightsFromTorch } from "../detection/roi-align.ts";
import { checkpointNames } from "../formats/checkpoint-names.ts";
import { readWeights } from "../formats/weights-file.ts";
import type { Weight, Weights } from "../network/description.ts";
import { checkWeightsAgainst, weightShapes } from "../network/weights.ts";
import type { DetectorNetworks, JoinedLayer } from "./networks.ts";

export interface DetectorWeights {
  readonly backbone: Weights;
  readonly rpn: Weights;
  readonly head: Weights;
}

const BACKBONE = "backbone.";
const FIRST_OF_HEAD = "roi_heads.box_head.fc1.weight";
const LEAVES = ["weight", "bias"] as const;

/** What a file holds: name -> shape, filters OHWI, the joined layers apart. */
export function detectorWeightShapes(networks: DetectorNetworks): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, shape] of weightShapes(networks.backbone)) shapes.set(BACKBONE + name, shape);
  for (const part of ["rpn", "head"] as const) {
    const { name, parts } = networks.joined[part];
    for (const [weight, shape] of weightShapes(networks[part])) {
      const leaf = weight.slice(name.length + 1);
      if (weight !== `${name}.${leaf}`) shapes.set(weight, shape);
      else for (const { name: own, outputs } of parts) shapes.set(`${own}.${leaf}`, [outputs, ...shape.slice(1)]);
    }
  }
  return shapes;
}

/** torchvision's names, of both generations of its RPN, and those of the official code's backbone -> ours. */
const RENAMED: readonly (readonly [pattern: RegExp, to: string])[] = [
  [/^backbone\.downsample_(\d)\./, "backbone.downsample_layers.$1."],
  [/^backbone\.stage_(\d)\./, "backbone.stages.$1."],
  [/^rpn\.head\.conv\.0\.0\./, "rpn.head.conv."],
  [/^roi_heads\.box_head\.fc6\./, "roi_heads.box_head.fc1."],
  [/^roi_heads\.box_head\.fc7\./, "roi_heads.box_head.fc2."],
  [/^roi_heads\.box_predictor\.cls_score\./, "roi_heads.box_predictor.class_scores."],
  [/^roi_heads\.box_predictor\.bbox_pred\./, "roi_heads.box_predictor.bbox_predictor."],
];

/** Our name of each tensor of a file; one that no rule makes known keeps its own. */
function ownNames(names: Iterable<string>, expected: ReadonlySet<string>): Map<string, string> {
  const renamed = new Map<string, string>();
  for (const name of names) {
    const bare = name.replace(/^(?:module|model)\./, "");
    renamed.set(
      name,
      RENAMED.reduce((own, [pattern, to]) => own.replace(pattern, to), bare),
    );
  }
  // What lies in the backbone may have any of the names that classifiers' checkpoints have.
  const inside = (name: string): string | undefined => {
    return name.startsWith(BACKBONE) ? name.slice(BACKBONE.length) : undefined;
  };
  const parts = [...renamed.values()].flatMap((own) => inside(own) ?? []);
  const wanted = new Set([...expected].flatMap((name) => inside(name) ?? []));
  const ofBackbone = checkpointNames(parts, wanted);
  return new Map(
    [...renamed].map(([name, own]) => {
      const part = inside(own);
      const found = part === undefined ? own : BACKBONE + (ofBackbone.get(part) ?? part);
      return [name, expected.has(found) ? found : name];
    }),
  );
}

/** The values of both, the first layer's before the second's. */
function joined(weights: Weights, { name, parts: [a, b] }: JoinedLayer): [string, Weight][] {
  return LEAVES.map((leaf) => {
    const [first, second] = [weights.get(`${a.name}.${leaf}`)!, weights.get(`${b.name}.${leaf}`)!];
    const data = new Float32Array(first.data.length + second.data.length);
    data.set(first.data);
    data.set(second.data, first.data.length);
    return [`${name}.${leaf}`, { shape: [a.outputs + b.outputs, ...first.shape.slice(1)], data }];
  });
}

/**
 * The weights of a detector from a safetensors file. Names are those of RAN's official code or of torchvision's Faster R-CNN: backbone.*
 * (there as in any of the files that `loadWeights` reads), rpn.head.conv, rpn.head.cls_logits, rpn.head.bbox_pred,
 * roi_heads.box_head.fc6 and fc7 (fc1, fc2), roi_heads.box_predictor.cls_score and bbox_pred (class_scores, bbox_predictor).
 * The order of filters is as for `loadWeights`; with PyTorch's, fc6 reads channels first.
 * @throws WasmogradError ERR_FORMAT as `loadWeights`, ERR_WEIGHTS, which lists every missing, extra and misshapen tensor at once
 */
export function loadDetectorWeights(bytes: Uint8Array, networks: DetectorNetworks): DetectorWeights {
  const expected = detectorWeightShapes(networks);
  const known = new Set(expected.keys());
  const { weights, layout } = readWeights(bytes, expected, (names) => ownNames(names, known));
  checkWeightsAgainst(expected, weights, `detector on ${networks.backbone.name}`);

  const backbone = new Map<string, Weight>();
  for (const [name, weight] of weights)
    if (name.startsWith(BACKBONE)) backbone.set(name.slice(BACKBONE.length), weight);
  const ordered = new Map(weights);
  if (layout === "OIHW") {
    const { shape, data } = weights.get(FIRST_OF_HEAD)!;
    ordered.set(FIRST_OF_HEAD, { shape, data: headWeightsFromTorch(data, networks.channels) });
  }
  const part = (name: "rpn" | "head"): Weights => {
    const apart = [...weightShapes(networks[name]).keys()].flatMap((weight) => {
      const found = ordered.get(weight);
      return found ? [[weight, found] as const] : [];
    });
    return new Map<string, Weight>([...apart, ...joined(ordered, networks.joined[name])]);
  };
  return { backbone, rpn: part("rpn"), head: part("head") };
}
