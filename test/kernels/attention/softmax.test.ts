import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantiateAttentionKernels } from "../../../src/kernels/attention/load.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { softmax } from "../../../src/reference/attention.ts";
import { floatValues } from "../../_helpers/kernels.ts";
import { runF32 } from "../../_helpers/layers.ts";
import { random } from "../../_helpers/random.ts";

const { memory, exports } = await instantiateAttentionKernels(await instantiateKernels());
const U = 2 ** -24;

/** Rows without gaps. */
function run(x: Float32Array, columns: number, place: { skew?: number; inPlace?: boolean } = {}): Float32Array {
  const rows = x.length / columns;
  return runF32(
    memory,
    [x],
    x.length,
    ([from], to) => exports.f32_softmax(from!, to, rows, columns, columns * 4),
    place,
  );
}

describe("the exponential", () => {
  test("of every size to u * (3.7 + 2.3 d): rows of 0 and -d, whose quotient it is", () => {
    const next = random(5);
    const count = 2 ** 20;
    const x = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) x[2 * i + 1] = -(next() * (i & 1 ? 2 : 90)) * (i & 2 ? 1 : next());
    const y = run(x, 2);
    let worst = 0;
    for (let i = 0; i < count; i++) {
      const d = -x[2 * i + 1]!;
      const exact = Math.exp(-d);
      // 1 and e add up, their reciprocal multiplies both: one rounding each.
      const most = U * (5.7 + 2.3 * d) * exact + 2 ** -125.4;
      const off = Math.abs(y[2 * i + 1]! / y[2 * i]! - exact);
      worst = Math.max(worst, off / most);
      if (d > 87.7) expect(y[2 * i + 1]).toBe(0);
    }
    expect(worst).toBeLessThanOrEqual(1);
  });

  test("1 at 0, falling but for its roundings", () => {
    const x = Float32Array.from({ length: 2 ** 16 }, (_, i) => -i / 700);
    const y = run(x, x.length);
    expect(Math.max(...y)).toBe(y[0]);
    for (let i = 1; i < x.length; i++) expect(y[i]).toBeLessThanOrEqual(y[i - 1]! * (1 + 2 ** -20));
  });
});

describe("f32_softmax", () => {
  test("is within its bound of the real function, in place or not, at any address", () => {
    const shape = fc.record({
      seed: fc.nat(),
      rows: fc.integer({ min: 1, max: 6 }),
      columns: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(197, 1000, 1001, 1023)),
      magnitude: fc.constantFrom(1, 10, 100, 1e-3, 1e30),
      shift: fc.constantFrom(0, 100, -1e4),
    });
    const place = fc.record({ skew: fc.integer({ min: 0, max: 3 }), inPlace: fc.boolean() });
    fc.assert(
      fc.property(shape, place, ({ seed, rows, columns, magnitude, shift }, place) => {
        const x = floatValues(seed, rows * columns).map((v) => v * magnitude + shift);
        const y = run(x, columns, place);
        for (let row = 0; row < x.length; row += columns) {
          const values = [...x.subarray(row, row + columns)];
          const exact = softmax(values);
          const most = Math.max(...values);
          const spread = exact.reduce((sum, p, c) => (p === 0 ? sum : sum + p * (most - values[c]!)), 0);
          for (const [c, e] of exact.entries()) {
            const distance = e === 0 ? 0 : most - values[c]! + spread;
            const bound = 1.01 * U * (13 + 2.3 * distance + columns / 4) * e + 2 ** -125.4;
            expect(Math.abs(y[row + c]! - e), `column ${c} of ${columns}`).toBeLessThanOrEqual(bound);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("rows with gaps: what lies between stays as it is", () => {
    const x = floatValues(1, 7 * 13);
    const call = ([from]: number[], to: number): void => exports.f32_softmax(from!, to, 7, 10, 13 * 4);
    const y = runF32(memory, [x], x.length, call, { inPlace: true });
    for (let row = 0; row < 7; row++) {
      expect(y.subarray(row * 13 + 10, (row + 1) * 13)).toEqual(x.subarray(row * 13 + 10, (row + 1) * 13));
      const part = x.slice(row * 13, row * 13 + 10);
      expect(y.slice(row * 13, row * 13 + 10)).toEqual(run(part, 10));
    }
  });

  test("the largest numbers do not overflow; NaN and infinities stay in their row", () => {
    const huge = Math.fround(3.4e38);
    expect([...run(Float32Array.of(huge, -huge, 0), 3)]).toEqual([1, 0, 0]);
    expect([...run(Float32Array.of(-huge, -huge), 2)]).toEqual([0.5, 0.5]);
    const [infinity, nan] = [Number.POSITIVE_INFINITY, Number.NaN];
    expect([...run(Float32Array.of(0, -infinity, 0, -infinity, 0), 5)].slice(0, 2)).toEqual([Math.fround(1 / 3), 0]);
    for (let c = 0; c < 5; c++) {
      for (const special of [nan, infinity]) {
        const x = new Float32Array(15).fill(1);
        x[5 + c] = special;
        const y = run(x, 5);
        for (let i = 0; i < 15; i++) expect(Number.isNaN(y[i]!)).toBe(i >= 5 && i < 10);
      }
    }
    expect(run(new Float32Array(5).fill(-infinity), 5).every(Number.isNaN)).toBe(true);
  });
});
