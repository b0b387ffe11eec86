// Observes the ranges of a trained network's activations on training tiles and writes them beside its weights.
// usage: node scripts/calibrate.mjs [--model sesr-m5] [--scale 2] [--tiles ../shared/data/train-cc0-luma] [--count 96] [--compare]
//   --compare  also quantises by every method and prints the int8 loss of each on tiles kept apart, to choose the method by
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { decode } from "fast-png";
import { compile } from "../dist/engine/compile.js";
import { loadWeights } from "../dist/formats/weights-file.js";
import { resizeWith } from "../dist/image/resize.js";
import { instantiateKernels } from "../dist/kernels/load.js";
import { buildModel } from "../dist/models/registry.js";
import { calibrate } from "../dist/quantization/calibrate.js";
import { quantise } from "../dist/quantization/quantise.js";
import { runReference } from "../dist/reference/run.js";

const { values: options } = parseArgs({
  options: {
    model: { type: "string", default: "sesr-m5" },
    scale: { type: "string", default: "2" },
    tiles: { type: "string", default: "../shared/data/train-cc0-luma" },
    count: { type: "string", default: "96" },
    compare: { type: "boolean", default: false },
  },
});
const scale = Number(options.scale);
const count = Number(options.count);
const TILE = 192;
const PEAK = 255;

/** Every tile of every strip, in a fixed order: luma, 8 bits, studio range. */
function* allTiles() {
  for (const name of readdirSync(options.tiles).sort()) {
    const { width, height, data, channels } = decode(readFileSync(join(options.tiles, name)));
    for (let top = 0; top + TILE <= height; top += TILE) {
      for (let left = 0; left + TILE <= width; left += TILE) {
        const tile = new Uint8Array(TILE * TILE);
        for (let y = 0; y < TILE; y++) {
          for (let x = 0; x < TILE; x++) tile[y * TILE + x] = data[((top + y) * width + left + x) * channels];
        }
        yield tile;
      }
    }
  }
}

const kernels = await instantiateKernels();

/** A tile and what the network sees of it. */
function pair(tile) {
  const image = { width: TILE, height: TILE, channels: 1, depth: 8, data: tile };
  const small = resizeWith(kernels, image, { scale: 1 / scale });
  const shape = [small.height, small.width, 1];
  return { target: tile, input: { shape, data: Float32Array.from(small.data, (v) => v / PEAK) } };
}

const stem = `${options.model}-x${scale}`;
const network = buildModel(options.model, { scale });
const model = { network, weights: loadWeights(readFileSync(`weights/${stem}.safetensors`), network) };
const tiles = [...allTiles()];
const step = Math.floor(tiles.length / count);
const chosen = Array.from({ length: count }, (_, i) => pair(tiles[i * step]));
const [luma] = network.layers.filter((layer) => layer.op === "input");
// BT.601 luma of any RGB picture lies in 16..235.
const fixed = { [luma.name]: { min: 16 / PEAK, max: 235 / PEAK } };
const inputs = chosen.map(({ input }) => input);

/** Mean PSNR over tiles that calibration has not seen. */
async function quality(compiled) {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const { target, input } = pair(tiles[i * step + (step >> 1)]);
    const { data } = compiled.run(input);
    let squares = 0;
    for (let k = 0; k < data.length; k++) squares += (Math.round(data[k] * PEAK) - target[k]) ** 2;
    sum += 10 * Math.log10(PEAK ** 2 / Math.max(squares / data.length, 1e-3));
  }
  return sum / count;
}

if (options.compare) {
  const f32 = await quality(await compile(model));
  console.log(`f32 ${f32.toFixed(3)} dB on ${count} tiles that calibration has not seen`);
  for (const method of [
    { method: "min-max" },
    { method: "percentile", percentile: 99.999 },
    { method: "percentile", percentile: 99.99 },
    { method: "mean-squared-error" },
  ]) {
    const ranges = calibrate(model, inputs, runReference, { ...method, fixed });
    const compiled = await compile(quantise(model, ranges));
    const db = await quality(compiled);
    compiled.dispose();
    console.log(`${method.method} ${method.percentile ?? ""}  int8 ${db.toFixed(3)} dB, loss ${(f32 - db).toFixed(3)}`);
  }
} else {
  const method = "min-max";
  const ranges = calibrate(model, inputs, runReference, { method, fixed });
  const command = `node scripts/calibrate.mjs --model ${options.model} --scale ${scale} --count ${count}`;
  const text = JSON.stringify({ model: options.model, scale, method, tiles: count, command, ranges }, null, 2);
  writeFileSync(`weights/${stem}.calibration.json`, `${text}\n`);
}
