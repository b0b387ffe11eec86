import { compileBase64 } from "../compile-base64.ts";
import type { KernelInstance } from "../load.ts";
import type { WasmMemory } from "../memory.ts";
import type { LayerKernelExports } from "./exports.ts";

/** The layers of classification networks over the memory of a kernel instance: pointers mean the same to both. */
export interface LayerKernelInstance {
  readonly memory: WasmMemory;
  readonly exports: LayerKernelExports;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * Compiles the second binary once per process, and imports it only then: what upscales pictures never loads it. A failure is not cached.
 * @throws WasmogradError ERR_WASM
 */
export function compileLayerKernels(): Promise<WebAssembly.Module> {
  compiled ??= import("./binary.generated.ts")
    .then(({ LAYERS_WASM_BASE64 }) => compileBase64(LAYERS_WASM_BASE64))
    .catch((error: unknown) => {
      compiled = undefined;
      throw error;
    });
  return compiled;
}

/**
 * Adds the layer kernels to an instance, whose memory they share. Their static data has a place of its own below the heap
 * (asconfig.layers.json), so instances may be added at any time, and more than once.
 * @throws WasmogradError ERR_WASM
 */
export async function instantiateLayerKernels({ memory }: KernelInstance): Promise<LayerKernelInstance> {
  const module = await compileLayerKernels();
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.raw } });
  return { memory, exports: instance.exports as unknown as LayerKernelExports };
}
