/** Work of the layers that are no convolutions over some rows: loops of their kernels, counted. */
import { attentionScratchBytes, xcaScratchBytes } from "../../kernels/attention/scratch.ts";
import type { Layer, Shape } from "../../network/description.ts";
import { attentionCounts, attentionSizes } from "./attention-work.ts";
import type { MapContext, MapCounts } from "./map-counts.ts";
import { fours, padded } from "./tails.ts";

/** Set bits: moves of 8, 4, 2 and 1 bytes. */
function moves(bytes: number): number {
  let count = Math.floor(bytes / 16);
  for (let rest = bytes % 16; rest > 0; rest &= rest - 1) count++;
  return count;
}

/** Pixels one after the other, four channels at a time. */
const perPixel = (kernel: string, pixels: number, channels: number): MapCounts => ({
  kernel,
  parts: { vectors: pixels * fours(channels), turns: pixels },
  tails: padded("channels", channels, 4),
});

/** All values in one run. */
const flat = (kernel: string, values: number, lanes = 4): MapCounts => ({
  kernel,
  parts: { vectors: Math.ceil(values / lanes) },
  tails: [],
});

const copied = (bytes: number): MapCounts => ({ kernel: "copy", parts: { vectors: bytes / 16 }, tails: [] });

function activationCounts(
  layer: Extract<Layer, { op: "activation" }>,
  pixels: number,
  channels: number,
  { precision }: MapContext,
): MapCounts[] {
  const { activation, affine } = layer;
  const values = pixels * channels;
  if (precision === "int8") {
    if (affine) return [tableCounts(pixels, channels, true)];
    if (activation.kind === "relu" || activation.kind === "relu6" || activation.kind === "prelu")
      return [perPixel("qs8_prelu", pixels, channels)];
    return [tableCounts(pixels, channels, false)];
  }
  const own = {
    relu: () => flat("f32_affine", values),
    relu6: () => flat("f32_affine", values),
    "hard-swish": () => flat("f32_hard_swish", values),
    gelu: () => flat("f32_gelu", values, 8),
    prelu: () => perPixel("f32_prelu", pixels, channels),
    mixed: () => flat("f32_affine", values),
  }[activation.kind]();
  return affine ? [perPixel("f32_channel_affine", pixels, channels), own] : [own];
}

const tableCounts = (pixels: number, channels: number, perChannel: boolean): MapCounts =>
  perChannel && channels > 1
    ? { kernel: "s8_table_channels", parts: { values: pixels * channels, turns: pixels }, tails: [] }
    : { kernel: "s8_table", parts: { values: pixels * channels }, tails: [] };

const layerNormCounts = (pixels: number, channels: number): MapCounts => ({
  kernel: "f32_layer_norm",
  parts: { eights: pixels * Math.floor(channels / 8), vectors: pixels * fours(channels), turns: pixels },
  tails: padded("channels", channels, 8),
});

const layerNormCountsS8 = (pixels: number, channels: number): MapCounts => ({
  kernel: "qs8_layer_norm",
  parts: {
    vectors: pixels * Math.ceil(channels / 16),
    turns: pixels,
    odd: channels % 16 === 0 ? 0 : pixels,
  },
  tails: padded("channels", channels, 16),
});

/** Of the usual first cache: bytes of a line and of a way, ways, and lines that are on their way to it. */
const LINE_BYTES = 64;
const WAY_BYTES = 4096;
const WAYS = 8;
const FETCHED_AHEAD = 32;

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/**
 * All pixels for some channels, then for the next ones, which lie in the same lines. If pixels lie a large power of two apart they fall into
 * few sets of the first cache, and lines that are fetched ahead push out one another.
 */
function averageCounts(pixels: number, channels: number, float: boolean): MapCounts {
  const lanes = float ? 4 : 16;
  const vectors = pixels * Math.ceil(channels / lanes);
  const stride = channels * (float ? 4 : 1);
  const sets = WAY_BYTES / Math.max(LINE_BYTES, divisor(stride, WAY_BYTES));
  const evicted = pixels > WAYS * sets && WAYS * sets < FETCHED_AHEAD;
  return {
    kernel: float ? "f32_global_average" : "qs8_global_average",
    parts: { vectors, turns: Math.ceil(channels / lanes), conflicts: evicted ? vectors : 0 },
    tails: padded("channels", channels, lanes),
  };
}

/** A sum of two maps; an operand of one channel is broadcast, pixel by pixel. */
function addCounts(
  { inputs: [a, b] }: Extract<Layer, { op: "add" }>,
  pixels: number,
  channels: number,
  { precision, shapes }: MapContext,
): MapCounts {
  const kernel = precision === "f32" ? "f32_add" : "qs8_add";
  const broadcast = shapes.get(a)![2] !== shapes.get(b)![2];
  return broadcast ? perPixel(kernel, pixels, channels) : flat(kernel, pixels * channels);
}

function depthToSpaceCounts(block: number, [, columns, depth]: Shape, cellRows: number, float: boolean): MapCounts {
  const bytes = float ? 4 : 1;
  const cell = depth / block ** 2;
  const lanes = cell !== 1 ? 0 : float ? (block === 2 ? 2 : 0) : block === 2 ? 8 : block === 4 ? 4 : 0;
  const whole = lanes === 0 ? 0 : Math.floor(columns / lanes);
  const left = columns - whole * lanes;
  const run = block * cell * bytes;
  return {
    kernel: float ? "x32_depth_to_space" : "x8_depth_to_space",
    parts: {
      vectors: cellRows * whole * block,
      lines: cellRows,
      runs: cellRows * left * block,
      moves: cellRows * left * block * moves(run),
    },
    tails: left > 0 && lanes > 0 ? padded("columns", columns, lanes) : [],
  };
}

function subsampleCounts(
  layer: Extract<Layer, { op: "subsample" }>,
  input: Shape,
  pixels: number,
  bytes: number,
): MapCounts {
  const own = input[2] * bytes;
  const first = layer.before * bytes;
  const last = layer.channels * bytes - own - first;
  return {
    kernel: bytes === 4 ? "x32_subsample" : "x8_subsample",
    parts: { turns: pixels, moves: pixels * (moves(own) + moves(first) + moves(last)) },
    tails: [],
  };
}

/** Bytes of working memory, where the layer has some. */
export function mapScratchBytes(layer: Layer, { precision, shapes }: MapContext): number {
  if (layer.op !== "attention") return 0;
  const { keys, own } = attentionSizes(layer, shapes);
  return (layer.map === "softmax" ? attentionScratchBytes : xcaScratchBytes)(precision, keys, own);
}

/**
 * The calls of a layer for `rows` rows of its output, one after the other; none where the engine has nothing to do.
 * @param layer of a network that is ready to run, and no convolution
 */
export function mapCounts(layer: Layer, rows: number, context: MapContext): MapCounts[] {
  const { precision, shapes } = context;
  const float = precision === "f32";
  const bytes = float ? 4 : 1;
  const [, width, channels] = shapes.get(layer.name)!;
  const pixels = rows * width;
  const values = pixels * channels;
  switch (layer.op) {
    case "activation":
      return activationCounts(layer, pixels, channels, context);
    case "channel-affine":
      return [float ? perPixel("f32_channel_affine", pixels, channels) : tableCounts(pixels, channels, true)];
    case "layer-norm":
      return [float ? layerNormCounts(pixels, channels) : layerNormCountsS8(pixels, channels)];
    case "add":
      return [addCounts(layer, pixels, channels, context)];
    case "clip":
      return [float ? flat("f32_affine", values) : flat("s8_clamp", values, 16)];
    case "offset":
      return float ? [flat("f32_affine", values)] : [];
    case "depth-to-space":
      return [depthToSpaceCounts(layer.block, shapes.get(layer.input)!, rows / layer.block, float)];
    case "max-pool": {
      const windows = pixels * Math.ceil(channels / (float ? 4 : 16));
      const [kh, kw] = layer.kernel;
      return [
        {
          kernel: float ? "f32_max_pool" : "s8_max_pool",
          parts: { taps: windows * kh * kw, lines: windows * kh, output: windows, turns: pixels },
          tails: padded("channels", channels, float ? 4 : 16),
        },
      ];
    }
    case "global-average-pool": {
      const [h, w, c] = shapes.get(layer.input)!;
      return [averageCounts(h * w, c, float)];
    }
    case "subsample":
      return [subsampleCounts(layer, shapes.get(layer.input)!, pixels, bytes)];
    case "attention":
      return [attentionCounts(layer, context)];
    case "positions":
      return [flat(float ? "f32_add" : "qs8_add", values)];
    case "replace-token":
      return [float ? copied(values * bytes) : { ...tableCounts(pixels + 1, channels, false), calls: 2 }];
    case "class-token":
    case "take-token":
    case "fourier-positions":
      return [copied(values * bytes)];
    default:
      return [];
  }
}
