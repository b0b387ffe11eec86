// Writes the table of docs/models.md from the networks' descriptions.
// usage: npx tsx scripts/model-table.ts            writes
//        npx tsx scripts/model-table.ts --check    writes nothing, fails when the document differs from what would be written
import { parseArgs } from "node:util";
import { writeOrCheck } from "./documents.ts";
import { modelDocuments } from "./model-table/documents.ts";

const { values } = parseArgs({ options: { check: { type: "boolean" } } });
writeOrCheck("scripts/model-table.ts", modelDocuments(), values.check ?? false);
