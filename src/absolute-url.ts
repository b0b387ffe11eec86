import { WasmogradError } from "./errors.ts";

/** A caller's address, relative ones to the page, or in a worker to its script. @throws WasmogradError ERR_ARGUMENT */
export function absoluteUrl(name: string, url: string | URL): URL {
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } };
  try {
    return new URL(String(url), document?.baseURI ?? location?.href);
  } catch (cause) {
    throw new WasmogradError("ERR_ARGUMENT", `${name}: expected a URL, got ${String(url)}`, { cause });
  }
}
