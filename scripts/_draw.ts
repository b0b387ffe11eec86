import { writeFileSync } from "node:fs";
import { oneDimension } from "./figures/one-dimension.ts";
import { tile } from "./figures/tile.ts";
import { bitGrowth } from "./figures/bit-growth.ts";
import { scaling } from "./figures/scaling.ts";
import { psnrChart } from "./figures/psnr-chart.ts";
import { readPsnr } from "./figures/psnr.ts";
import { createRequire } from "node:module";
const { Resvg } = createRequire("/tmp/x/")("@resvg/resvg-js");
for (const [name, svg] of Object.entries({ one: oneDimension(), tile: tile(), bits: bitGrowth(), scaling: scaling(), psnr: psnrChart(readPsnr()) })) {
  writeFileSync(`/tmp/x/${name}.svg`, svg);
  writeFileSync(`/tmp/x/${name}.png`, new Resvg(svg, { background: "#0d1117", fitTo: { mode: "width", value: 1080 }, font: { defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans" } }).render().asPng());
}
