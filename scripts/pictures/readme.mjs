// Makes the README's picture: a detail of the example photograph, enlarged four times as it is, by bicubic interpolation and by SESR (twice
// by the network, then twice by pixel repetition, so that all three have one size).
// usage: node scripts/readme-picture.mjs
import { createUpscaler, resize } from "wasmograd";
import { readImage, writeImage } from "wasmograd/node";

const OUT = "docs/images/detail.png";
const [LEFT, TOP, SIZE, GAP] = [176, 36, 104, 8];

/** A square of the picture, each pixel repeated `factor` times. */
function square({ width, data, channels }, left, top, size, factor) {
  const out = size * factor;
  const pixels = new Uint8Array(out * out * 3);
  for (let y = 0; y < out; y++) {
    for (let x = 0; x < out; x++) {
      const from = ((top + Math.floor(y / factor)) * width + left + Math.floor(x / factor)) * channels;
      pixels.set(data.subarray(from, from + 3), (y * out + x) * 3);
    }
  }
  return pixels;
}

const photo = await readImage("examples/photo.png");
const upscaler = await createUpscaler();
const larger = await upscaler.upscale(photo);
const bicubic = await resize(photo, { scale: 2 });
const panels = [
  square(photo, LEFT, TOP, SIZE, 4),
  square(bicubic, 2 * LEFT, 2 * TOP, 2 * SIZE, 2),
  square(larger, 2 * LEFT, 2 * TOP, 2 * SIZE, 2),
];
const edge = 4 * SIZE;
const width = panels.length * edge + (panels.length - 1) * GAP;
const data = new Uint8Array(width * edge * 3).fill(255);
for (const [i, panel] of panels.entries()) {
  for (let y = 0; y < edge; y++) {
    data.set(panel.subarray(y * edge * 3, (y + 1) * edge * 3), (y * width + i * (edge + GAP)) * 3);
  }
}
await writeImage(OUT, { width, height: edge, channels: 3, depth: 8, data });
