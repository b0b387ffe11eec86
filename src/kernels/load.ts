import { KERNELS_WASM_BASE64 } from "./binary.generated.ts";
import { compileBase64 } from "./compile-base64.ts";
import type { KernelExports } from "./exports.ts";
import { WasmMemory } from "./memory.ts";

/** One instance of the kernels with a memory of its own. Instances share nothing but the compiled module. */
export interface KernelInstance {
  readonly memory: WasmMemory;
  readonly exports: KernelExports;
  /** Whether f32 kernels multiply and add by relaxed SIMD, so that their results depend on the processor in the last bits. */
  readonly relaxed: boolean;
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

/**
 * Instantiates the kernels over a fresh memory.
 * @param options.relaxed asks for relaxed SIMD, loaded only then; where the engine has none, the instance is a plain one
 * @throws WasmogradError ERR_WASM
 */
export async function instantiateKernels(options: { readonly relaxed?: boolean } = {}): Promise<KernelInstance> {
  const relaxed = options.relaxed === true ? await (await import("./relaxed.ts")).compileRelaxedKernels() : undefined;
  const module = relaxed ?? (await compileKernels());
  const memory = new WasmMemory();
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.raw } });
  return { memory, exports: instance.exports as unknown as KernelExports, relaxed: relaxed !== undefined };
}
