/** Models from weights in f32, one's own or those that ship: a module of its own, as the int8 network that ships needs none of it. */
import { decodeBase64 } from "../base64.ts";
import { check } from "../errors.ts";
import { fromBytePlanes } from "../formats/byte-planes.ts";
import { loadWeights } from "../formats/weights-file.ts";
import { inflate } from "../inflate.ts";
import type { Model, Network } from "../network/description.ts";
import type { QuantisedModel } from "../quantization/quantise.ts";
import { type Int8Recipe, int8Model } from "./int8-model.ts";

/** @throws WasmogradError as `createUpscaler` */
export function ownModel(
  network: Network,
  weights: Uint8Array,
  precision: "int8" | "f32",
  { calibration, equalisation, fine }: Partial<Int8Recipe>,
): Model | QuantisedModel {
  const trained = { network, weights: loadWeights(weights, network) };
  if (precision === "f32") return trained;
  const message = () => "calibration: expected ranges for int8 with your own weights";
  check(calibration !== undefined, "ERR_ARGUMENT", message);
  return int8Model(trained, { calibration, equalisation, fine });
}

/** @param safetensors the file's bytes in planes (`toBytePlanes`), as raw deflate, in base64 */
export async function f32Model(network: Network, safetensors: string): Promise<Model> {
  const bytes = fromBytePlanes(await inflate(decodeBase64(safetensors)));
  return { network, weights: loadWeights(bytes, network) };
}
