/** Files that commands read whole. */
import { readFile } from "node:fs/promises";
import { WasmogradError } from "../errors.ts";

/** @throws WasmogradError ERR_IO naming the file */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new WasmogradError("ERR_IO", `${path}: cannot be read`, { cause });
  }
}

/** As UTF-8. @throws WasmogradError ERR_IO naming the file */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}
