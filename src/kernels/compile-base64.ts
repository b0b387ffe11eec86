import { decodeBase64 } from "../base64.ts";
import { WasmogradError } from "../errors.ts";
import { inflate } from "../inflate.ts";

/** Compiles a binary embedded as base64 of raw deflate. @throws WasmogradError ERR_WASM */
export async function compileBase64(base64: string): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== "object") {
    throw new WasmogradError("ERR_WASM", "WebAssembly is not available in this environment");
  }
  const bytes = await inflate(decodeBase64(base64));
  if (!WebAssembly.validate(bytes)) {
    throw new WasmogradError("ERR_WASM", "this engine does not support WebAssembly SIMD, which wasmograd requires");
  }
  return WebAssembly.compile(bytes);
}
