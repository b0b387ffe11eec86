import fc from "fast-check";
import { expect } from "vitest";
import type { WasmMemory } from "../../src/kernels/memory.ts";
import type { Tokens } from "../../src/reference/attention.ts";
import type { AttentionQuantization } from "../../src/reference/attention-kernels.ts";
import { withGuards } from "./guard.ts";

/** How q, k and v lie: apart, side by side in one buffer of tokens, or as one and the same. */
export const PLACES = ["apart", "side by side", "same"] as const;

export const placement = fc.record({
  place: fc.constantFrom(...PLACES),
  /** Elements between tokens beyond what they hold. */
  gap: fc.integer({ min: 0, max: 5 }),
  /** Bytes by which the buffers are off their alignment. */
  skew: fc.integer({ min: 0, max: 3 }),
  /** What the scratch holds: all ones are NaN. */
  garbage: fc.constantFrom(0, 0x7f, 0xcd, 0xff),
});

export type Placement = typeof placement extends fc.Arbitrary<infer T> ? T : never;

/** Sizes up to 70, those around multiples of four and eight more often. */
export const size = fc.oneof(
  fc.integer({ min: 1, max: 70 }),
  fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65),
);

export interface Operands<Data> {
  readonly data: Data;
  readonly q: Tokens<Data>;
  readonly k: Tokens<Data>;
  readonly v: Tokens<Data>;
}

/** q of `queries` tokens, k and v of `keys`, of `width` channels each, in one buffer that `values` fills. */
export function place<Data>(
  { place, gap }: Placement,
  queries: number,
  keys: number,
  width: number,
  values: (length: number) => Data,
): Operands<Data> {
  const tokens = Math.max(queries, keys);
  const stride = (place === "side by side" ? 3 : 1) * width + gap;
  const bytesOf = (rows: number): number => rows * stride;
  const starts = {
    apart: [0, bytesOf(queries), bytesOf(queries + keys)],
    "side by side": [0, width, 2 * width],
    same: [0, 0, 0],
  }[place];
  const data = values(place === "apart" ? bytesOf(queries + 2 * keys) : bytesOf(tokens));
  const [q, k, v] = starts.map((first) => ({ data, first, stride })) as [Tokens<Data>, Tokens<Data>, Tokens<Data>];
  return { data, q, k, v };
}

interface Pointers {
  readonly q: number;
  readonly k: number;
  readonly v: number;
  readonly to: number;
  readonly scratch: number;
  /** Bytes between tokens of q, k and v, and of the result. */
  readonly stride: number;
  readonly toStride: number;
}

/**
 * Calls a kernel with guard bands around operands, result and scratch; operands and what lies between the result's tokens must stay as
 * they are. Returns the result without gaps, [tokens][width].
 */
export function runAttention<Data extends Int8Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
  memory: WasmMemory,
  { data, q, k, v }: Operands<Data>,
  { gap, skew, garbage }: Placement,
  [tokens, width]: readonly [number, number],
  scratchBytes: number,
  call: (pointers: Pointers) => void,
): Data {
  const bytes = data.BYTES_PER_ELEMENT;
  const toStride = (width + gap) * bytes;
  const rowBytes = width * bytes;
  const input = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const result = new Uint8Array(tokens * rowBytes);
  const sizes = [input.length + skew, (tokens - 1) * toStride + rowBytes + skew, scratchBytes];
  withGuards(memory, sizes, ([from, block, scratch]) => {
    const [x, to] = [from! + skew, block! + skew];
    memory.u8.set(input, x);
    memory.u8.fill(garbage, scratch!, scratch! + scratchBytes);
    const at = (part: Tokens<Data>): number => x + part.first * bytes;
    call({ q: at(q), k: at(k), v: at(v), to, scratch: scratch!, stride: q.stride * bytes, toStride });
    const { u8 } = memory;
    expect(Buffer.compare(u8.subarray(x, x + input.length), input)).toBe(0);
    expect(u8.subarray(block!, to).every((b) => b === 0xcd)).toBe(true);
    for (let n = 0; n < tokens; n++) {
      const row = to + n * toStride;
      result.set(u8.subarray(row, row + rowBytes), n * rowBytes);
      if (n + 1 < tokens) expect(u8.subarray(row + rowBytes, row + toStride).every((b) => b === 0xcd)).toBe(true);
    }
  });
  return (data instanceof Float32Array ? new Float32Array(result.buffer) : new Int8Array(result.buffer)) as Data;
}

/** Zero points at the ends of the range more often, ratios of several sizes, whole and narrow ranges. */
const zeroPoint = fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constantFrom(-128, 0, 127));
export const quantization: fc.Arbitrary<AttentionQuantization> = fc.record({
  zeroQ: zeroPoint,
  zeroK: zeroPoint,
  zeroV: zeroPoint,
  ratio: fc.constantFrom(1, 0.37, 3.1, 2 ** -20, 2 ** 20, 0.99).map(Math.fround),
  zeroPoint,
  qmin: fc.constantFrom(-128, -128, -5),
  qmax: fc.constantFrom(127, 127, 60),
});

/** The bits of 1.5 * 2^23, of assembly/common/requantize.ts. */
const MAGIC_BITS = 0x4b400000;

/** The arguments of an int8 kernel from its zero points on. */
export function s8Arguments(
  q: AttentionQuantization,
): [zeroQ: number, zeroK: number, zeroV: number, ratio: number, magicZero: number, magicMin: number, qmax: number] {
  const magicZero = MAGIC_BITS - q.zeroPoint;
  return [q.zeroQ, q.zeroK, q.zeroV, q.ratio, magicZero, magicZero + q.qmin, q.qmax];
}
