import { expect, test } from "vitest";
import { attentionDocuments } from "../../scripts/compact-attention/documents.ts";
import { differing } from "../../scripts/documents.ts";

test("the tables of docs/compact-attention.md are those that scripts/compact-attention-tables.ts writes", () => {
  expect(differing(attentionDocuments())).toEqual([]);
});
