import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CONV_PARAMS } from "../../src/kernels/convolution/params.ts";

test("the descriptor has the same fields in the same order on both sides", () => {
  const source = readFileSync(new URL("../../assembly/common/conv-params.ts", import.meta.url), "utf8");
  const fields = [...source.matchAll(/^ {2}(\w+): (\w+);/gm)].map(([, name, type]) => ({ name, type }));
  expect(fields.map((f) => f.name)).toEqual([...CONV_PARAMS]);
  // 4-byte types only, so that a field's index is its offset.
  expect(new Set(fields.map((f) => f.type))).toEqual(new Set(["usize", "i32", "f32"]));
});
