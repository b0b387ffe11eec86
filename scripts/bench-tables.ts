// Writes the tables of README.md and docs/performance.md from bench/results/peers-*.json.
// usage: npx tsx scripts/bench-tables.ts            writes
//        npx tsx scripts/bench-tables.ts --check    writes nothing, fails when a document differs from what would be written
import { parseArgs } from "node:util";
import { benchDocuments } from "./bench-tables/documents.ts";
import { readResults } from "./bench-tables/results.ts";
import { writeOrCheck } from "./documents.ts";

const { values } = parseArgs({ options: { check: { type: "boolean" } } });
writeOrCheck("scripts/bench-tables.ts", benchDocuments(readResults()), values.check ?? false);
