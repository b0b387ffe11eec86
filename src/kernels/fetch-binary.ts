/** WebAssembly files by their address. What servers send in their place is said in words, as it is the commonest mistake of all. */
import { builtin } from "../builtin.ts";
import { check, WasmogradError } from "../errors.ts";

const HELP = "see docs/browsers-and-bundlers.md";
/** The first four bytes of every WebAssembly binary. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const SHOWN = 24;

/**
 * The bytes of a WebAssembly file; its MIME type does not matter. In Node `file:` addresses are read from disk.
 * @throws WasmogradError ERR_WASM: nothing came, the server refused, or what came is no WebAssembly
 */
export async function fetchBinary(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes, type } = await read(url);
  const isWasm = MAGIC.every((byte, i) => bytes[i] === byte);
  check(isWasm, "ERR_WASM", () => `${url.href}: expected a WebAssembly file, got ${describe(bytes, type)} (${HELP})`);
  return bytes;
}

async function read(url: URL): Promise<{ bytes: Uint8Array<ArrayBuffer>; type: string | null }> {
  const fs = builtin<{ readFileSync(path: URL): Uint8Array }>("node:fs");
  let response: Response;
  try {
    // Node's fetch knows no files.
    if (fs && url.protocol === "file:") return { bytes: new Uint8Array(fs.readFileSync(url)), type: null };
    response = await fetch(url);
    if (response.ok) return { bytes: new Uint8Array(await response.arrayBuffer()), type: typeOf(response) };
  } catch (cause) {
    const { message } = cause as Error;
    throw new WasmogradError("ERR_WASM", `${url.href}: expected a WebAssembly file, got none: ${message} (${HELP})`, {
      cause,
    });
  }
  const status = `${response.status} ${response.statusText}`.trim();
  throw new WasmogradError("ERR_WASM", `${url.href}: expected a WebAssembly file, got status ${status} (${HELP})`);
}

const typeOf = ({ headers }: Response): string | null => headers.get("content-type");

/** What came, in a few words: an HTML page that a server gives for every path, or the beginning of whatever else it is. */
function describe(bytes: Uint8Array, type: string | null): string {
  if (bytes.length === 0) return "an empty answer";
  const start = new TextDecoder().decode(bytes.subarray(0, SHOWN)).replace(/[^\x20-\x7e]+/g, " ");
  const kind = /^\s*<(!doctype|html|head|\?xml)/i.test(start) ? "an HTML page" : `${bytes.length} bytes`;
  return `${kind}${type ? ` of type ${type}` : ""}, beginning with ${JSON.stringify(start)}`;
}
