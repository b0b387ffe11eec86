/** Work of the layers that are no convolutions over some rows: loops of their kernels, counted. */
import { attentionScratchBytes, xcaScratchBytes } from "../../kernels/attention/scratch.ts";
import type { AttentionLayer, Layer, Shape } from "../../network/description.ts";
import { padded } from "./tails.ts";
import type { Work } from "./work.ts";

/** What a layer asks of its kernel. */
export type MapCounts = Pick<Work, "kernel" | "parts" | "tails"> & Partial<Pick<Work, "macs" | "calls">>;

export interface MapContext {
  readonly precision: "f32" | "int8";
  readonly shapes: ReadonlyMap<string, Shape>;
}

const fours = (count: number): number => Math.ceil(count / 4);

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

/** Sizes of an attention layer. */
function attentionSizes(layer: AttentionLayer, shapes: ReadonlyMap<string, Shape>) {
  const { heads, keyHeads = heads, valueHeads = heads } = layer;
  const [qh, qw, channels] = shapes.get(layer.q)!;
  const [kh, kw] = shapes.get(layer.k)!;
  const shared = keyHeads !== heads || valueHeads !== heads;
  return { heads, queries: qh * qw, keys: kh * kw, own: channels / heads, calls: shared ? heads : 1 };
}

function softmaxCounts(layer: AttentionLayer, shapes: ReadonlyMap<string, Shape>): MapCounts {
  const { heads, queries, keys, own, calls } = attentionSizes(layer, shapes);
  const eights = Math.ceil(queries / 8);
  const groups = fours(keys);
  const channels = Math.ceil(own / 8) * 8;
  return {
    kernel: "f32_attention",
    calls,
    // 4 keys x 8 queries a tile, then 8 queries x 8 channels.
    macs: heads * eights * (groups * 32 * own + channels * 8 * keys),
    parts: {
      input: heads * (groups * own + keys * Math.ceil(own / 8) * 2 + eights * 2 * own),
      scores: heads * eights * groups * 8,
      output: heads * eights * 8 * (channels / 8) * 2,
      turns: heads * eights * (groups + channels / 8),
    },
    tails: [...padded("queries", queries, 8), ...padded("channels of a head", own, 8), ...padded("keys", keys, 4)],
  };
}

function xcaCounts(layer: AttentionLayer, shapes: ReadonlyMap<string, Shape>): MapCounts {
  const { heads, keys: tokens, own, calls } = attentionSizes(layer, shapes);
  const [groups, blocks, quads] = [fours(own), Math.ceil(own / 8), fours(tokens)];
  return {
    kernel: "f32_xca",
    calls,
    macs: heads * (blocks * groups * 32 * tokens + quads * blocks * 32 * own),
    parts: {
      input: heads * tokens * (groups + 2 * blocks + groups),
      scores: heads * blocks * groups * 8,
      output: heads * blocks * tokens * 2,
      turns: heads * blocks * (groups + quads),
    },
    tails: [...padded("channels of a head", own, 8), ...padded("tokens", tokens, 4)],
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
      return [
        {
          kernel: "f32_layer_norm",
          parts: { eights: pixels * Math.floor(channels / 8), vectors: pixels * fours(channels), turns: pixels },
          tails: padded("channels", channels, 8),
        },
      ];
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
      const lanes = float ? 4 : 16;
      return [
        {
          kernel: float ? "f32_global_average" : "qs8_global_average",
          parts: { vectors: h * w * Math.ceil(c / lanes), turns: Math.ceil(c / lanes) },
          tails: padded("channels", c, lanes),
        },
      ];
    }
    case "subsample":
      return [subsampleCounts(layer, shapes.get(layer.input)!, pixels, bytes)];
    case "attention":
      return [layer.map === "softmax" ? softmaxCounts(layer, shapes) : xcaCounts(layer, shapes)];
    case "positions":
      return [flat("f32_add", values)];
    case "class-token":
    case "replace-token":
    case "take-token":
    case "fourier-positions":
      return [copied(values * bytes)];
    default:
      return [];
  }
}
