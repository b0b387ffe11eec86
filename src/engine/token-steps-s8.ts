/** Steps of vision transformers in int8: docs/quantization.md has the arithmetic. Each is over whole maps. */
import type { AttentionKernelExports } from "../kernels/attention/exports.ts";
import { MAGIC_BITS } from "../kernels/convolution/params.ts";
import type { LayerKernelExports } from "../kernels/layers/exports.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { AttentionLayer, Layer, Shape } from "../network/description.ts";
import { fourierPositions } from "../network/fourier-positions.ts";
import type { QuantisedModel } from "../quantization/quantise.ts";
import { quantizeValue } from "../quantization/requantize.ts";
import type { ProgramS8, RowAddress, Step } from "./program.ts";
import { headsOf, stridesOf } from "./token-heads.ts";

interface TokenContextS8 {
  readonly kernels: KernelInstance;
  readonly exports: LayerKernelExports;
  /** There where the network has attention. */
  readonly attention: AttentionKernelExports | undefined;
  readonly program: ProgramS8;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly at: RowAddress;
  /** Of the working memory that the plan's steps share. */
  readonly scratch: number;
}

const FLOAT = 4;

/** Constants of these layers, by layer name. */
export function* tokenConstantsS8({ tokens }: QuantisedModel): Iterable<readonly [string, Float32Array | Int8Array]> {
  if (!tokens) return;
  yield* tokens.classTokens;
  for (const [name, { values }] of tokens.positions) yield [name, values];
  for (const [name, { temperatures }] of tokens.attentions) if (temperatures) yield [name, temperatures];
}

/** undefined for a layer that is none of these. */
export function tokenStepS8(context: TokenContextS8, layer: Layer): Step | undefined {
  const { kernels, exports, program, shapes, at } = context;
  const copy = (from: number, to: number, bytes: number): void => {
    kernels.memory.u8.copyWithin(to, from, from + bytes);
  };
  const { name } = layer;
  const [height, width, channels] = shapes.get(name)!;
  switch (layer.op) {
    case "class-token": {
      const token = program.vector(name);
      return () => {
        const to = at(name, 0);
        copy(token, to, channels);
        copy(at(layer.input, 0), to + channels, (width - 1) * channels);
      };
    }
    case "positions": {
      const positions = program.vector(name);
      const { multiplierA, multiplierB, qmin, qmax } = program.model.tokens!.positions.get(name)!;
      const from = program.tensorParams(layer.input).zeroPoint;
      const zero = MAGIC_BITS - program.tensorParams(name).zeroPoint;
      return () => {
        kernels.exports.qs8_add(
          at(layer.input, 0),
          positions,
          at(name, 0),
          height * width,
          channels,
          0,
          from,
          multiplierA,
          0,
          multiplierB,
          zero,
          zero + qmin,
          qmax,
        );
      };
    }
    case "fourier-positions": {
      const params = program.tensorParams(name);
      const values = Int8Array.from(fourierPositions([height, width], channels), (v) => quantizeValue(v, params));
      return () => kernels.memory.i8.set(values, at(name, 0));
    }
    case "take-token":
      return () => copy(at(layer.input, 0), at(name, 0), channels);
    case "replace-token": {
      const [tokens, token] = layer.inputs;
      const tables = program.vector(name);
      return () => {
        exports.s8_table(at(tokens, 0), at(name, 0), height * width, channels, tables, 0);
        exports.s8_table(at(token, 0), at(name, 0), 1, channels, tables + 256, 0);
      };
    }
    case "attention":
      return attentionStep(context, layer);
    default:
      return undefined;
  }
}

function attentionStep({ attention, program, shapes, at, scratch }: TokenContextS8, layer: AttentionLayer): Step {
  const { name, map } = layer;
  const { tokens, keys, headChannels, count, calls } = headsOf(layer, shapes, 1);
  const [qStride, kStride, vStride, toStride] = stridesOf(layer, shapes, 1);
  const exports = attention!;
  const { scale, ratio, qmin, qmax } = program.model.tokens!.attentions.get(name)!;
  const zeroPointOf = (tensor: string): number => program.tensorParams(tensor).zeroPoint;
  const [zeroQ, zeroK, zeroV] = [layer.q, layer.k, layer.v].map(zeroPointOf) as [number, number, number];
  const zero = MAGIC_BITS - zeroPointOf(name);
  const temperatures = map === "xca" ? program.vector(name) : 0;
  return () => {
    for (const call of calls) {
      const q = at(layer.q, 0) + call.q;
      const k = at(layer.k, 0) + call.k;
      const v = at(layer.v, 0) + call.v;
      const to = at(name, 0) + call.q;
      if (map === "xca") {
        exports.qs8_xca(
          q,
          k,
          v,
          to,
          tokens,
          count,
          headChannels,
          qStride,
          kStride,
          vStride,
          toStride,
          temperatures + call.head * FLOAT,
          zeroQ,
          zeroK,
          zeroV,
          ratio,
          zero,
          zero + qmin,
          qmax,
          scratch,
        );
      } else {
        exports.qs8_attention(
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
          zeroQ,
          zeroK,
          zeroV,
          ratio,
          zero,
          zero + qmin,
          qmax,
          scratch,
        );
      }
    }
  };
}
