/** Where the WebAssembly binaries are to come from, as callers say it. */
import { absoluteUrl } from "../absolute-url.ts";
import { check, checkObject } from "../errors.ts";

/**
 * `kernels` is what everything needs; `layers` and `attention` come with classifiers and transformers, the relaxed ones by
 * `relaxedSimd`.
 */
export type BinaryName = "kernels" | "layers" | "attention" | "kernels-relaxed" | "attention-relaxed";

/** Where the WebAssembly binaries come from; by default from the package. */
export interface WasmOptions {
  /**
   * Address of `kernels.wasm`, in place of the package's own: absolute, or relative to the page. The other binaries, where a network needs
   * them, are looked for beside it by their names; or all addresses by name. Files have to be those of this version of the package.
   */
  readonly wasmUrl?: string | URL | Readonly<Partial<Record<BinaryName, string | URL>>>;
  /** `kernels.wasm` compiled already, where code may not be compiled or fetched; or several binaries by name. Goes before `wasmUrl`. */
  readonly wasmModule?: WebAssembly.Module | Readonly<Partial<Record<BinaryName, WebAssembly.Module>>>;
}

/** Those options among others. */
export function wasmOf({ wasmUrl, wasmModule }: WasmOptions): WasmOptions {
  return { ...(wasmUrl !== undefined && { wasmUrl }), ...(wasmModule !== undefined && { wasmModule }) };
}

/** The module that the caller has for a binary. @throws WasmogradError ERR_ARGUMENT */
export function givenModule(name: BinaryName, { wasmModule }: WasmOptions): WebAssembly.Module | undefined {
  if (wasmModule === undefined) return undefined;
  checkObject("wasmModule", wasmModule);
  if (isModule(wasmModule)) return name === "kernels" ? wasmModule : undefined;
  const found = wasmModule[name];
  const message = () => `wasmModule.${name}: expected a WebAssembly.Module, got ${String(found)}`;
  check(found === undefined || isModule(found), "ERR_ARGUMENT", message);
  return found;
}

/** By its tag, as a module may come from another realm. */
function isModule(value: object): value is WebAssembly.Module {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

/** The address that the caller has for a binary. @throws WasmogradError ERR_ARGUMENT */
export function givenUrl(name: BinaryName, { wasmUrl }: WasmOptions): URL | undefined {
  if (wasmUrl === undefined) return undefined;
  if (typeof wasmUrl === "string" || wasmUrl instanceof URL) {
    const kernels = absoluteUrl("wasmUrl", wasmUrl);
    return name === "kernels" ? kernels : new URL(`${name}.wasm`, kernels);
  }
  checkObject("wasmUrl", wasmUrl);
  const found = wasmUrl[name];
  return found === undefined ? undefined : absoluteUrl(`wasmUrl.${name}`, found);
}
