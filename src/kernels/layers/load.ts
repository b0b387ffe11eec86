import type { KernelInstance } from "../load.ts";
import type { WasmMemory } from "../memory.ts";
import type { LayerKernelExports } from "./exports.ts";

/** The layers of classification networks over the memory of a kernel instance: pointers mean the same to both. */
export interface LayerKernelInstance {
  readonly memory: WasmMemory;
  readonly exports: LayerKernelExports;
}

/**
 * Adds the layer kernels to an instance, whose memory they share: the second binary, loaded only here, which upscaling pictures never
 * is. Their static data has a place of its own below the heap (asconfig.layers.json), so instances may be added at any time, and more than
 * once.
 * @throws WasmogradError ERR_WASM
 */
export async function instantiateLayerKernels({ memory, binary }: KernelInstance): Promise<LayerKernelInstance> {
  const module = await binary("layers");
  const instance = await WebAssembly.instantiate(module, { env: { memory: memory.raw } });
  return { memory, exports: instance.exports as unknown as LayerKernelExports };
}
