/** An entry made ready in a process of its own: what one run does, and its result. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { compile, createDetector } from "../../dist/index.js";
import { nodeHost } from "../peers/hosts/node.mjs";
import { nhwcToNchw } from "../peers/models/layouts.mjs";
import { modelOf, randomDetectorFile, randomImage, randomPicture } from "./models.mjs";
import { modelFile } from "./write.mjs";

/** A picture as cameras and COCO have it. */
const DETECTOR_PICTURE = [640, 480];

/** Values of int8 at the scale of a tensor. */
export function quantised(values, { scale, zeroPoint }) {
  return Int8Array.from(values, (v) => Math.max(-128, Math.min(127, Math.round(v / scale) + zeroPoint)));
}

/** Input and output of the network's own type, the output in an array that is used again. */
async function ourNetwork(entry) {
  const network = await compile(modelOf(entry));
  const { shape, data } = randomPicture();
  if (entry.dtype === "f32") {
    const y = network.run({ shape, data }).data;
    return { run: () => network.run({ shape, data }, y).data, memoryBytes: () => network.memoryBytes };
  }
  const x = { shape, data: quantised(data, network.inputQuantization) };
  const y = network.runInt8(x).data;
  return { run: () => network.runInt8(x, y).data, memoryBytes: () => network.memoryBytes };
}

async function ourDetector({ id }) {
  const detector = await createDetector({ backbone: id, weights: randomDetectorFile(id) });
  const picture = randomImage(...DETECTOR_PICTURE);
  return {
    run: () => Float32Array.from(detector.detect(picture).flatMap(({ box, label, score }) => [...box, label, score])),
    memoryBytes: () => detector.memoryBytes,
  };
}

async function onnxruntime(entry, folder) {
  const ort = await nodeHost(folder).onnxruntimeWeb();
  const model = new Uint8Array(await readFile(join(folder, modelFile(entry))));
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
  const session = await ort.InferenceSession.create(model, options);
  const { shape, data } = randomPicture();
  const [height, width, channels] = shape;
  const dims = [1, channels, height, width];
  let [type, values] = ["float32", nhwcToNchw(data, shape)];
  if (entry.dtype === "int8") {
    const bytes = new Int8Array(await readFile(join(folder, `${modelFile(entry)}.input`)));
    [type, values] = ["uint8", Uint8Array.from(nhwcToNchw(bytes, shape), (q) => q + 128)];
  }
  return {
    async run() {
      const { data: y } = (await session.run({ x: new ort.Tensor(type, values, dims) })).y;
      return entry.dtype === "int8" ? Int8Array.from(y, (q) => q - 128) : y;
    },
    memoryBytes: () => null,
  };
}

/**
 * @param {import("./cases.mjs").Entry} entry
 * @returns {Promise<{ run: () => ArrayLike<number> | Promise<ArrayLike<number>>, memoryBytes: () => number | null }>}
 */
export function makeReady(entry, folder) {
  if (entry.library === "onnxruntime-web") return onnxruntime(entry, folder);
  return entry.kind === "detector" ? ourDetector(entry) : ourNetwork(entry);
}
