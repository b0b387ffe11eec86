// Makes the pictures of docs/gallery.md from the crops in examples/crops: each made smaller, and enlarged again by bicubic interpolation and
// by the networks that ship.
// usage: node scripts/pictures/gallery.mjs [--cut DIR]     dist/ must be built
//   --cut  cuts the crops anew from the photographs in DIR
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { createUpscaler, resize } from "wasmograd";
import { readImage, writeImage } from "wasmograd/node";
import { row, square } from "./panels.mjs";

/** Where crops lie in their photographs once these are a third of their size: detail to the pixel as cameras of few pixels have it. */
const CROPS = [
  { name: "feathers", photo: "budgie-branch.jpg", left: 560, top: 150 },
  { name: "kitten", photo: "kitten-on-lawn.jpg", left: 440, top: 390 },
  { name: "city", photo: "taipei-city.jpg", left: 640, top: 430 },
  { name: "windows", photo: "casa-mila.jpg", left: 480, top: 470 },
  { name: "mountain", photo: "lake-sherburne.jpg", left: 300, top: 160 },
];
const REDUCTION = 3;
/** Pixels of a crop's edge, and of the square in its middle that is shown, which no border reaches. */
const [EDGE, SHOWN] = [240, 108];
const ENLARGED = 2;
/** Networks by scale. */
const NETWORKS = ["sesr-m5", "sesr-xl"];

const {
  values: { cut },
} = parseArgs({ options: { cut: { type: "string" } } });

async function cutCrop({ name, photo, left, top }) {
  const whole = await readImage(`${cut}/${photo}`);
  const small = await resize(whole, { scale: 1 / REDUCTION });
  const data = square(small, left, top, EDGE, 1);
  await writeImage(`examples/crops/${name}.png`, { width: EDGE, height: EDGE, channels: 3, depth: 8, data });
}

/** Input, bicubic, networks, original. */
async function panels(crop, scale, upscalers) {
  const low = await resize(crop, { scale: 1 / scale });
  const larger = [await resize(low, { scale })];
  for (const upscaler of upscalers) larger.push(await upscaler.upscale(low));
  const start = (EDGE - SHOWN) / 2;
  const middle = (image) => square(image, start, start, SHOWN, ENLARGED);
  const input = square(low, Math.floor(start / scale), Math.floor(start / scale), SHOWN / scale, ENLARGED * scale);
  return [input, ...larger.map(middle), middle(crop)];
}

if (cut !== undefined) {
  mkdirSync("examples/crops", { recursive: true });
  for (const crop of CROPS) await cutCrop(crop);
}
mkdirSync("docs/images/gallery", { recursive: true });
for (const scale of [2, 4]) {
  const upscalers = await Promise.all(NETWORKS.map((model) => createUpscaler({ model, scale })));
  for (const { name } of CROPS) {
    const crop = await readImage(`examples/crops/${name}.png`);
    const squares = await panels(crop, scale, upscalers);
    await writeImage(`docs/images/gallery/${name}-x${scale}.png`, row(squares, SHOWN * ENLARGED));
  }
  for (const upscaler of upscalers) upscaler.dispose();
}
