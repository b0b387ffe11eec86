import { expect, test } from "vitest";
import { differing } from "../../scripts/documents.ts";
import { timingDocuments } from "../../scripts/timing-tables/documents.ts";

test("the tables of docs/timing-model.md are those that scripts/timing-tables.ts writes", () => {
  expect(differing(timingDocuments())).toEqual([]);
});
