/** Attention that is timed, projections apart, at the sizes of DeiT-Ti and XCiT: bench/run.mjs reads the table. */
import { instantiateAttentionKernels } from "../kernels/attention/load.ts";
import { attentionScratchBytes, xcaScratchBytes } from "../kernels/attention/scratch.ts";
import type { KernelInstance } from "../kernels/load.ts";

export interface AttentionCase {
  readonly dtype: "int8" | "f32";
  readonly map: "softmax" | "cross-covariance";
  readonly queries: number;
  readonly tokens: number;
  readonly heads: number;
  readonly headChannels: number;
}

const SHAPES = [
  { map: "softmax", queries: 197, tokens: 197, heads: 3, headChannels: 64 },
  { map: "softmax", queries: 1, tokens: 197, heads: 3, headChannels: 64 },
  { map: "cross-covariance", queries: 196, tokens: 196, heads: 4, headChannels: 32 },
  { map: "cross-covariance", queries: 196, tokens: 196, heads: 4, headChannels: 48 },
] as const;

export const ATTENTION_CASES: readonly AttentionCase[] = SHAPES.flatMap((shape) => [
  { dtype: "int8", ...shape } as const,
  { dtype: "f32", ...shape } as const,
]);

export function attentionName({ dtype, map, queries, tokens, heads, headChannels }: AttentionCase): string {
  return `${dtype} attention ${map} ${queries}x${tokens} ${heads}x${headChannels}`;
}

/** Multiply-accumulates of both products; norms and softmax are left out. */
export function attentionMacs({ map, queries, tokens, heads, headChannels }: AttentionCase): number {
  const width = heads * headChannels;
  return map === "softmax" ? 2 * queries * tokens * width : 2 * tokens * width * headChannels;
}

/** The bits of 1.5 * 2^23: a zero point of 0. */
const MAGIC_BITS = 0x4b400000;

/** A case made ready: `run` computes one layer of q, k and v side by side; `dispose` frees its memory. */
export async function prepareAttention(
  kernels: KernelInstance,
  c: AttentionCase,
): Promise<{ run: () => void; dispose: () => void }> {
  const { memory, exports } = await instantiateAttentionKernels(kernels);
  const { dtype, map, queries, tokens, heads, headChannels } = c;
  const width = heads * headChannels;
  const bytes = dtype === "f32" ? 4 : 1;
  const scratchBytes = (map === "softmax" ? attentionScratchBytes : xcaScratchBytes)(dtype, tokens, headChannels);
  const [q, to, temperatures, scratch] = [
    memory.allocate(tokens * 3 * width * bytes),
    memory.allocate(queries * width * bytes),
    memory.allocate(heads * 4),
    memory.allocate(scratchBytes),
  ];
  // Any values will do that are not all alike.
  for (let i = 0; i < tokens * 3 * width; i++) {
    const value = ((i * 7919) % 255) - 127;
    if (dtype === "f32") memory.f32[(q >> 2) + i] = value / 127;
    else memory.i8[q + i] = value;
  }
  memory.f32.fill(1, temperatures >> 2, (temperatures >> 2) + heads);
  const [k, v] = [q + width * bytes, q + 2 * width * bytes];
  const stride = 3 * width * bytes;
  const strides = [stride, stride, stride, width * bytes] as const;
  const scale = 1 / Math.sqrt(headChannels);
  const s8 = [0, 0, 0, 1, MAGIC_BITS, MAGIC_BITS - 128, 127] as const;
  const run = {
    "f32 softmax": () =>
      exports.f32_attention(q, k, v, to, queries, tokens, heads, headChannels, ...strides, scale, scratch),
    "int8 softmax": () =>
      exports.qs8_attention(
        q,
        k,
        v,
        to,
        queries,
        tokens,
        heads,
        headChannels,
        ...strides,
        scale / 127 ** 2,
        ...s8,
        scratch,
      ),
    "f32 cross-covariance": () =>
      exports.f32_xca(q, k, v, to, tokens, heads, headChannels, ...strides, temperatures, scratch),
    "int8 cross-covariance": () =>
      exports.qs8_xca(q, k, v, to, tokens, heads, headChannels, ...strides, temperatures, ...s8, scratch),
  }[`${dtype} ${map}` as const];
  return {
    run,
    dispose: () => {
      for (const pointer of [q, to, temperatures, scratch]) memory.free(pointer);
    },
  };
}
