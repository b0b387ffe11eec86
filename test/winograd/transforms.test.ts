import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { winograd } from "../../src/winograd/algorithm.ts";
import { exact, noOperations, type OperationCount } from "../../src/winograd/arithmetic.ts";
import { type AlgorithmId, algorithmOf, CATALOGUE, type NestedChoice, nestedOf } from "../../src/winograd/catalogue.ts";
import { apply, filterPlanes, inputPlanes, isExact, nest, outputPlanes } from "../../src/winograd/nested.ts";
import { countTransforms, type Transforms, transforms } from "../../src/winograd/transforms.ts";

const FORMS = ["scaled", "row-normalised"] as const;
const DOUBLINGS = ["output", "filter"] as const;
const VARIANTS = FORMS.flatMap((form) => DOUBLINGS.map((doubling) => ({ form, doubling })));

const values = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: -128, max: 127 }), { minLength: length, maxLength: length });

/** One tile and channel by the schedules, against direct convolution and against the matrices. */
function verify(found: Transforms): void {
  const { nested } = found;
  const [v, h] = [nested.vertical.algorithm, nested.horizontal.algorithm];
  expect(isExact(nested)).toBe(true);
  const [input, filter, output] = [inputPlanes(nested), filterPlanes(nested), outputPlanes(nested)];
  const scale = Number(nested.result.scale);
  fc.assert(
    fc.property(values(v.n * h.n), values(v.r * h.r), (d, g) => {
      const V = found.input(d, exact);
      const U = found.filter(g, exact);
      expect(V).toEqual(apply(input, d));
      expect(U).toEqual(apply(filter, g));
      const M = U.map((u, p) => u * V[p]! + 0);
      const Y = found.output(M, exact);
      expect(Y).toEqual(apply(output, M));
      for (const [i, y] of Y.entries()) {
        let direct = 0;
        for (const [t, w] of g.entries()) {
          const at = (Math.floor(i / h.m) + Math.floor(t / h.r)) * h.n + (i % h.m) + (t % h.r);
          direct += d[at]! * w;
        }
        expect(y).toBe(scale * direct);
      }
    }),
    { numRuns: 10 },
  );
}

test.each(CATALOGUE.map(({ id }) => id))("%s: schedules, matrices and direct convolution agree", (id) => {
  for (const variant of VARIANTS) verify(transforms(nestedOf(id, variant)));
});

test("different algorithms for rows and columns", () => {
  const complex = algorithmOf("f4x4-3x3-complex");
  const others = [
    winograd({ m: 2, r: 3, points: "0,-i,i,inf" }),
    winograd({ m: 4, r: 3, points: "0,1,-1,2,-2,inf" }),
    winograd({ m: 3, r: 1, points: "1,i,-i" }),
    winograd({ m: 1, r: 5, points: "i,2i,0,-i,-2i" }),
  ];
  for (const other of others) {
    for (const variant of VARIANTS) {
      verify(transforms(nest({ vertical: complex, horizontal: other, ...variant })));
      verify(transforms(nest({ vertical: other, horizontal: complex, ...variant })));
    }
  }
});

describe("counts of the reference notes, section 3", () => {
  const ops = (adds: number, shifts = 0, constants = 0): OperationCount => ({ adds, shifts, constants });
  const countOf = (id: AlgorithmId, choice: NestedChoice) => countTransforms(transforms(nestedOf(id, choice)));

  test("complex F(4x4,3x3), 4G: 100 + 10, 40 + 20, and 20 + 4 + 80 adds", () => {
    expect(countOf("f4x4-3x3-complex", { form: "scaled" })).toEqual({
      input: ops(110),
      filter: ops(60, 18),
      output: ops(104, 20),
    });
  });

  test("with the doublings absorbed by the filter none is left in the output", () => {
    expect(countOf("f4x4-3x3-complex", { form: "scaled", doubling: "filter" }).output).toEqual(ops(104));
  });

  test("complex F(4x4,3x3), row-normalised: 4 shifts fewer than in the reference notes, which shifts before both passes", () => {
    expect(countOf("f4x4-3x3-complex", { form: "row-normalised" })).toEqual({
      input: ops(110),
      filter: ops(60),
      output: ops(104, 40),
    });
  });

  test("rational F(4x4,3x3), row-normalised: 10 shifts fewer, one shared in each pass", () => {
    expect(countOf("f4x4-3x3-rational", { form: "row-normalised" })).toEqual({
      input: ops(144, 60),
      filter: ops(54, 18),
      output: ops(100, 50, 20),
    });
  });

  test("F(2x2,3x3), and four tiles of it for one of 4x4", () => {
    const found = countOf("f2x2-3x3", { form: "scaled" });
    expect(found).toEqual({ input: ops(32), filter: ops(21, 14), output: ops(24) });
    expect([4 * 16, 4 * found.input.adds, 4 * found.output.adds]).toEqual([64, 128, 96]);
  });

  test("scales and filter bytes a pair of channels", () => {
    const rows = (["f4x4-3x3-complex", "f4x4-3x3-rational", "f2x2-3x3"] as const).map((id) => {
      const { result, planes } = nestedOf(id);
      return [Number(result.scale), 2 * planes.length];
    });
    expect(rows).toEqual([
      [16, 92],
      [576, 72],
      [4, 32],
    ]);
  });
});

test("an empty count has no operations", () => {
  expect(noOperations()).toEqual({ adds: 0, shifts: 0, constants: 0 });
});
