// Draws the pictures of docs/winograd.md and writes the essay's computed parts, all from src/winograd.
// usage: npx tsx scripts/winograd-figures.ts                      writes
//        npx tsx scripts/winograd-figures.ts --check              writes nothing, fails when a file differs from what would be written
//        npx tsx scripts/winograd-figures.ts --measure DIR,DIR    measures docs/images/winograd-psnr.json anew first; a minute or two
import { parseArgs } from "node:util";
import { writeOrCheck } from "./documents.ts";
import { everything } from "./figures/all.ts";
import { measurePsnr } from "./figures/psnr.ts";
import { SCRIPT } from "./figures/script.ts";

const { values } = parseArgs({ options: { check: { type: "boolean" }, measure: { type: "string" } } });
if (values.measure !== undefined) await measurePsnr(values.measure.split(","));
writeOrCheck(SCRIPT, everything(), values.check ?? false);
