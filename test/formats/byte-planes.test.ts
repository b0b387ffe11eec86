import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBytePlanes, toBytePlanes } from "../../src/formats/byte-planes.ts";

test("there and back, of any length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 99 }), (bytes) => {
      expect(fromBytePlanes(toBytePlanes(bytes))).toEqual(new Uint8Array(bytes));
    }),
  );
});

test("planes in order", () => {
  expect([...toBytePlanes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9))]).toEqual([1, 5, 2, 6, 3, 7, 4, 8, 9]);
});

test("values of one size deflate better", () => {
  const values = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i) / 8);
  const bytes = new Uint8Array(values.buffer);
  expect(deflateRawSync(toBytePlanes(bytes)).length).toBeLessThan(deflateRawSync(bytes).length);
});
