/**
 * The detector's three networks as descriptions that the engine runs. A network has one output, so the two that read the same features
 * are one layer here, with the outputs of both behind each other: objectness and deltas, classes and boxes.
 */
import { ANCHORS_PER_CELL } from "../detection/anchors.ts";
import { COCO_CLASSES, type DetectorLayer, detectorParts } from "../detection/architecture.ts";
import { check } from "../errors.ts";
import { convnextBackbone } from "../models/convnext.ts";
import { countNetwork } from "../network/counts.ts";
import type { Layer, Network } from "../network/description.ts";
import { inputLayer } from "../network/graph.ts";
import { inferChannels } from "../network/shapes.ts";
import { validate } from "../network/validate.ts";

/** Two layers of the same input as one. */
export interface JoinedLayer {
  /** Of the layer that runs. */
  readonly name: string;
  readonly parts: readonly [DetectorLayer, DetectorLayer];
}

export interface DetectorNetworks {
  /** [height, width, 3] -> [height / 32, width / 32, channels]. */
  readonly backbone: Network;
  /** The backbone's map -> [height / 32, width / 32, 15 + 60]. */
  readonly rpn: Network;
  /** Bins of proposals, 49 * channels values each, as the pixels of a map -> classes + 4 * classes. */
  readonly head: Network;
  readonly channels: number;
  readonly classes: number;
  readonly joined: { readonly rpn: JoinedLayer; readonly head: JoinedLayer };
}

function layerOf({ name, input, kernel, outputs, activation }: DetectorLayer, source: string): Layer[] {
  const convolution: Layer = {
    op: "conv2d",
    name,
    input: input === "features" ? source : input,
    kernel: [kernel, kernel],
    stride: 1,
    padding: kernel === 1 ? "valid" : "same",
    channels: outputs,
    weights: `${name}.weight`,
    bias: `${name}.bias`,
  };
  if (activation === undefined) return [convolution];
  // The layer behind it reads the activation, so that has the layer's name.
  const before = `${name}.sums`;
  return [
    { ...convolution, name: before },
    { op: "activation", name, input: before, activation: { kind: activation } },
  ];
}

/** All layers but the last two, then these as one. */
function joinedNetwork(title: string, name: string, layers: readonly DetectorLayer[], channels: number) {
  const hidden = layers.slice(0, -2);
  const parts = layers.slice(-2) as unknown as readonly [DetectorLayer, DetectorLayer];
  const together = { ...parts[0], name, outputs: parts[0].outputs + parts[1].outputs };
  const input: Layer = { op: "input", name: "features", channels };
  const all = [input, ...[...hidden, together].flatMap((layer) => layerOf(layer, "features"))];
  return { network: validate({ name: title, layers: all, output: name }), joined: { name, parts } };
}

/**
 * @param backbone an id of `backboneIds`, or a network of stride 32
 * @param classes with the background
 * @throws WasmogradError ERR_ARGUMENT, ERR_NETWORK
 */
export function detectorNetworks(backbone: string | Network, classes: number = COCO_CLASSES): DetectorNetworks {
  const features = typeof backbone === "string" ? convnextBackbone(backbone) : validate(backbone);
  const colours = inputLayer(features).channels;
  check(colours === 3, "ERR_ARGUMENT", () => `backbone: expected an input of 3 channels, got ${colours}`);
  const channels = inferChannels(features).get(features.output)!;
  const parts = detectorParts(channels, classes);
  const rpn = joinedNetwork("region proposals", "rpn.head.outputs", parts.rpn, channels);
  const [first] = parts.head;
  const head = joinedNetwork("box head", "roi_heads.box_predictor", parts.head, first!.inputs);
  return {
    backbone: features,
    rpn: rpn.network,
    head: head.network,
    channels,
    classes,
    joined: { rpn: rpn.joined, head: head.joined },
  };
}

const SUFFIX = "-detector";

/**
 * The backbone in a detector's id, such as ran-i-s in ran-i-s-detector; undefined where the id is not of this form. Whether there is such a
 * backbone, `detectorNetworks` says.
 */
export function backboneOf(id: string): string | undefined {
  return id.endsWith(SUFFIX) ? id.slice(0, -SUFFIX.length) : undefined;
}

/** Counts of one part. */
export interface PartCounts {
  readonly name: "backbone" | "rpn" | "head";
  readonly params: number;
  /** Multiply-accumulates of a picture; of the head, of one proposal. */
  readonly macs: number;
}

/**
 * Parameters, and multiply-accumulates at an input of the backbone of [height, width], whose sides are multiples of 32.
 * @throws WasmogradError ERR_SHAPE
 */
export function countDetector(networks: DetectorNetworks, [height, width]: readonly [number, number]): PartCounts[] {
  for (const side of [height, width]) {
    check(Number.isInteger(side) && side > 0 && side % 32 === 0, "ERR_SHAPE", () => {
      return `input: expected sides that are multiples of 32, got ${height}x${width}`;
    });
  }
  const sizes = { backbone: [height, width], rpn: [height / 32, width / 32], head: [1, 1] } as const;
  return (["backbone", "rpn", "head"] as const).map((name) => {
    const { params, macs } = countNetwork(networks[name], sizes[name]);
    return { name, params, macs };
  });
}

/** Channels that come first in the joined outputs: objectness of the RPN, classes of the head. */
export const firstOutputs = ({ classes }: DetectorNetworks) => ({ rpn: ANCHORS_PER_CELL, head: classes });
