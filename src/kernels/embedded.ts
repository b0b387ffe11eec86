/**
 * Where a binary comes from that nobody says an address of: out of modules that embed it. In the entry `wasmograd/wasm` `own-files.ts`
 * stands in this file's place (scripts/bundle.mjs); nothing but `binaries.ts` imports either.
 */
import { KERNELS_WASM_BASE64 } from "./binary.generated.ts";
import { inflateBase64 } from "./inflate-base64.ts";
import type { BinaryName } from "./wasm-options.ts";

/** What upscaling needs comes with the page, all others when they are asked for. */
const BASE64: Readonly<Record<BinaryName, () => string | Promise<string>>> = {
  kernels: () => KERNELS_WASM_BASE64,
  layers: async () => (await import("./layers/binary.generated.ts")).LAYERS_WASM_BASE64,
  attention: async () => (await import("./attention/binary.generated.ts")).ATTENTION_WASM_BASE64,
  "kernels-relaxed": async () => (await import("./relaxed.generated.ts")).KERNELS_RELAXED_WASM_BASE64,
  "attention-relaxed": async () => (await import("./attention/relaxed.generated.ts")).ATTENTION_RELAXED_WASM_BASE64,
};

/** The bytes of a binary of this package. */
export async function ownBinary(name: BinaryName): Promise<Uint8Array<ArrayBuffer>> {
  return inflateBase64(await BASE64[name]());
}
