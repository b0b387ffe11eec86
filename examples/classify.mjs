// A trained classifier from a description and a safetensors file: node examples/classify.mjs [PICTURE]
// The network is a small one, trained on CIFAR-10 (training/study): of any picture it says which of ten things it looks like at 32x32.
import { readFile } from "node:fs/promises";
import { compile, loadWeights, resize, validate } from "wasmograd";
import { readImage } from "wasmograd/node";

const CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

const trained = new URL("../training/study/results/", import.meta.url);
const network = validate(JSON.parse(await readFile(new URL("ibn.network.json", trained), "utf8")));
const weights = loadWeights(await readFile(new URL("ibn-seed1.safetensors", trained)), network);
const model = await compile({ network, weights });

const { data, channels } = await resize(
  await readImage(process.argv[2] ?? new URL("photo.png", import.meta.url).pathname),
  { width: 32, height: 32 },
);
const pixels = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => {
  const value = data[Math.floor(i / 3) * channels + (channels < 3 ? 0 : i % 3)] / 255;
  return (value - MEAN[i % 3]) / DEVIATION[i % 3];
});
const logits = model.run({ shape: [32, 32, 3], data: pixels }).data;
model.dispose();

const powers = logits.map(Math.exp);
const sum = powers.reduce((a, b) => a + b);
const ranked = CLASSES.map((name, i) => ({ name, share: powers[i] / sum })).sort((a, b) => b.share - a.share);
for (const { name, share } of ranked.slice(0, 3)) console.log(`${name}: ${(100 * share).toFixed(1)} %`);
