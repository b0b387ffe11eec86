import { expect } from "vitest";
import type { WasmMemory } from "../../src/kernels/memory.ts";

const BAND = 64;

/**
 * A buffer in kernel memory between two bands of a pattern: reads past the end see it, writes past the end change it.
 */
export interface GuardedBuffer {
  readonly pointer: number;
  readonly bytes: number;
  /** Fails when a byte of either band changed. */
  check(): void;
  free(): void;
}

function pattern(seed: number, i: number): number {
  return ((i * 37 + seed * 101) ^ 0xa5) & 0xff;
}

/** Allocates `bytes` with 64 patterned bytes before and after; `seed` varies the pattern. Contents start as 0xcd. */
export function guarded(memory: WasmMemory, bytes: number, seed = 1): GuardedBuffer {
  const block = memory.allocate(bytes + 2 * BAND);
  const pointer = block + BAND;
  const { u8 } = memory;
  u8.fill(0xcd, pointer, pointer + bytes);
  const places = (i: number): [number, number] => [block + i, pointer + bytes + i];
  for (let i = 0; i < BAND; i++) for (const at of places(i)) u8[at] = pattern(seed, at - block);
  return {
    pointer,
    bytes,
    check() {
      const now = memory.u8;
      for (let i = 0; i < BAND; i++) {
        for (const at of places(i)) {
          if (now[at] === pattern(seed, at - block)) continue;
          const place = at < pointer ? `${pointer - at} bytes before` : `${i} bytes after the end of`;
          expect.fail(`guard band broken ${place} a buffer of ${bytes} bytes`);
        }
      }
    },
    free: () => memory.free(block),
  };
}

/** Runs `body` with buffers of the given sizes and checks every band afterwards. */
export function withGuards(memory: WasmMemory, sizes: readonly number[], body: (pointers: number[]) => void): void {
  const buffers = sizes.map((size, i) => guarded(memory, size, i + 1));
  try {
    body(buffers.map((buffer) => buffer.pointer));
    for (const buffer of buffers) buffer.check();
  } finally {
    for (const buffer of buffers) buffer.free();
  }
}
