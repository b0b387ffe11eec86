import { expect } from "vitest";
import { WasmogradError } from "../../src/errors.ts";
import type { WasmMemory } from "../../src/kernels/memory.ts";

/** Where the allocator would put the next block: the same before and after if nothing stayed allocated. */
function nextBlock(memory: WasmMemory): number {
  const pointer = memory.allocate(64);
  memory.free(pointer);
  return pointer;
}

/**
 * Calls `make` with the allocator failing at the first block, the second and so on until it succeeds, and expects every failure to be
 * passed on and to leave nothing allocated. Returns how many blocks were asked for.
 */
export async function failEachAllocation(
  memory: WasmMemory,
  make: () => { dispose(): void } | Promise<{ dispose(): void }>,
): Promise<number> {
  const before = nextBlock(memory);
  const allocate = memory.allocate.bind(memory);
  for (let failing = 0; ; failing++) {
    let calls = 0;
    memory.allocate = (bytes) => {
      if (calls++ === failing) throw new WasmogradError("ERR_OUT_OF_MEMORY", `block ${failing}`);
      return allocate(bytes);
    };
    let made: { dispose(): void } | undefined;
    try {
      made = await make();
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_OUT_OF_MEMORY" });
      expect((error as Error).message).toContain(`block ${failing}`);
    } finally {
      memory.allocate = allocate;
    }
    made?.dispose();
    expect(nextBlock(memory), `after block ${failing} failed`).toBe(before);
    if (made) return calls;
  }
}
