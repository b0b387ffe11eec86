import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { winograd } from "../../src/winograd/algorithm.ts";
import { counted, exact, noOperations } from "../../src/winograd/arithmetic.ts";
import { type AlgorithmId, algorithmOf, CATALOGUE } from "../../src/winograd/catalogue.ts";
import { type FormKind, integerForm } from "../../src/winograd/integer-form.ts";
import { type IntegerMatrix, realForm } from "../../src/winograd/real-form.ts";
import { evaluate, type Schedule, scheduleOf } from "../../src/winograd/schedule.ts";
import { signedDigits } from "../../src/winograd/subexpressions.ts";

const times = (matrix: IntegerMatrix, x: readonly number[]): number[] =>
  matrix.map((row) => row.reduce((sum, c, i) => sum + c * x[i]!, 0));

/** The schedule computes the matrix on random vectors, and its count is that of running it. */
function verify(matrix: IntegerMatrix): Schedule {
  const schedule = scheduleOf(matrix);
  const vector = fc.array(fc.integer({ min: -(2 ** 20), max: 2 ** 20 }), {
    minLength: matrix[0]!.length,
    maxLength: matrix[0]!.length,
  });
  fc.assert(
    fc.property(vector, (x) => {
      expect(evaluate(schedule, x, exact)).toEqual(times(matrix, x));
    }),
    { numRuns: 20 },
  );
  const count = noOperations();
  evaluate(
    schedule,
    matrix[0]!.map(() => 1),
    counted(exact, count),
  );
  expect(schedule.count).toEqual(count);
  return schedule;
}

/** One-dimensional counts of the reference notes, section 3: [adds, shifts, constant products]. */
const LIMITS: [AlgorithmId, FormKind, "BT" | "G" | "AT", readonly [number, number, number]][] = [
  ["f4x4-3x3-complex", "scaled", "BT", [8, 0, 0]],
  ["f4x4-3x3-complex", "scaled", "G", [4, 2, 0]],
  ["f4x4-3x3-complex", "row-normalised", "G", [4, 0, 0]],
  ["f4x4-3x3-complex", "scaled", "AT", [8, 0, 0]],
  ["f4x4-3x3-rational", "row-normalised", "BT", [12, 5, 0]],
  ["f4x4-3x3-rational", "row-normalised", "G", [6, 2, 0]],
  ["f4x4-3x3-rational", "scaled", "AT", [10, 3, 0]],
  ["f4x4-3x3-rational", "row-normalised", "AT", [10, 6, 2]],
  ["f2x2-3x3", "scaled", "BT", [4, 0, 0]],
  ["f2x2-3x3", "scaled", "G", [3, 2, 0]],
  ["f2x2-3x3", "scaled", "AT", [4, 0, 0]],
];

test.each(LIMITS)("%s, %s, %s: no more than %j adds, shifts and constant products", (id, kind, which, limit) => {
  const { count } = verify(realForm(integerForm(algorithmOf(id), kind))[which]);
  const found = [count.adds, count.shifts, count.constants];
  for (const [i, most] of limit.entries()) expect(found[i]).toBeLessThanOrEqual(most);
  // What the search finds today; a regression shows here, an improvement may be noted.
  expect(found).toEqual(which === "AT" && limit[2] === 2 ? [10, 5, 2] : limit);
});

test.each(CATALOGUE.map(({ id }) => id))("%s: all schedules compute their matrices", (id) => {
  for (const kind of ["scaled", "row-normalised"] as const) {
    const form = realForm(integerForm(algorithmOf(id), kind));
    for (const matrix of [form.BT, form.G, form.AT]) verify(matrix);
  }
});

describe("real rows of complex points", () => {
  test("R and S in the places of i and -i", () => {
    const { names, BT, G, AT } = realForm(integerForm(algorithmOf("f4x4-3x3-complex"), "scaled"));
    expect(names).toEqual(["0", "1", "-1", "R:i", "S:i", "inf"]);
    expect(BT[3]).toEqual([0, 0, -1, 0, 1, 0]);
    expect(BT[4]).toEqual([0, -1, 0, 1, 0, 0]);
    expect(G.slice(3, 5)).toEqual([
      [1, 0, -1],
      [0, 1, 0],
    ]);
    expect(AT.map((row) => row.slice(3, 5))).toEqual([
      [1, 0],
      [0, -1],
      [-1, 0],
      [0, 1],
    ]);
  });

  test("points need not be neighbours", () => {
    const form = realForm(integerForm(winograd({ m: 2, r: 3, points: "i,0,-i,inf" }), "scaled"));
    expect(form.names).toEqual(["R:i", "0", "S:i", "inf"]);
    expect(form.partner).toEqual([2, 1, 0, 3]);
  });
});

describe("any integer matrix", () => {
  test("is computed by its schedule", () => {
    const matrices = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([rows, columns]) => {
        const row = fc.array(fc.oneof(fc.integer({ min: -8, max: 8 }), fc.constant(0)), {
          minLength: columns,
          maxLength: columns,
        });
        return fc.array(row, { minLength: rows, maxLength: rows });
      });
    fc.assert(
      fc.property(matrices, (matrix) => {
        verify(matrix);
      }),
      { numRuns: 60 },
    );
  });

  test("zero rows, copies, negations and shifts", () => {
    const { operations, outputs } = verify([
      [0, 0],
      [0, 1],
      [-1, 0],
      [4, 0],
      [-1, -2],
    ]);
    expect(outputs[1]).toBe("x1");
    expect(operations.map(({ op }) => op).sort()).toEqual(["add", "neg", "neg", "shl", "shl", "zero"]);
  });

  test("every name is assigned once and used after that", () => {
    const { inputs, operations, outputs } = scheduleOf(
      realForm(integerForm(algorithmOf("f6x6-3x3-complex"), "scaled")).BT,
    );
    const known = new Set(inputs);
    for (const step of operations) {
      if ("a" in step) expect(known).toContain(step.a);
      if ("b" in step) expect(known).toContain(step.b);
      expect(known).not.toContain(step.to);
      known.add(step.to);
    }
    for (const name of outputs) expect(known).toContain(name);
  });

  test("a matrix of unequal rows is refused", () => {
    expect(() => scheduleOf([[1, 2], [3]])).toThrow("matrix: expected rows of 2 integers");
  });
});

test("canonical signed digits", () => {
  expect(signedDigits(7)).toEqual([-1, 8]);
  expect(signedDigits(-5)).toEqual([-1, -4]);
  fc.assert(
    fc.property(fc.integer({ min: -100000, max: 100000 }), (x) => {
      const digits = signedDigits(x);
      expect(digits.reduce((sum, d) => sum + d, 0)).toBe(x);
      for (const [i, d] of digits.entries())
        if (i > 0) expect(Math.abs(d)).toBeGreaterThanOrEqual(4 * Math.abs(digits[i - 1]!));
    }),
  );
});
