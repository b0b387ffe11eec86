// Whole pictures: time a pixel by size, one thread against two, memory, and start, with SESR-M5 x2. Writes bench/results/pictures-RUNTIME.json
// for the tables of docs/performance.md. usage: npm run bench:pictures [-- --quick]
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { median } from "../dist/bench/measure.js";
import { createUpscaler } from "../dist/bundle/index.js";
import { machine } from "./peers/machine.mjs";

const ROUNDS = process.argv.includes("--quick") ? 3 : 11;
const SIZES = [
  [320, 180],
  [640, 360],
  [1280, 720],
  [1920, 1080],
  [3840, 2160],
];
/** Pixels of a sample: small pictures are repeated. */
const SAMPLE = 1e6;

/** Smooth shapes and noise, so that nothing saturates and nothing is flat. */
function picture(width, height) {
  const data = new Uint8Array(width * height * 3);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = 128 + 90 * Math.sin(i / 700) + (state >>> 27);
  }
  return { width, height, channels: 3, depth: 8, data };
}

async function timed(upscaler, image) {
  const runs = Math.max(1, Math.round(SAMPLE / (image.width * image.height)));
  const start = performance.now();
  for (let n = runs; n > 0; n--) await upscaler.upscale(image);
  return (performance.now() - start) / runs;
}

/** Nanoseconds an input pixel, sizes in turns. */
async function bySize(precision) {
  const upscaler = await createUpscaler({ precision, threads: 1 });
  const images = SIZES.map(([width, height]) => picture(width, height));
  await timed(upscaler, images[0]);
  const samples = images.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, image] of images.entries()) {
      samples[i].push(((await timed(upscaler, image)) * 1e6) / (image.width * image.height));
    }
  }
  upscaler.dispose();
  return SIZES.map(([width, height], i) => ({
    input: `${width}x${height}`,
    nsPerPixel: Number(median(samples[i]).toFixed(1)),
  }));
}

/** WebAssembly memory after one picture, in bytes. */
async function memory(precision, [width, height]) {
  const upscaler = await createUpscaler({ precision, threads: 1 });
  await upscaler.upscale(picture(width, height));
  const { memoryBytes } = upscaler;
  upscaler.dispose();
  return memoryBytes;
}

/** One thread and two, in turns; the ratio is the median over the rounds. */
async function threads([width, height]) {
  const image = picture(width, height);
  const [one, two] = [await createUpscaler({ threads: 1 }), await createUpscaler({ threads: 2 })];
  // Until V8 has settled, in the threads too.
  for (let n = 0; n < 20; n++) for (const upscaler of [one, two]) await upscaler.upscale(image);
  const samples = [];
  for (let round = 0; round < 2 * ROUNDS; round++) samples.push([await timed(one, image), await timed(two, image)]);
  for (const upscaler of [one, two]) upscaler.dispose();
  return {
    input: `${width}x${height}`,
    oneMs: Number(median(samples.map(([a]) => a)).toFixed(1)),
    twoMs: Number(median(samples.map(([, b]) => b)).toFixed(1)),
    ratio: Number(median(samples.map(([a, b]) => a / b)).toFixed(2)),
  };
}

const STARTED = `
  const marks = [performance.now()];
  const { createUpscaler } = await import(${JSON.stringify(new URL("../dist/bundle/index.js", import.meta.url).href)});
  marks.push(performance.now());
  const upscaler = await createUpscaler({ precision: process.argv[1], threads: 1 });
  marks.push(performance.now());
  const size = { width: 640, height: 360 };
  const luma = Float32Array.from({ length: 640 * 360 }, (_, i) => 120 + 80 * Math.sin(i / 500));
  const once = () => { const start = performance.now(); upscaler.upscaleLuma(luma, size); return performance.now() - start; };
  const first = once();
  const rest = Array.from({ length: 15 }, once).slice(4).sort((a, b) => a - b);
  console.log(JSON.stringify({ importMs: marks[1] - marks[0], createMs: marks[2] - marks[1], firstMs: first, steadyMs: rest[5] }));
`;

/** Import, creation and first run on 640x360 in new processes, medians. */
function start(precision) {
  const samples = Array.from({ length: ROUNDS }, () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", STARTED, precision], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`start: ${stderr}`);
    return JSON.parse(stdout);
  });
  return Object.fromEntries(
    Object.keys(samples[0]).map((key) => [key, Number(median(samples.map((s) => s[key])).toFixed(1))]),
  );
}

const both = async (measure) => ({ int8: await measure("int8"), f32: await measure("f32") });
const results = {
  machine: machine({ name: "Node", version: process.versions.node, v8: process.versions.v8 }, null),
  model: "sesr-m5 x2",
  rounds: ROUNDS,
  bySize: await both(bySize),
  memoryBytes: await both(async (precision) => ({
    "1920x1080": await memory(precision, [1920, 1080]),
    "3840x2160": await memory(precision, [3840, 2160]),
  })),
  threads: await threads([1280, 720]),
  start: await both(start),
};
const file = fileURLToPath(
  new URL(`results/pictures-node${process.versions.node.split(".")[0]}.json`, import.meta.url),
);
mkdirSync(new URL("results/", import.meta.url), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
console.log(JSON.stringify(results, null, 2));
