/** JSON of files. */
import { WasmogradError } from "./errors.ts";

/**
 * The value of JSON text.
 * @param name what messages begin with, such as the file's
 * @throws WasmogradError ERR_FORMAT, one line, when it is no JSON
 */
export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The engine's message quotes the text, line breaks and all.
    const reason = (cause as Error).message.split("\n", 1)[0];
    throw new WasmogradError("ERR_FORMAT", `${name}: expected JSON: ${reason}`, { cause });
  }
}
