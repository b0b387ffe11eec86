/** Work of attention without its projections: loops of the kernels of assembly/attention/, counted. */
import { attentionCosts } from "../../network/attention-costs.ts";
import type { AttentionLayer, Shape } from "../../network/description.ts";
import type { MapContext, MapCounts } from "./map-counts.ts";
import { fours, padded } from "./tails.ts";

const eights = (count: number): number => Math.ceil(count / 8);

interface AttentionSizes {
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** Channels a head. */
  readonly own: number;
  /** Heads that share keys or values are called one by one. */
  readonly calls: number;
}

export function attentionSizes(layer: AttentionLayer, shapes: ReadonlyMap<string, Shape>): AttentionSizes {
  const { heads, keyHeads = heads, valueHeads = heads } = layer;
  const [qh, qw, channels] = shapes.get(layer.q)!;
  const [kh, kw] = shapes.get(layer.k)!;
  const shared = keyHeads !== heads || valueHeads !== heads;
  return { heads, queries: qh * qw, keys: kh * kw, own: channels / heads, calls: shared ? heads : 1 };
}

/** What panels take of a dimension. int8 holds it in pairs, and transposes eight values of a token where f32 does four. */
interface Panels {
  /** Products of a sum, surplus ones included. */
  readonly products: (length: number) => number;
  /** Vectors of four tokens side by side. */
  readonly transposed: (channels: number) => number;
  /** Vectors of four channels of all tokens. */
  readonly copied: (tokens: number) => number;
}

const F32: Panels = { products: (n) => n, transposed: (n) => 4 * fours(n), copied: (n) => n };
const INT8: Panels = {
  products: (n) => 2 * Math.ceil(n / 2),
  transposed: (n) => 4 * eights(n),
  copied: (n) => Math.ceil(n / 2),
};

type Counts = Pick<MapCounts, "kernel" | "parts" | "tails" | "macs">;

/** One query: keys and values are read where they lie, and there are no panels and no tiles. */
function singleCounts({ heads, keys, own }: AttentionSizes, float: boolean): Counts {
  return {
    kernel: float ? "f32_single_query" : "qs8_single_query",
    parts: {
      products: heads * fours(keys) * (float ? fours(own) : eights(own)),
      values: heads * (float ? keys * fours(own) : Math.ceil(keys / 2) * eights(own)),
      scores: heads * fours(keys),
      turns: heads * (eights(keys) + Math.ceil(own / 16)),
    },
    tails: padded("keys", keys, 4),
  };
}

function softmaxCounts(sizes: AttentionSizes, float: boolean): Counts {
  const { heads, queries, keys, own } = sizes;
  if (queries === 1) return singleCounts(sizes, float);
  const { products, transposed, copied } = float ? F32 : INT8;
  const [groups, blocks, rows] = [fours(keys), eights(own), eights(queries)];
  return {
    kernel: float ? "f32_attention" : "qs8_attention",
    // 4 keys x 8 queries a tile, then 4 queries x 8 channels.
    macs: heads * (rows * groups * 32 * products(own) + fours(queries) * blocks * 32 * products(keys)),
    parts: {
      input: heads * (groups * transposed(own) + 2 * blocks * copied(keys) + 2 * rows * transposed(own)),
      scores: heads * rows * groups * 8,
      output: heads * queries * blocks,
      turns: heads * (rows * groups + fours(queries) * blocks),
    },
    tails: [...padded("queries", queries, 8), ...padded("channels of a head", own, 8), ...padded("keys", keys, 4)],
  };
}

function xcaCounts({ heads, keys: tokens, own }: AttentionSizes, float: boolean): Counts {
  const { products, transposed, copied } = float ? F32 : INT8;
  const [groups, blocks, quads] = [fours(own), eights(own), fours(tokens)];
  return {
    kernel: float ? "f32_xca" : "qs8_xca",
    // 4 x 8 channels a tile, then 4 tokens x 8 channels.
    macs: heads * blocks * 32 * (groups * products(tokens) + quads * products(own)),
    parts: {
      input: heads * ((groups + 2 * blocks) * copied(tokens) + quads * transposed(own)),
      scores: heads * blocks * groups * 8,
      output: heads * blocks * tokens,
      turns: heads * blocks * (groups + quads),
    },
    tails: [...padded("channels of a head", own, 8), ...padded("tokens", tokens, 4)],
  };
}

/** The calls of the kernel, as one. */
export function attentionCounts(layer: AttentionLayer, { precision, shapes }: MapContext): MapCounts {
  const sizes = attentionSizes(layer, shapes);
  const { scores, apply } = attentionCosts(layer, shapes);
  const counts = (layer.map === "softmax" ? softmaxCounts : xcaCounts)(sizes, precision === "f32");
  return { ...counts, usefulMacs: scores + apply, calls: sizes.calls };
}
