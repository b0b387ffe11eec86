// Writes the computed tables of docs/timing-model.md.
// usage: npx tsx scripts/timing-tables.ts            writes
//        npx tsx scripts/timing-tables.ts --check    writes nothing, fails when the document differs from what would be written
import { parseArgs } from "node:util";
import { writeOrCheck } from "./documents.ts";
import { timingDocuments } from "./timing-tables/documents.ts";

const { values } = parseArgs({ options: { check: { type: "boolean" } } });
writeOrCheck("scripts/timing-tables.ts", timingDocuments(), values.check ?? false);
