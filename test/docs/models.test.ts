import { expect, test } from "vitest";
import { differing } from "../../scripts/documents.ts";
import { modelDocuments } from "../../scripts/model-table/documents.ts";

test("the table of docs/models.md is the one that scripts/model-table.ts writes", () => {
  expect(differing(modelDocuments())).toEqual([]);
});
