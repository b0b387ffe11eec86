/** `embedded.ts` of the entry `wasmograd/wasm`: the binaries are files beside the module, which bundlers find by these literals. */
import { fetchBinary } from "./fetch-binary.ts";
import type { BinaryName } from "./wasm-options.ts";

const URLS: Readonly<Record<BinaryName, () => URL>> = {
  kernels: () => new URL("./kernels.wasm", import.meta.url),
  layers: () => new URL("./layers.wasm", import.meta.url),
  attention: () => new URL("./attention.wasm", import.meta.url),
  "kernels-relaxed": () => new URL("./kernels-relaxed.wasm", import.meta.url),
  "attention-relaxed": () => new URL("./attention-relaxed.wasm", import.meta.url),
};

/** The bytes of a binary of this package. @throws WasmogradError ERR_WASM when they cannot be had */
export function ownBinary(name: BinaryName): Promise<Uint8Array<ArrayBuffer>> {
  return fetchBinary(URLS[name]());
}
