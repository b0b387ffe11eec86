/** The kernels' binary with relaxed SIMD, in a module of its own, so that only what asks for it loads it. */
import { inflateBase64 } from "./compile-base64.ts";
import { KERNELS_RELAXED_WASM_BASE64 } from "./relaxed.generated.ts";

let compiled: Promise<WebAssembly.Module | undefined> | undefined;

/** Compiles it once per process; undefined where the engine has no relaxed SIMD. A failure is not cached. @throws WasmogradError ERR_WASM */
export function compileRelaxedKernels(): Promise<WebAssembly.Module | undefined> {
  compiled ??= inflateBase64(KERNELS_RELAXED_WASM_BASE64)
    .then((bytes) => (WebAssembly.validate(bytes) ? WebAssembly.compile(bytes) : undefined))
    .catch((error: unknown) => {
      compiled = undefined;
      throw error;
    });
  return compiled;
}
