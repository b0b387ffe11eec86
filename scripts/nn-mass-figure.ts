// Runs the experiment of docs/ran.md, draws docs/images/nn-mass.svg and writes the document's computed parts, all from src/ran.
// usage: npx tsx scripts/nn-mass-figure.ts            writes; a few seconds
//        npx tsx scripts/nn-mass-figure.ts --check    writes nothing, fails when a file differs from what would be written
import { parseArgs } from "node:util";
import { writeOrCheck } from "./documents.ts";
import { everything } from "./nn-mass/all.ts";
import { SCRIPT } from "./nn-mass/chart.ts";

const { values } = parseArgs({ options: { check: { type: "boolean" } } });
writeOrCheck(SCRIPT, everything(), values.check ?? false);
