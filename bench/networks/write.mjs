/** What onnxruntime-web reads: the model, and for int8 its input; and what wasmograd computes from the same. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../dist/index.js";
import { lowerMixed } from "../../dist/network/passes/lower-mixed.js";
import { prepare } from "../../dist/network/passes/prepare.js";
import { quantised } from "./contestants.mjs";
import { modelOf, randomPicture } from "./models.mjs";
import { onnxF32, onnxQdq } from "./onnx.mjs";

export const modelFile = ({ id, dtype }) => `${id}.${dtype}.onnx`;

/** @returns {Promise<Float32Array | Int8Array>} what wasmograd computes */
export async function writeModel(entry, folder) {
  const { shape, data } = randomPicture();
  const [height, width] = shape;
  const path = join(folder, modelFile(entry));
  const model = modelOf(entry);
  const network = await compile(model);
  try {
    if (entry.dtype === "f32") {
      writeFileSync(path, onnxF32(lowerMixed(prepare(model)), [height, width]));
      return network.run({ shape, data }).data;
    }
    const bytes = quantised(data, network.inputQuantization);
    writeFileSync(path, onnxQdq(model, [height, width]));
    writeFileSync(`${path}.input`, bytes);
    return network.runInt8({ shape, data: bytes }).data;
  } finally {
    network.dispose();
  }
}
