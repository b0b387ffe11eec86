// Observes a trained network's activations on training tiles and writes what int8 needs beside its weights: the scales that equalise
// its channels, and the ranges of its tensors under them.
// usage: node scripts/calibrate.mjs [--model sesr-m5] [--scale 2] [--tiles ../shared/data/train-cc0-luma] [--count 96] [--compare]
//   --compare  instead prints what int8 loses by this and other ways, on tiles kept apart and on the sets named by --set DIR
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadWeights } from "../dist/formats/weights-file.js";
import { instantiateKernels } from "../dist/kernels/load.js";
import { buildModel } from "../dist/models/registry.js";
import { inputLayer } from "../dist/network/graph.js";
import { calibrate } from "../dist/quantization/calibrate.js";
import { equalise } from "../dist/quantization/equalise.js";
import { findEqualisation } from "../dist/quantization/find-equalisation.js";
import { runReference } from "../dist/reference/run.js";
import { compare } from "./calibration/compare.mjs";
import { loadTiles, PEAK } from "./calibration/tiles.mjs";

const { values: options } = parseArgs({
  options: {
    model: { type: "string", default: "sesr-m5" },
    scale: { type: "string", default: "2" },
    tiles: { type: "string", default: "../shared/data/train-cc0-luma" },
    count: { type: "string", default: "96" },
    compare: { type: "boolean", default: false },
    set: { type: "string", multiple: true, default: ["../shared/data/Set5", "../shared/data/Set14"] },
  },
});
const scale = Number(options.scale);
const count = Number(options.count);

const stem = `${options.model}-x${scale}`;
const network = buildModel(options.model, { scale });
const model = { network, weights: loadWeights(readFileSync(`weights/${stem}.safetensors`), network) };
const kernels = await instantiateKernels();
const tiles = loadTiles(kernels, options.tiles, count, scale);
// BT.601 luma of any RGB picture lies in 16..235.
const fixed = { [inputLayer(network).name]: { min: 16 / PEAK, max: 235 / PEAK } };

if (options.compare) {
  await compare(kernels, model, tiles, { scale, fixed, directories: options.set });
} else {
  const method = "min-max";
  const inputs = tiles.seen.map(({ input }) => input);
  const equalisation = findEqualisation(model, inputs, runReference);
  const ranges = calibrate(equalise(model, equalisation), inputs, runReference, { method, fixed });
  const command = `node scripts/calibrate.mjs --model ${options.model} --scale ${scale} --count ${count}`;
  const facts = { model: options.model, scale, method, tiles: count, command, equalisation, ranges };
  // Lists of scales stay on one line each.
  const text = JSON.stringify(facts, null, 2).replace(/\[[^\]]*\]/g, (list) => list.replace(/\s+/g, " "));
  writeFileSync(`weights/${stem}.calibration.json`, `${text}\n`);
}
