import fc from "fast-check";
import { expect, test } from "vitest";
import { SLACK, WasmMemory } from "../../src/kernels/memory.ts";

test("blocks never overlap, keep their slack, and freed ones are reused", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 5000 })), { maxLength: 80 }), (actions) => {
      const memory = new WasmMemory();
      const live: { pointer: number; end: number }[] = [];
      for (const [release, n] of actions) {
        if (release && live.length > 0) {
          memory.free(live.splice(n % live.length, 1)[0]!.pointer);
          continue;
        }
        const pointer = memory.allocate(n);
        const end = pointer + n + SLACK;
        expect(pointer % 64).toBe(0);
        expect(end).toBeLessThanOrEqual(memory.byteLength);
        for (const other of live) expect(pointer >= other.end || end <= other.pointer).toBe(true);
        live.push({ pointer, end });
      }
      for (const { pointer } of live) memory.free(pointer);
      // Everything was merged back into one free end: the next block starts where the first ever did.
      expect(memory.allocate(1)).toBe(new WasmMemory().allocate(1));
    }),
  );
});

test("steady use does not grow memory", () => {
  const memory = new WasmMemory();
  const cycle = (): void => {
    const pointers = [300_000, 10, 70_000].map((n) => memory.allocate(n));
    for (const pointer of pointers) memory.free(pointer);
  };
  cycle();
  const bytes = memory.byteLength;
  for (let i = 0; i < 200; i++) cycle();
  expect(memory.byteLength).toBe(bytes);
});

test("views follow growth", () => {
  const memory = new WasmMemory();
  const a = memory.allocate(4);
  memory.u8[a] = 7;
  memory.allocate(10 * 65536);
  expect(memory.u8[a]).toBe(7);
  expect(memory.u8.length).toBe(memory.byteLength);
});

test("refusals: a foreign pointer, and more memory than there can be", () => {
  const memory = new WasmMemory();
  expect(() => memory.free(12345)).toThrow(/pointer: 12345/);
  expect(() => memory.allocate(2 ** 32)).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_MEMORY" }));
  // Pointers stay below 2^31, where typed-array indices made of them would turn negative.
  expect(() => memory.allocate(2 ** 31 - 2 ** 16)).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_MEMORY" }));
  expect(memory.allocate(16)).toBeGreaterThan(0); // still usable
});
