import { compileBinary, compileIfValid } from "./binaries.ts";
import type { KernelExports } from "./exports.ts";
import { WasmMemory } from "./memory.ts";
import { type BinaryName, type WasmOptions, wasmOf } from "./wasm-options.ts";

/** One instance of the kernels with a memory of its own. Instances share nothing but the compiled module. */
export interface KernelInstance {
  /** @internal Where buffers lie changes from version to version. */
  readonly memory: WasmMemory;
  /** @internal Names and arguments change from version to version. */
  readonly exports: KernelExports;
  /** Whether f32 kernels multiply and add by relaxed SIMD, so that their results depend on the processor in the last bits. */
  readonly relaxed: boolean;
  /**
   * @internal Compiles a further binary, from where this one came: what uses it need not know where that is, or bring the embedded ones
   * along.
   */
  readonly binary: (name: BinaryName) => Promise<WebAssembly.Module>;
}

/** @throws WasmogradError ERR_WASM, ERR_ARGUMENT */
export function compileKernels(wasm: WasmOptions = {}): Promise<WebAssembly.Module> {
  return compileBinary("kernels", wasm);
}

/** Of `instantiateKernels`. */
export interface InstantiateOptions extends WasmOptions {
  /** Asks for relaxed SIMD, loaded only then; where the engine has none, the instance is a plain one. */
  readonly relaxed?: boolean;
}

/**
 * Instantiates the kernels over a fresh memory, for networks and detectors that are to share one (`kernels` of their options).
 * @throws WasmogradError ERR_WASM, ERR_ARGUMENT as `loadKernels`
 */
export async function instantiateKernels(options: InstantiateOptions = {}): Promise<KernelInstance> {
  const relaxed = options.relaxed === true ? await compileIfValid("kernels-relaxed", options) : undefined;
  const module = relaxed ?? (await compileKernels(options));
  const wasm = wasmOf(options);
  const binary = (name: BinaryName): Promise<WebAssembly.Module> => compileBinary(name, wasm);
  const memory = new WasmMemory();
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.raw } });
  return { memory, exports: instance.exports as unknown as KernelExports, relaxed: relaxed !== undefined, binary };
}
