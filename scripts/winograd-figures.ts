// Draws the pictures of docs/winograd.md and writes the essay's computed parts, all from src/winograd.
// usage: npx tsx scripts/winograd-figures.ts                      writes
//        npx tsx scripts/winograd-figures.ts --check              writes nothing, fails when a file differs from what would be written
//        npx tsx scripts/winograd-figures.ts --measure DIR,DIR    measures docs/images/winograd-psnr.json anew first; a minute or two
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { absolute, differing, everything } from "./figures/all.ts";
import { measurePsnr } from "./figures/psnr.ts";

const { values } = parseArgs({ options: { check: { type: "boolean" }, measure: { type: "string" } } });
if (values.measure !== undefined) await measurePsnr(values.measure.split(","));
const files = everything();
const different = differing(files);
if (values.check) {
  for (const path of different) console.error(`${path}: differs from what scripts/winograd-figures.ts writes`);
  process.exitCode = different.length === 0 ? 0 : 1;
} else {
  for (const path of different) writeFileSync(absolute(path), files.get(path)!);
  console.log(`${files.size} files, ${different.length} changed`);
}
