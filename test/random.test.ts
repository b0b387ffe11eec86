import { expect, test } from "vitest";
import { randomSource } from "../src/random.ts";

const COUNT = 100_000;
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

// Five standard deviations of each mean, from the variances 1/12, 1 and 2, and 2 and 1 of the squares and magnitudes.
test("uniform, normal and Laplace values have the moments that they should", () => {
  const random = randomSource(7);
  const draw = (kind: "uniform" | "normal" | "laplace"): number[] =>
    Array.from({ length: COUNT }, () => random[kind]());
  const within = (variance: number): number => 5 * Math.sqrt(variance / COUNT);
  const [uniform, normal, laplace] = [draw("uniform"), draw("normal"), draw("laplace")];
  expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(within(1 / 12));
  expect(uniform.every((u) => u > 0 && u < 1)).toBe(true);
  expect(Math.abs(mean(normal))).toBeLessThan(within(1));
  expect(Math.abs(mean(normal.map((v) => v * v)) - 1)).toBeLessThan(within(2));
  expect(Math.abs(mean(laplace))).toBeLessThan(within(2));
  expect(Math.abs(mean(laplace.map(Math.abs)) - 1)).toBeLessThan(within(1));
});

test("a seed gives the same values again, another seed others", () => {
  const [a, b, c] = [randomSource(1), randomSource(1), randomSource(2)];
  const values = (random: typeof a): number[] => Array.from({ length: 5 }, () => random.uniform());
  const first = values(a);
  expect(values(b)).toEqual(first);
  expect(values(c)).not.toEqual(first);
});
