import { expect } from "vitest";
import type { WasmMemory } from "../../src/kernels/memory.ts";
import { withGuards } from "./guard.ts";

type Values = Int8Array | Float32Array;

export interface LayerRun {
  /** Bytes by which every buffer is off its alignment. */
  readonly skew?: number;
  /** The output is the first input. */
  readonly inPlace?: boolean;
}

const bytesOf = (values: Values): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/**
 * Calls a kernel with guard bands around its inputs and its output and returns the output's bytes; inputs must stay as they are, but for
 * the one that is the output.
 */
function runBytes(
  memory: WasmMemory,
  inputs: readonly Values[],
  bytes: number,
  call: (inputs: number[], to: number) => void,
  { skew = 0, inPlace = false }: LayerRun,
): Uint8Array<ArrayBuffer> {
  let result: Uint8Array<ArrayBuffer> | undefined;
  const sizes = [...inputs.map(({ byteLength }) => byteLength + skew), bytes + skew];
  withGuards(memory, sizes, (blocks) => {
    const pointers = blocks.map((block) => block + skew);
    for (const [i, values] of inputs.entries()) memory.u8.set(bytesOf(values), pointers[i]!);
    const to = inPlace ? pointers[0]! : pointers.at(-1)!;
    call(pointers.slice(0, -1), to);
    const { u8 } = memory;
    for (const block of blocks) expect(u8.subarray(block, block + skew).every((b) => b === 0xcd)).toBe(true);
    for (const [i, values] of inputs.entries()) {
      const at = pointers[i]!;
      if (at !== to) expect(Buffer.compare(u8.subarray(at, at + values.byteLength), bytesOf(values))).toBe(0);
    }
    result = u8.slice(to, to + bytes);
  });
  return result!;
}

export function runF32(
  memory: WasmMemory,
  inputs: readonly Values[],
  length: number,
  call: (inputs: number[], to: number) => void,
  run: LayerRun = {},
): Float32Array {
  return new Float32Array(runBytes(memory, inputs, length * 4, call, run).buffer);
}

export function runS8(
  memory: WasmMemory,
  inputs: readonly Values[],
  length: number,
  call: (inputs: number[], to: number) => void,
  run: LayerRun = {},
): Int8Array {
  return new Int8Array(runBytes(memory, inputs, length, call, run).buffer);
}

/** Whether all values are the same, NaN included; 0 and -0 are. */
export function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((v, i) => v === b[i] || (Number.isNaN(v) && Number.isNaN(b[i])));
}
