// Makes the README's picture: a detail of the example photograph, enlarged four times as it is, by bicubic interpolation and by SESR (twice
// by the network, then twice by pixel repetition, so that all three have one size).
// usage: node scripts/pictures/readme.mjs     dist/ must be built
import { createUpscaler, resize } from "wasmograd";
import { readImage, writeImage } from "wasmograd/node";
import { row, square } from "./panels.mjs";

const [LEFT, TOP, SIZE] = [176, 36, 104];

const photo = await readImage("examples/photo.png");
const upscaler = await createUpscaler();
const larger = await upscaler.upscale(photo);
const bicubic = await resize(photo, { scale: 2 });
const panels = [
  square(photo, LEFT, TOP, SIZE, 4),
  square(bicubic, 2 * LEFT, 2 * TOP, 2 * SIZE, 2),
  square(larger, 2 * LEFT, 2 * TOP, 2 * SIZE, 2),
];
await writeImage("docs/images/detail.png", row(panels, 4 * SIZE));
