import fc from "fast-check";
import { expect, test } from "vitest";
import { type Lifetime, layOut } from "../../src/engine/arena.ts";

const lifetimes = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.nat(20), fc.nat(6)), { minLength: 1, maxLength: 30 })
  .map((list) =>
    list.map(([bytes, first, length], i): Lifetime => ({ name: `t${i}`, bytes, first, last: first + length })),
  );

test("tensors that live at the same time never share bytes", () => {
  fc.assert(
    fc.property(lifetimes, (buffers) => {
      const { offsets, bytes } = layOut(buffers);
      for (const [i, a] of buffers.entries()) {
        const start = offsets.get(a.name)!;
        expect(start % 64).toBe(0);
        expect(start + a.bytes + 64).toBeLessThanOrEqual(bytes);
        for (const b of buffers.slice(i + 1)) {
          const other = offsets.get(b.name)!;
          const together = a.first <= b.last && b.first <= a.last;
          if (together) expect(start + a.bytes <= other || other + b.bytes <= start).toBe(true);
        }
      }
    }),
  );
});

test("a chain needs two buffers, whatever its length", () => {
  const chain = Array.from({ length: 12 }, (_, i): Lifetime => ({ name: `t${i}`, bytes: 1024, first: i, last: i + 1 }));
  expect(layOut(chain).bytes).toBe(2 * (1024 + 64));
});
