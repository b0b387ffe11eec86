// Enlarges a photograph twice: node examples/upscale.mjs [IN] [OUT]
import { fileURLToPath } from "node:url";
import { createUpscaler } from "wasmograd";
import { readImage, writeImage } from "wasmograd/node";

const [from = fileURLToPath(new URL("photo.png", import.meta.url)), to = "upscaled.png"] = process.argv.slice(2);

const upscaler = await createUpscaler({ model: "sesr-m5", scale: 2, precision: "int8" });
const picture = await readImage(from);
const larger = await upscaler.upscale(picture, {
  onProgress: ({ fraction }) => console.log(`${Math.round(100 * fraction)} %`),
});
await writeImage(to, larger);
upscaler.dispose();

console.log(`${picture.width}x${picture.height} -> ${to}, ${larger.width}x${larger.height}`);
