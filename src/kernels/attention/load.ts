import type { KernelInstance } from "../load.ts";
import type { WasmMemory } from "../memory.ts";
import type { AttentionKernelExports } from "./exports.ts";

/** The kernels of attention over the memory of a kernel instance: pointers mean the same to both. */
export interface AttentionKernelInstance {
  readonly memory: WasmMemory;
  readonly exports: AttentionKernelExports;
}

/**
 * Adds the kernels of attention to an instance, whose memory they share, and its form: the third binary, loaded only here. Their static data
 * has a place of its own below the heap (asconfig.attention.json), so instances may be added at any time, and more than once.
 * @throws WasmogradError ERR_WASM
 */
export async function instantiateAttentionKernels({
  memory,
  relaxed,
  binary,
}: KernelInstance): Promise<AttentionKernelInstance> {
  const module = await binary(relaxed ? "attention-relaxed" : "attention");
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.raw } });
  return { memory, exports: instance.exports as unknown as AttentionKernelExports };
}
