/** Steps of vision transformers: tokens, positions and attention, f32, each over whole maps. */
import type { AttentionKernelExports } from "../kernels/attention/exports.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { AttentionLayer, Layer, Model, Shape } from "../network/description.ts";
import { fourierPositions } from "../network/fourier-positions.ts";
import type { Program, RowAddress, Step } from "./program.ts";
import { headsOf, stridesOf } from "./token-heads.ts";

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

function attentionStep({ attention, program, shapes, at, scratch }: TokenContext, layer: AttentionLayer): Step {
  const { name, map } = layer;
  const { tokens, keys, headChannels, count, calls } = headsOf(layer, shapes, FLOAT);
  const [qStride, kStride, vStride, toStride] = stridesOf(layer, shapes, FLOAT);
  const exports = attention!;
  const temperatures = map === "xca" ? program.vector(name) : 0;
  const scale = 1 / Math.sqrt(headChannels);
  return () => {
    for (const call of calls) {
      const q = at(layer.q, 0) + call.q;
      const k = at(layer.k, 0) + call.k;
      const v = at(layer.v, 0) + call.v;
      const to = at(name, 0) + call.q;
      if (map === "xca") {
        const own = temperatures + call.head * FLOAT;
        exports.f32_xca(q, k, v, to, tokens, count, headChannels, qStride, kStride, vStride, toStride, own, scratch);
      } else {
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
