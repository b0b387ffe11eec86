import { describe, expect, it } from "vitest";
import { erf, plainActivation } from "../../src/network/activations.ts";

describe("activations", () => {
  it("erf has its known values", () => {
    // Abramowitz and Stegun, table 7.1.
    expect(erf(0)).toBe(0);
    expect(erf(0.5)).toBeCloseTo(0.5204998778, 10);
    expect(erf(-1)).toBeCloseTo(-0.8427007929, 10);
    expect(erf(2)).toBeCloseTo(0.995322265, 10);
    expect(erf(7)).toBe(1);
    expect(erf(Number.NaN)).toBeNaN();
  });

  it("hard-swish is 0, 0, 3 at -3, 0, 3; exact GELU differs from the tanh form", () => {
    expect([-3, 0, 3].map((x) => plainActivation("hard-swish", x))).toEqual([-0, 0, 3]);
    const tanh = (x: number) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    const grid = Array.from({ length: 1201 }, (_, i) => i / 100 - 6);
    const most = Math.max(...grid.map((x) => Math.abs(plainActivation("gelu", x) - tanh(x))));
    expect(most).toBeGreaterThan(4e-4);
    expect(most).toBeLessThan(5e-4);
  });
});
