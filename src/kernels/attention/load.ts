import { compileBase64 } from "../compile-base64.ts";
import type { KernelInstance } from "../load.ts";
import type { WasmMemory } from "../memory.ts";
import type { AttentionKernelExports } from "./exports.ts";

/** The kernels of attention over the memory of a kernel instance: pointers mean the same to both. */
export interface AttentionKernelInstance {
  readonly memory: WasmMemory;
  readonly exports: AttentionKernelExports;
}

const BINARIES = {
  plain: async () => (await import("./binary.generated.ts")).ATTENTION_WASM_BASE64,
  relaxed: async () => (await import("./relaxed.generated.ts")).ATTENTION_RELAXED_WASM_BASE64,
};

const compiled = new Map<keyof typeof BINARIES, Promise<WebAssembly.Module>>();

/**
 * Compiles the third binary once per process, and imports it only then: what has no attention never loads it. A failure is not cached.
 * @param relaxed the form with relaxed SIMD, which the engine must have
 * @throws WasmogradError ERR_WASM
 */
export function compileAttentionKernels(relaxed = false): Promise<WebAssembly.Module> {
  const form = relaxed ? "relaxed" : "plain";
  const found = compiled.get(form);
  if (found) return found;
  const compiling = BINARIES[form]()
    .then(compileBase64)
    .catch((error: unknown) => {
      compiled.delete(form);
      throw error;
    });
  compiled.set(form, compiling);
  return compiling;
}

/**
 * Adds the kernels of attention to an instance, whose memory they share, and its form. Their static data has a place of its own below the heap
 * (asconfig.attention.json), so instances may be added at any time, and more than once.
 * @throws WasmogradError ERR_WASM
 */
export async function instantiateAttentionKernels({
  memory,
  relaxed,
}: KernelInstance): Promise<AttentionKernelInstance> {
  const module = await compileAttentionKernels(relaxed);
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.raw } });
  return { memory, exports: instance.exports as unknown as AttentionKernelExports };
}
