import { attentionCosts } from "./attention-costs.ts";
import type { Layer, Network, Shape } from "./description.ts";
import { tensorsRead } from "./graph.ts";
import { inferChannels, inferShapes, valuesIn } from "./shapes.ts";
import { validate } from "./validate.ts";
import { type WeightRole, weightUses } from "./weights.ts";

/** Trainable values. `params` is the sum of the others; the published SESR columns print `weights`. */
export interface ParameterCounts {
  /** All of them. */
  readonly params: number;
  /** Filter values: convolution and matrix weights. */
  readonly weights: number;
  /** Of convolutions and linear blocks. */
  readonly biases: number;
  /** Of PReLU. */
  readonly slopes: number;
  /** Scales and offsets of normalisations, layer scales, temperatures of attention. */
  readonly norms: number;
  /** Learnt tokens and positions. */
  readonly embeddings: number;
}

/** Of one layer. */
export interface LayerCounts extends ParameterCounts {
  /** The layer's. */
  readonly name: string;
  /** Its operator. */
  readonly op: Layer["op"];
  /** Of its output, [height, width, channels]. */
  readonly shape: Shape;
  /**
   * Multiply-accumulates of convolutions and of attention's two products, batch 1; padding counts as if it were input, as is usual, and
   * scores are counted in full where symmetry would allow half of them (`attentionCosts` has both).
   */
  readonly macs: number;
  /** Values that convolutions write (a linear block: both of its convolutions). */
  readonly activations: number;
}

/** Of a network, for one picture. */
export interface NetworkCounts extends ParameterCounts {
  /** Multiply-accumulates, the sum over the layers. */
  readonly macs: number;
  /** Values that convolutions write, the sum over the layers. */
  readonly activations: number;
  /** Inputs first. */
  readonly layers: readonly LayerCounts[];
}

const NOTHING: ParameterCounts = { params: 0, weights: 0, biases: 0, slopes: 0, norms: 0, embeddings: 0 };
const FIELD_OF_ROLE = {
  filter: "weights",
  bias: "biases",
  slope: "slopes",
  norm: "norms",
  embedding: "embeddings",
} as const;

function plus(counts: ParameterCounts, role: WeightRole, values: number): ParameterCounts {
  if (role === "statistic") return counts;
  const field = FIELD_OF_ROLE[role];
  return { ...counts, params: counts.params + values, [field]: counts[field] + values };
}

/** Parameters per layer and in all. A weight that several layers share counts in each of them, but once in the total. */
function countParameters(network: Network): { total: ParameterCounts; perLayer: Map<string, ParameterCounts> } {
  const seen = new Set<string>();
  const perLayer = new Map<string, ParameterCounts>();
  let total = NOTHING;
  for (const [layer, uses] of weightUses(network)) {
    let own = NOTHING;
    for (const { name, role, shape } of uses) {
      own = plus(own, role, valuesIn(shape));
      if (!seen.has(name)) total = plus(total, role, valuesIn(shape));
      seen.add(name);
    }
    perLayer.set(layer, own);
  }
  return { total, perLayer };
}

/** Multiply-accumulates and written values of one layer with an output of `shape`. */
function workOf(
  layer: Layer,
  shape: Shape,
  input: Shape,
  shapes: ReadonlyMap<string, Shape>,
): { macs: number; activations: number } {
  const [h, w, channels] = shape;
  const inChannels = input[2];
  const pixels = h * w;
  if (layer.op === "conv2d") {
    const inputs = layer.depthwise ? 1 : inChannels;
    return { macs: pixels * channels * valuesIn(layer.kernel) * inputs, activations: pixels * channels };
  }
  if (layer.op === "conv2d-transpose") {
    // Each input value meets each tap once.
    return {
      macs: input[0] * input[1] * channels * valuesIn(layer.kernel) * inChannels,
      activations: pixels * channels,
    };
  }
  if (layer.op === "attention") {
    const { scores, apply } = attentionCosts(layer, shapes);
    return { macs: scores + apply, activations: 0 };
  }
  if (layer.op === "pivot-projection") {
    return { macs: pixels * channels * (inChannels - layer.pivots[0]!.length), activations: pixels * channels };
  }
  if (layer.op === "linear-block") {
    const perPixel = layer.expansion * (valuesIn(layer.kernel) * inChannels + channels);
    return { macs: pixels * perPixel, activations: pixels * (layer.expansion + channels) };
  }
  return { macs: 0, activations: 0 };
}

/**
 * Counts of a network, per layer and in all, for an input of [height, width] pixels (definitions: docs/network.md).
 * Expanded networks are counted as they are written: collapse first to count what runs.
 * @throws WasmogradError as `inferShapes` and `weightShapes`
 */
export function countNetwork(network: Network, input: readonly [height: number, width: number]): NetworkCounts {
  const sorted = validate(network);
  const shapes = inferShapes(sorted, input);
  const { total, perLayer } = countParameters(sorted);
  const layers = sorted.layers.map((layer): LayerCounts => {
    const shape = shapes.get(layer.name)!;
    const [first] = tensorsRead(layer);
    const input: Shape = first === undefined ? [0, 0, 0] : shapes.get(first)!;
    const { name, op } = layer;
    return { name, op, shape, ...perLayer.get(name)!, ...workOf(layer, shape, input, shapes) };
  });
  const sum = (field: "macs" | "activations") => layers.reduce((value, layer) => value + layer[field], 0);
  return { ...total, macs: sum("macs"), activations: sum("activations"), layers };
}

/**
 * Multiply-accumulates to collapse every linear block once by the delta-image method (SESR's Algorithm 1): `in` one-hot images pass
 * through the k_h x k_w convolution, valid, with an output of k_h x k_w, and then through the 1x1. Adding the identity of a short
 * residual costs no product.
 */
export function collapseMacs(network: Network): number {
  const channels = inferChannels(network);
  let macs = 0;
  for (const layer of validate(network).layers) {
    if (layer.op !== "linear-block") continue;
    const images = channels.get(layer.input)!;
    const positions = valuesIn(layer.kernel);
    macs += images * positions * layer.expansion * (positions * images + layer.channels);
  }
  return macs;
}

/** Multiply-accumulates of one forward pass in training. */
export interface TrainingMacs {
  /** Running the linear blocks as they are. */
  readonly expanded: number;
  /** Collapsing all blocks once per step: independent of batch and patch. */
  readonly collapse: number;
  /** Running the collapsed network, without `collapse`. */
  readonly forward: number;
  /** collapse + forward: one step in collapsed space. */
  readonly collapsed: number;
}

/**
 * What a training step's forward pass costs in expanded and in collapsed space, `network` being the expanded form. SESR-M5 x2 at its
 * defaults (32 patches of 64x64): 41.775 G against 1.843 G = 1.772 G + 0.071 G. After SESR, arXiv 2103.09404.
 * @throws WasmogradError as `countNetwork`
 */
export function trainingMacs(
  network: Network,
  { batch = 32, patch = [64, 64] }: { batch?: number; patch?: readonly [height: number, width: number] } = {},
): TrainingMacs {
  const { layers, macs } = countNetwork(network, patch);
  const channels = inferChannels(network);
  const perPatch = validate(network).layers.map((layer, i) => {
    const { shape, macs: ownMacs } = layers[i]!;
    return layer.op === "linear-block"
      ? valuesIn(layer.kernel) * channels.get(layer.input)! * valuesIn(shape)
      : ownMacs;
  });
  const forward = batch * perPatch.reduce((a, b) => a + b, 0);
  const collapse = collapseMacs(network);
  return { expanded: batch * macs, collapse, forward, collapsed: collapse + forward };
}
