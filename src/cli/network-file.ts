/** Network descriptions in JSON files, beside the built-in networks. */
import { parseJson } from "../json.ts";
import type { Network } from "../network/description.ts";
import { validate } from "../network/validate.ts";
import { readText } from "./input-files.ts";

/** Whether a network is named by a file and not by an id. */
export const isNetworkFile = (name: string): boolean => name.toLowerCase().endsWith(".json");

/** @throws WasmogradError ERR_IO, ERR_FORMAT when it is no JSON, ERR_NETWORK when the JSON is no network */
export async function readNetwork(path: string): Promise<Network> {
  return validate(parseJson(await readText(path), path) as Network);
}
