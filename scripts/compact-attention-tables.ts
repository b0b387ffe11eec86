// Writes the tables and the picture of docs/compact-attention.md from the networks' descriptions and the study's results.
// usage: npx tsx scripts/compact-attention-tables.ts            writes
//        npx tsx scripts/compact-attention-tables.ts --check    writes nothing, fails when the document differs from what would be written
import { parseArgs } from "node:util";
import { attentionDocuments, SCRIPT } from "./compact-attention/documents.ts";
import { writeOrCheck } from "./documents.ts";

const { values } = parseArgs({ options: { check: { type: "boolean" } } });
writeOrCheck(SCRIPT, attentionDocuments(), values.check ?? false);
