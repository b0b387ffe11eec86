import { decodeBase64 } from "../base64.ts";
import { WasmogradError } from "../errors.ts";
import { inflate } from "../inflate.ts";

/** The bytes of a binary embedded as base64 of raw deflate. @throws WasmogradError ERR_WASM where there is no WebAssembly to run it */
export async function inflateBase64(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof WebAssembly !== "object") {
    throw new WasmogradError("ERR_WASM", "WebAssembly is not available in this environment");
  }
  return inflate(decodeBase64(base64));
}

/** Compiles a binary embedded as base64 of raw deflate. @throws WasmogradError ERR_WASM */
export async function compileBase64(base64: string): Promise<WebAssembly.Module> {
  const bytes = await inflateBase64(base64);
  if (!WebAssembly.validate(bytes)) {
    throw new WasmogradError("ERR_WASM", "this engine does not support WebAssembly SIMD, which wasmograd requires");
  }
  return WebAssembly.compile(bytes);
}
