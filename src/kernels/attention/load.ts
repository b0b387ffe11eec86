import { compileBase64 } from "../compile-base64.ts";
import type { KernelInstance } from "../load.ts";
import type { WasmMemory } from "../memory.ts";
import type { AttentionKernelExports } from "./exports.ts";

/** The kernels of attention over the memory of a kernel instance: pointers mean the same to both. */
export interface AttentionKernelInstance {
  readonly memory: WasmMemory;
  readonly exports: AttentionKernelExports;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * Compiles the third binary once per process, and imports it only then: what has no attention never loads it. A failure is not cached.
 * @throws WasmogradError ERR_WASM
 */
export function compileAttentionKernels(): Promise<WebAssembly.Module> {
  compiled ??= import("./binary.generated.ts")
    .then(({ ATTENTION_WASM_BASE64 }) => compileBase64(ATTENTION_WASM_BASE64))
    .catch((error: unknown) => {
      compiled = undefined;
      throw error;
    });
  return compiled;
}

/**
 * Adds the kernels of attention to an instance, whose memory they share. Their static data has a place of its own below the heap
 * (asconfig.attention.json), so instances may be added at any time, and more than once.
 * @throws WasmogradError ERR_WASM
 */
export async function instantiateAttentionKernels({ memory }: KernelInstance): Promise<AttentionKernelInstance> {
  const module = await compileAttentionKernels();
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.raw } });
  return { memory, exports: instance.exports as unknown as AttentionKernelExports };
}
