import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NpuWindow } from "../../../src/timing/ethos-u/block.ts";
import { inputRange, overlapOf, type Part } from "../../../src/timing/ethos-u/overlap.ts";
import { patterns, stripesOf } from "../../../src/timing/ethos-u/stripes.ts";

function convolution(name: string, input: string, height: number, kernel: number, stride: number): NpuWindow {
  const size = [Math.ceil(height / stride), 8, 8] as const;
  return {
    kind: "convolution",
    name,
    layers: [name],
    input: { name: input, shape: [height, 8 * stride, 8], layout: "bricks" },
    output: { name, shape: size, layout: "bricks" },
    activation: "none",
    bits: 8,
    kernel: [kernel, kernel],
    stride: [stride, stride],
    spread: 1,
    filter: { values: kernel * kernel * 64, channels: 8 },
  };
}

const chains = fc
  .record({
    height: fc.integer({ min: 8, max: 120 }),
    layers: fc.array(
      fc.record({
        kernel: fc.constantFrom(1, 3, 5),
        stride: fc.constantFrom(1, 2),
        rows: fc.integer({ min: 1, max: 6 }),
      }),
      {
        minLength: 2,
        maxLength: 5,
      },
    ),
  })
  .map(({ height, layers }) => {
    const operations: NpuWindow[] = [];
    let at = height;
    for (const [i, { kernel, stride }] of layers.entries()) {
      operations.push(convolution(`y${i}`, i === 0 ? "x" : `y${i - 1}`, at, kernel, stride));
      at = Math.ceil(at / stride);
    }
    return { operations, rows: layers.map(({ rows }) => rows) };
  });

describe("stripes of a cascade", () => {
  it("are all made once, in order, each after the rows that it reads", () => {
    fc.assert(
      fc.property(chains, ({ operations, rows }) => {
        const made = operations.map(() => 0);
        for (const {
          operation,
          rows: [from, to],
        } of stripesOf(operations, { rows }).flat()) {
          expect(from).toBe(made[operation]);
          expect(to - from).toBeLessThanOrEqual(rows[operation]!);
          if (operation > 0) {
            const needed = inputRange(operations[operation]!, [from, to], 0)[1];
            expect(made[operation - 1]).toBeGreaterThanOrEqual(needed);
          }
          made[operation] = to;
        }
        // The last rows of an operation may have no reader where a stride leaves them out.
        expect(made.at(-1)).toBe(operations.at(-1)!.output.shape[0]);
      }),
    );
  });

  it("patterns are the sequence, cut", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 3 }), { maxLength: 60 }), (lists) => {
        const whole = patterns(lists).flatMap(({ pattern, times }) =>
          Array.from({ length: times }, () => pattern).flat(),
        );
        expect(whole).toEqual(lists);
      }),
    );
    const rounds = Array.from({ length: 90 }, (_, i) => (i % 3 === 0 ? [1, 2] : [1]));
    expect(patterns(rounds)).toHaveLength(1);
  });
});

describe("blocks of two jobs", () => {
  const first = convolution("a", "x", 32, 3, 1);
  const part = (operation: NpuWindow, rows: readonly [number, number]): Part => ({
    operation,
    block: [4, 8, 8],
    rows,
    channels: [0, 8],
  });

  it("overlap as far as none reads what is not written", () => {
    const next = convolution("b", "a", 32, 3, 1);
    // The first block reads rows 0 to 4, the second up to 8: far from the last rows.
    expect(overlapOf(part(first, [0, 32]), part(next, [0, 32]))).toBe(3);
    // Of two blocks the first reads both.
    expect(overlapOf(part(first, [0, 8]), part(next, [0, 8]))).toBe(0);
    // Of three the first reads two: it may begin while the last is unfinished.
    expect(overlapOf(part(first, [0, 12]), part(next, [0, 12]))).toBe(1);
    // Others' maps are no concern.
    expect(overlapOf(part(first, [0, 8]), part(convolution("c", "x", 32, 3, 1), [0, 8]))).toBe(3);
  });
});
