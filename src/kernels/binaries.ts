/** The compiled binaries: each compiled once per process and address, shared by whoever asks while that goes on. */
import { check, WasmogradError } from "../errors.ts";
import { ownBinary } from "./embedded.ts";
import { fetchBinary } from "./fetch-binary.ts";
import { type BinaryName, givenModule, givenUrl, type WasmOptions } from "./wasm-options.ts";

/** An export of each, by which a file of another name is told from it. */
const KNOWN_BY: Readonly<Record<BinaryName, string>> = {
  kernels: "qs8_conv2d_4x8",
  layers: "f32_gelu",
  attention: "f32_softmax",
  "kernels-relaxed": "qs8_conv2d_4x8",
  "attention-relaxed": "f32_softmax",
};

const compiled = new Map<string, Promise<WebAssembly.Module | undefined>>();

/**
 * A binary ready to be instantiated: the caller's module, or compiled from the caller's address, or from the package's own. A failure is not
 * kept, so that a later call tries again.
 * @throws WasmogradError ERR_WASM, ERR_ARGUMENT
 */
export async function compileBinary(name: BinaryName, options: WasmOptions = {}): Promise<WebAssembly.Module> {
  const module = await compileIfValid(name, options);
  const url = givenUrl(name, options);
  const lacking = "this engine does not support WebAssembly SIMD, which wasmograd requires";
  const message = () => (url ? `${url.href}: not valid: the file is damaged, or ${lacking}` : lacking);
  check(module !== undefined, "ERR_WASM", message);
  return module;
}

/** The same; undefined where the engine lacks instructions that the binary has. @throws as `compileBinary` */
export async function compileIfValid(
  name: BinaryName,
  options: WasmOptions = {},
): Promise<WebAssembly.Module | undefined> {
  const given = givenModule(name, options);
  if (given) return checkExports(name, given, "wasmModule");
  const url = givenUrl(name, options);
  const key = url?.href ?? name;
  let compiling = compiled.get(key);
  if (!compiling) {
    const bytes = url ? fetchBinary(url) : ownBinary(name);
    compiling = bytes.then(compile);
    compiled.set(key, compiling);
    compiling.catch(() => compiled.delete(key));
  }
  const module = await compiling;
  return module && checkExports(name, module, key);
}

async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module | undefined> {
  const known = typeof WebAssembly === "object";
  check(known, "ERR_WASM", () => "WebAssembly is not available in this environment");
  if (!WebAssembly.validate(bytes)) return undefined;
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    // Valid, and yet refused: by the page's content security policy.
    throw new WasmogradError("ERR_WASM", `WebAssembly may not be compiled here: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function checkExports(name: BinaryName, module: WebAssembly.Module, from: string): WebAssembly.Module {
  const found = WebAssembly.Module.exports(module).some((one) => one.name === KNOWN_BY[name]);
  check(found, "ERR_WASM", () => `${from}: expected ${name}.wasm of this package, got another WebAssembly binary`);
  return module;
}
