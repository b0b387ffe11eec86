import { decodeBase64 } from "../base64.ts";
import { WasmogradError } from "../errors.ts";
import { inflate } from "../inflate.ts";
import { KERNELS_WASM_BASE64 } from "./binary.generated.ts";
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
let relaxedCompiled: Promise<WebAssembly.Module | undefined> | undefined;

async function embedded(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof WebAssembly !== "object") {
    throw new WasmogradError("ERR_WASM", "WebAssembly is not available in this environment");
  }
  return inflate(decodeBase64(base64));
}

/** Compiles a binary embedded as base64 of raw deflate. @throws WasmogradError ERR_WASM */
export async function compileBase64(base64: string): Promise<WebAssembly.Module> {
  const bytes = await embedded(base64);
  if (!WebAssembly.validate(bytes)) {
    throw new WasmogradError("ERR_WASM", "this engine does not support WebAssembly SIMD, which wasmograd requires");
  }
  return WebAssembly.compile(bytes);
}

/** Compiles the embedded binary once per process; a failure is not cached, so a later call tries again. */
export function compileKernels(): Promise<WebAssembly.Module> {
  compiled ??= compileBase64(KERNELS_WASM_BASE64).catch((error: unknown) => {
    compiled = undefined;
    throw error;
  });
  return compiled;
}

/** The binary with relaxed SIMD, loaded and compiled once per process; undefined where the engine has none. */
function compileRelaxed(): Promise<WebAssembly.Module | undefined> {
  relaxedCompiled ??= import("./relaxed.generated.ts")
    .then(async ({ KERNELS_RELAXED_WASM_BASE64 }) => {
      const bytes = await embedded(KERNELS_RELAXED_WASM_BASE64);
      return WebAssembly.validate(bytes) ? WebAssembly.compile(bytes) : undefined;
    })
    .catch((error: unknown) => {
      relaxedCompiled = undefined;
      throw error;
    });
  return relaxedCompiled;
}

/** A module that another thread has compiled, instead of compiling it again. */
export function useModule(module: WebAssembly.Module): void {
  compiled = Promise.resolve(module);
}

/**
 * Instantiates the kernels over a fresh memory. @param options.relaxed asks for relaxed SIMD where the engine has it
 * @throws WasmogradError ERR_WASM
 */
export async function instantiateKernels(options: { readonly relaxed?: boolean } = {}): Promise<KernelInstance> {
  const relaxed = options.relaxed === true ? await compileRelaxed() : undefined;
  const module = relaxed ?? (await compileKernels());
  const memory = new WasmMemory();
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.raw } });
  return { memory, exports: instance.exports as unknown as KernelExports, relaxed: relaxed !== undefined };
}
