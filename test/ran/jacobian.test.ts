import { describe, expect, test } from "vitest";
import {
  correlation,
  heDeviation,
  type JacobianOptions,
  jacobianStudy,
  meanSingularValue,
  rankCorrelation,
} from "../../src/ran/jacobian.ts";
import { expectedMean } from "../../src/ran/singular-values.ts";

const LINEAR: JacobianOptions = { activation: "linear", seed: 5, networks: 4, inputs: 1 };

test("the same seed gives the same figure, another one another", () => {
  const cell = { width: 6, depth: 8, maxSkips: 6 };
  const options: JacobianOptions = { activation: "relu", seed: 1, networks: 2, inputs: 2 };
  expect(meanSingularValue(cell, options)).toBe(meanSingularValue(cell, options));
  expect(meanSingularValue(cell, { ...options, seed: 2 })).not.toBe(meanSingularValue(cell, options));
});

test("linear and without skips: square random matrices, whose mean tends to 8 / (3 pi)", () => {
  const mean = meanSingularValue({ width: 32, depth: 9, maxSkips: 0 }, LINEAR);
  expect(Math.abs(mean - 8 / (3 * Math.PI))).toBeLessThan(0.01);
});

test("linear with skips: the mean over layers of what matrices of their shapes tend to", () => {
  const [width, depth, maxSkips] = [24, 7, 40];
  const shapes = [0, 24, 40, 40, 40, 40].map((skips) => width + skips);
  const expected = shapes.reduce((sum, n) => sum + expectedMean(width, n, heDeviation(n, "linear")), 0) / (depth - 1);
  expect(Math.abs(meanSingularValue({ width, depth, maxSkips }, LINEAR) / expected - 1)).toBeLessThan(0.02);
});

test("linear: the input does not matter", () => {
  const cell = { width: 5, depth: 6, maxSkips: 5 };
  const one = meanSingularValue(cell, { ...LINEAR, networks: 1 });
  expect(meanSingularValue(cell, { ...LINEAR, networks: 1, inputs: 3 })).toBeCloseTo(one, 12);
});

test("ReLU lets about half of the inputs pass, so that the mean is lower than without it", () => {
  const cell = { width: 24, depth: 12, maxSkips: 24 };
  const options: JacobianOptions = { activation: "relu", seed: 2, networks: 8, inputs: 1 };
  const relu = meanSingularValue(cell, options);
  const expected = [0, ...Array<number>(10).fill(24)].map((skips) => {
    const n = 24 + skips;
    return expectedMean(24, n / 2, heDeviation(n, "relu"));
  });
  const mean = expected.reduce((sum, v) => sum + v, 0) / expected.length;
  expect(Math.abs(relu / mean - 1)).toBeLessThan(0.06);
  expect(relu).toBeLessThan(meanSingularValue(cell, { ...options, activation: "linear" }));
});

test("a study: mass, weights and figures in the order of the cells", () => {
  const cells = [
    { width: 4, depth: 5, maxSkips: 0 },
    { width: 4, depth: 5, maxSkips: 6 },
  ];
  const points = jacobianStudy(cells, { activation: "linear", seed: 9, inputs: 1, layers: 40 });
  expect(points).toMatchObject([
    { ...cells[0], nnMass: 0, params: 5 * 16 },
    { ...cells[1], nnMass: ((4 + 6 + 6) / 24) * 20, params: 5 * 16 + 4 * 16 },
  ]);
  expect(points[1]!.meanSingularValue).toBe(
    meanSingularValue(cells[1]!, { activation: "linear", seed: 10, inputs: 1, networks: 10 }),
  );
});

test.each([
  [{ networks: 0 }, "networks: expected an integer from 1, got 0"],
  [{ inputs: 1.5 }, "inputs: expected an integer from 1, got 1.5"],
])("refuses %o", (bad, message) => {
  expect(() => meanSingularValue({ width: 4, depth: 4, maxSkips: 0 }, { ...LINEAR, ...bad })).toThrow(message);
});

describe("correlation", () => {
  test("1 on a rising line, -1 on a falling one, 0 on a symmetric hill", () => {
    expect(correlation([1, 2, 4], [3, 5, 9])).toBeCloseTo(1, 12);
    expect(correlation([1, 2, 4], [3, 2, 0])).toBeCloseTo(-1, 12);
    expect(correlation([-1, 0, 1], [0, 1, 0])).toBeCloseTo(0, 12);
  });

  test("of ranks: 1 however it bends; ties share their rank", () => {
    expect(rankCorrelation([1, 2, 3, 10], [1, 8, 27, 1000])).toBeCloseTo(1, 12);
    // Ranks 1, 2.5, 2.5, 4 beside 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    expect(rankCorrelation([5, 6, 6, 7], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });
});
