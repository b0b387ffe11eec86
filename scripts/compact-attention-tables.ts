// Writes the tables of docs/compact-attention.md from the networks' descriptions.
// usage: npx tsx scripts/compact-attention-tables.ts            writes
//        npx tsx scripts/compact-attention-tables.ts --check    writes nothing, fails when the document differs from what would be written
import { parseArgs } from "node:util";
import { attentionDocuments } from "./compact-attention/documents.ts";
import { writeOrCheck } from "./documents.ts";

const { values } = parseArgs({ options: { check: { type: "boolean" } } });
writeOrCheck("scripts/compact-attention-tables.ts", attentionDocuments(), values.check ?? false);
