import fc from "fast-check";
import { expect, test } from "vitest";
import { CF4X4_PRODUCTS, transformFilterCf4x4 } from "../../src/winograd/cf4x4-filter.ts";

test("the 46 factors are those of the schedule in the reference notes, section 3, pairs doubled", () => {
  const one = ([g0, g1, g2]: readonly number[]): number[] => {
    const u = g0! + g2!;
    return [4 * g0!, u + g1!, u - g1!, g0! - g2!, g1!, 4 * g2!];
  };
  const weights = fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(weights, (g) => {
      const columns = [0, 1, 2].map((x) => one([g[x]!, g[3 + x]!, g[6 + x]!]));
      const W = [0, 1, 2, 3, 4, 5].map((j) => one(columns.map((column) => column[j]!)));
      const [rr, rs, sr, ss] = [W[3]![3]!, W[3]![4]!, W[4]![3]!, W[4]![4]!];
      const real = [0, 1, 2, 5];
      const pairs = [
        ...real.map((j) => [W[j]![3]!, W[j]![4]!]),
        ...real.map((k) => [W[3]![k]!, W[4]![k]!]),
        [rr - ss, rs + sr],
        [rr + ss, sr - rs],
      ];
      const expected = [
        ...real.flatMap((j) => real.map((k) => W[j]![k]!)),
        ...pairs.flatMap(([c, d]) => [2 * c!, 2 * (d! - c!), 2 * (c! + d!)]),
      ];
      expect(transformFilterCf4x4(g)).toEqual(expected);
      expect(expected).toHaveLength(CF4X4_PRODUCTS);
    }),
  );
});
