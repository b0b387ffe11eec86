/** Everything that scripts/winograd-figures.ts writes: path -> text. */
import { readFileSync } from "node:fs";
import { absolute, fillBlocks } from "../documents.ts";
import { bitGrowth } from "./bit-growth.ts";
import { essayBlocks } from "./essay.ts";
import { exampleOf, runExample } from "./example.ts";
import { oneDimension } from "./one-dimension.ts";
import { readPsnr } from "./psnr.ts";
import { psnrChart } from "./psnr-chart.ts";
import { scaling } from "./scaling.ts";
import { tile } from "./tile.ts";

const ESSAY = "docs/winograd.md";

export function pictures(): Map<string, string> {
  return new Map([
    ["docs/images/winograd-one-dimension.svg", oneDimension()],
    ["docs/images/winograd-tile.svg", tile()],
    ["docs/images/winograd-bits.svg", bitGrowth()],
    ["docs/images/winograd-scaling.svg", scaling()],
    ["docs/images/winograd-psnr.svg", psnrChart(readPsnr())],
  ]);
}

/** The pictures, and the essay with its computed parts. */
export function everything(): Map<string, string> {
  const essay = readFileSync(absolute(ESSAY), "utf8");
  const blocks = new Map(essayBlocks(readPsnr()));
  blocks.set("example", `\`\`\`text\n${runExample(exampleOf(essay))}\n\`\`\``);
  return pictures().set(ESSAY, fillBlocks(ESSAY, essay, blocks));
}
