/** Steps of vision transformers: tokens, positions and attention, f32, each over whole maps. */
import { WasmogradError } from "../errors.ts";
import type { AttentionKernelExports } from "../kernels/attention/exports.ts";
import { attentionScratchBytes, xcaScratchBytes } from "../kernels/attention/scratch.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { AttentionLayer, Layer, Model, Shape } from "../network/description.ts";
import { fourierPositions } from "../network/fourier-positions.ts";
import type { Program, RowAddress, Step } from "./program.ts";

export interface TokenContext {
  readonly kernels: KernelInstance;
  /** There where the network has attention. */
  readonly attention: AttentionKernelExports | undefined;
  readonly program: Program;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly at: RowAddress;
  /** Of the working memory that the plan's steps share. */
  readonly scratch: number;
}

const FLOAT = 4;

/** Constants of these layers, by layer name. */
export function* tokenConstants({ network, weights }: Model): Iterable<readonly [string, Float32Array]> {
  for (const layer of network.layers) {
    const name =
      layer.op === "class-token" || layer.op === "positions"
        ? layer.weights
        : layer.op === "attention"
          ? layer.temperature
          : undefined;
    if (name !== undefined) yield [layer.name, weights.get(name)!.data];
  }
}

interface Heads {
  readonly tokens: number;
  readonly keys: number;
  readonly headChannels: number;
}

/** @throws WasmogradError ERR_UNSUPPORTED where values have other channels a head than queries */
function headsOf(layer: AttentionLayer, shapes: ReadonlyMap<string, Shape>): Heads {
  const { heads, valueHeads = heads } = layer;
  const [qh, qw, channels] = shapes.get(layer.q)!;
  const [kh, kw] = shapes.get(layer.k)!;
  const headChannels = channels / heads;
  const own = shapes.get(layer.v)![2] / valueHeads;
  if (own !== headChannels) {
    const message = `layer "${layer.name}": expected values of ${headChannels} channels a head as the queries have, got ${own}`;
    throw new WasmogradError("ERR_UNSUPPORTED", message);
  }
  return { tokens: qh * qw, keys: kh * kw, headChannels };
}

/** Bytes of working memory of a layer's step. @throws WasmogradError ERR_UNSUPPORTED */
export function tokenScratchBytes(layer: Layer, shapes: ReadonlyMap<string, Shape>): number {
  if (layer.op !== "attention") return 0;
  const { keys, headChannels } = headsOf(layer, shapes);
  return layer.map === "softmax"
    ? attentionScratchBytes("f32", keys, headChannels)
    : xcaScratchBytes("f32", keys, headChannels);
}

/** undefined for a layer that is none of these. */
export function tokenStep(context: TokenContext, layer: Layer): Step | undefined {
  const { kernels, program, shapes, at } = context;
  const copy = (from: number, to: number, values: number): void => {
    kernels.memory.u8.copyWithin(to, from, from + values * FLOAT);
  };
  const { name } = layer;
  const [height, width, channels] = shapes.get(name)!;
  switch (layer.op) {
    case "class-token": {
      const token = program.vector(name);
      return () => {
        const to = at(name, 0);
        copy(token, to, channels);
        copy(at(layer.input, 0), to + channels * FLOAT, (width - 1) * channels);
      };
    }
    case "positions": {
      const positions = program.vector(name);
      return () => kernels.exports.f32_add(at(layer.input, 0), positions, at(name, 0), height * width, channels, 0);
    }
    case "fourier-positions": {
      const values = fourierPositions([height, width], channels);
      return () => kernels.memory.f32.set(values, at(name, 0) / FLOAT);
    }
    case "take-token":
      return () => copy(at(layer.input, 0), at(name, 0), channels);
    case "replace-token": {
      const [tokens, token] = layer.inputs;
      return () => {
        copy(at(tokens, 0), at(name, 0), height * width * channels);
        copy(at(token, 0), at(name, 0), channels);
      };
    }
    case "attention":
      return attentionStep(context, layer);
    default:
      return undefined;
  }
}

/** Heads that have keys and values of their own run in one call, heads that share them one by one. */
function attentionStep({ attention, program, shapes, at, scratch }: TokenContext, layer: AttentionLayer): Step {
  const { name, heads, keyHeads = heads, valueHeads = heads, map } = layer;
  const { tokens, keys, headChannels } = headsOf(layer, shapes);
  const stride = (tensor: string): number => shapes.get(tensor)![2] * FLOAT;
  const [qStride, kStride, vStride, toStride] = [layer.q, layer.k, layer.v, name].map(stride) as [
    number,
    number,
    number,
    number,
  ];
  const exports = attention!;
  const temperatures = map === "xca" ? program.vector(name) : 0;
  const shared = keyHeads !== heads || valueHeads !== heads;
  const groups = shared ? Array.from({ length: heads }, (_, head) => head) : [0];
  const count = shared ? 1 : heads;
  const bytes = headChannels * FLOAT;
  return () => {
    for (const head of groups) {
      const q = at(layer.q, 0) + head * bytes;
      const k = at(layer.k, 0) + Math.floor((head * keyHeads) / heads) * bytes;
      const v = at(layer.v, 0) + Math.floor((head * valueHeads) / heads) * bytes;
      const to = at(name, 0) + head * bytes;
      if (map === "xca") {
        const own = temperatures + head * FLOAT;
        exports.f32_xca(q, k, v, to, tokens, count, headChannels, qStride, kStride, vStride, toStride, own, scratch);
      } else {
        const scale = 1 / Math.sqrt(headChannels);
        exports.f32_attention(
          q,
          k,
          v,
          to,
          tokens,
          keys,
          count,
          headChannels,
          qStride,
          kStride,
          vStride,
          toStride,
          scale,
          scratch,
        );
      }
    }
  };
}
