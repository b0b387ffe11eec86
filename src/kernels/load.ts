import { KERNELS_WASM_BASE64 } from "./binary.generated.ts";
import { compileBase64 } from "./compile-base64.ts";
import type { KernelExports } from "./exports.ts";
import { WasmMemory } from "./memory.ts";

/** One instance of the kernels with a memory of its own. Instances share nothing but the compiled module. */
export interface KernelInstance {
  readonly memory: WasmMemory;
  readonly exports: KernelExports;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiles the embedded binary once per process; a failure is not cached, so a later call tries again. */
export function compileKernels(): Promise<WebAssembly.Module> {
  compiled ??= compileBase64(KERNELS_WASM_BASE64).catch((error: unknown) => {
    compiled = undefined;
    throw error;
  });
  return compiled;
}

/** A module that another thread has compiled, instead of compiling it again. */
export function useModule(module: WebAssembly.Module): void {
  compiled = Promise.resolve(module);
}

/** Instantiates the kernels over a fresh memory. @throws WasmogradError ERR_WASM */
export async function instantiateKernels(): Promise<KernelInstance> {
  const module = await compileKernels();
  const memory = new WasmMemory();
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.raw } });
  return { memory, exports: instance.exports as unknown as KernelExports };
}
