/**
 * Section 3 of the reference notes, schedule by schedule: its straight-line programs are written out here and counted by running, so that
 * its figures stand under its own conditions, and beside them what src/winograd finds (transforms.test.ts has those by themselves). Where
 * the two differ, ours has fewer shifts. Figures are those of the notes, which mark them as derived there.
 */
import { describe, expect, test } from "vitest";
import {
  type Arithmetic,
  counted,
  exact,
  linearForms,
  noOperations,
  type OperationCount,
  variables,
} from "../../src/winograd/arithmetic.ts";
import { type AlgorithmId, algorithmOf, nestedOf } from "../../src/winograd/catalogue.ts";
import { bits, gain, INT8, reach } from "../../src/winograd/growth.ts";
import { type FormKind, integerForm } from "../../src/winograd/integer-form.ts";
import { filterPlanes, inputPlanes, outputPlanes } from "../../src/winograd/nested.ts";
import { type IntegerMatrix, type RealForm, realForm } from "../../src/winograd/real-form.ts";
import { countTransforms, transforms } from "../../src/winograd/transforms.ts";
import { integers } from "../_helpers/random.ts";

type Step = <T>(values: readonly T[], arithmetic: Arithmetic<T>) => T[];

const ops = (adds: number, shifts = 0, constants = 0): OperationCount => ({ adds, shifts, constants });

/** One dimension of the complex algorithm, rows 0, 1, 2, R, S, 5. */
const complexInput: Step = ([d0, d1, d2, d3, d4, d5], { add, sub }) => {
  const [p, q] = [add(d2!, d4!), add(d1!, d3!)];
  return [sub(d0!, d4!), add(p, q), sub(p, q), sub(d4!, d2!), sub(d3!, d1!), sub(d5!, d1!)];
};
const complexFilter =
  (normalised: boolean): Step =>
  ([g0, g1, g2], { add, sub, shl }) => {
    const u = add(g0!, g2!);
    const four = (g: typeof u): typeof u => (normalised ? g : shl(g, 2));
    return [four(g0!), add(u, g1!), sub(u, g1!), sub(g0!, g2!), g1!, four(g2!)];
  };
/** R and S come already doubled. */
const complexOutput: Step = ([m0, m1, m2, R, S, m5], { add, sub }) => {
  const [s, t] = [add(m1!, m2!), sub(m1!, m2!)];
  return [add(add(m0!, s), R!), sub(t, S!), sub(s, R!), add(add(t, S!), m5!)];
};

/** The rational F(4,3), as winograd_check.py beside the notes has it. */
const rationalInput: Step = ([d0, d1, d2, d3, d4, d5], { add, sub, shl }) => {
  const c = sub(d4!, d2!);
  const e = shl(sub(d3!, d1!), 1);
  const a = sub(d4!, shl(d2!, 2));
  const b = sub(d3!, shl(d1!, 2));
  const last = sub(sub(d5!, d3!), shl(e, 1));
  return [add(shl(sub(d0!, d2!), 2), c), add(a, b), sub(a, b), add(c, e), sub(c, e), last];
};
const rationalFilter: Step = ([g0, g1, g2], { add, sub, shl }) => {
  const u = add(g0!, g2!);
  const w = add(g0!, shl(g2!, 2));
  const x = shl(g1!, 1);
  return [g0!, add(u, g1!), sub(u, g1!), add(w, x), sub(w, x), g2!];
};
const rationalOutput: Step = ([m0, m1, m2, m3, m4, m5], { add, sub, shl }) => {
  const [s, t, p, q] = [add(m1!, m2!), sub(m1!, m2!), add(m3!, m4!), sub(m3!, m4!)];
  return [add(add(m0!, s), p), add(t, shl(q, 1)), add(s, shl(p, 2)), add(add(t, shl(q, 3)), m5!)];
};
/** With D = (6, -4, -4, 1, 1, 24) folded in. */
const rationalOutputWithD: Step = ([m0, m1, m2, m3, m4, m5], { add, sub, shl, mulc }) => {
  const [s, t, p, q] = [add(m1!, m2!), sub(m1!, m2!), add(m3!, m4!), sub(m3!, m4!)];
  return [
    add(sub(mulc(m0!, 6), shl(s, 2)), p),
    sub(shl(q, 1), shl(t, 2)),
    shl(sub(p, s), 2),
    add(sub(shl(q, 3), shl(t, 2)), mulc(m5!, 24)),
  ];
};

const smallInput: Step = ([d0, d1, d2, d3], { add, sub }) => [
  sub(d0!, d2!),
  add(d1!, d2!),
  sub(d2!, d1!),
  sub(d3!, d1!),
];
const smallFilter: Step = ([g0, g1, g2], { add, sub, shl }) => {
  const u = add(g0!, g2!);
  return [shl(g0!, 1), add(u, g1!), sub(u, g1!), shl(g2!, 1)];
};
const smallOutput: Step = ([m0, m1, m2, m3], { add, sub }) => [add(add(m0!, m1!), m2!), add(sub(m1!, m2!), m3!)];

function count(run: (arithmetic: Arithmetic<number>) => void): OperationCount {
  const operations = noOperations();
  run(counted(exact, operations));
  return operations;
}

const zeros = (length: number): number[] => new Array<number>(length).fill(0);

/** The matrix that a linear program computes, one row a result. */
const matrixOf = (program: Step, inputs: number): IntegerMatrix => program(variables(inputs), linearForms(inputs));

/** The one-dimensional step over the columns of a square, then over its rows. */
function twoDimensions<T>(step: Step, values: readonly T[], side: number, arithmetic: Arithmetic<T>): T[] {
  const columns = Array.from({ length: side }, (_, x) =>
    step(
      Array.from({ length: side }, (_, y) => values[y * side + x]!),
      arithmetic,
    ),
  );
  return columns[0]!.flatMap((_, j) =>
    step(
      columns.map((column) => column[j]!),
      arithmetic,
    ),
  );
}

describe("one dimension", () => {
  const formOf = (id: AlgorithmId, kind: FormKind): RealForm => realForm(integerForm(algorithmOf(id), kind));
  const STEPS: [string, Step, OperationCount, IntegerMatrix][] = [
    ["complex input", complexInput, ops(8), formOf("f4x4-3x3-complex", "scaled").BT],
    ["complex filter, 4G", complexFilter(false), ops(4, 2), formOf("f4x4-3x3-complex", "scaled").G],
    ["complex filter, row-normalised", complexFilter(true), ops(4), formOf("f4x4-3x3-complex", "row-normalised").G],
    ["complex output", complexOutput, ops(8), formOf("f4x4-3x3-complex", "scaled").AT],
    ["F(4,3) rational input", rationalInput, ops(12, 5), formOf("f4x4-3x3-rational", "scaled").BT],
    ["F(4,3) rational filter", rationalFilter, ops(6, 2), formOf("f4x4-3x3-rational", "row-normalised").G],
    ["F(4,3) rational output", rationalOutput, ops(10, 3), formOf("f4x4-3x3-rational", "scaled").AT],
    [
      "F(4,3) rational output with D folded in",
      rationalOutputWithD,
      ops(10, 6, 2),
      formOf("f4x4-3x3-rational", "row-normalised").AT,
    ],
    ["F(2,3) input", smallInput, ops(4), formOf("f2x2-3x3", "scaled").BT],
    ["F(2,3) filter, 2G", smallFilter, ops(3, 2), formOf("f2x2-3x3", "scaled").G],
    ["F(2,3) output", smallOutput, ops(4), formOf("f2x2-3x3", "scaled").AT],
  ];

  test.each(STEPS)(
    "%s: the reference's program has its count and computes the derived matrix",
    (_, step, wanted, matrix) => {
      const inputs = matrix[0]!.length;
      expect(count((a) => step(zeros(inputs), a))).toEqual(wanted);
      expect(matrixOf(step, inputs)).toEqual(matrix);
    },
  );
});

const REAL = [0, 1, 2, 5];
/** Entries of the real 6x6 array in the places of each pair, in plane order: corners last. */
const EDGES = [...REAL.map((j) => [6 * j + 3, 6 * j + 4]), ...REAL.map((k) => [18 + k, 24 + k])] as [number, number][];
const [RR, RS, SR, SS] = [21, 22, 27, 28] as const;

/** Real array -> 16 real entries, 10 complex ones. */
function blocks<T>(W: readonly T[], { add, sub }: Arithmetic<T>): { real: T[]; complex: [T, T][] } {
  const [rr, rs, sr, ss] = [W[RR]!, W[RS]!, W[SR]!, W[SS]!];
  return {
    real: REAL.flatMap((j) => REAL.map((k) => W[6 * j + k]!)),
    complex: [
      ...EDGES.map(([re, im]): [T, T] => [W[re]!, W[im]!]),
      [sub(rr, ss), add(rs, sr)],
      [add(rr, ss), sub(sr, rs)],
    ],
  };
}

const tileFactors: Step = (tile, arithmetic) => {
  const { real, complex } = blocks(twoDimensions(complexInput, tile, 6, arithmetic), arithmetic);
  return [...real, ...complex.flatMap(([a, b]) => [arithmetic.add(a, b), a, b])];
};

const filterFactors =
  (normalised: boolean): Step =>
  (filter, arithmetic) => {
    const { add, sub } = arithmetic;
    const { real, complex } = blocks(twoDimensions(complexFilter(normalised), filter, 3, arithmetic), arithmetic);
    return [...real, ...complex.flatMap(([c, d]) => [c, sub(d, c), add(c, d)])];
  };

const recombined: Step = (products, { add, sub }) => [
  ...products.slice(0, 16),
  ...Array.from({ length: 10 }, (_, i) => {
    const [k1, k2, k3] = products.slice(16 + 3 * i);
    return [sub(k1!, k3!), add(k1!, k2!)];
  }).flat(),
];

/** Real and complex products -> real 6x6 array, R and S doubled. */
const foldedBack =
  (normalised: boolean): Step =>
  (values, arithmetic) => {
    const { add, sub, shl } = arithmetic;
    const W = new Array<(typeof values)[number]>(36);
    for (const [i, at] of REAL.flatMap((j) => REAL.map((k) => 6 * j + k)).entries()) W[at] = values[i]!;
    const complex = Array.from({ length: 10 }, (_, i) => [values[16 + 2 * i]!, values[17 + 2 * i]!] as const);
    for (const [i, [re, im]] of EDGES.entries()) {
      W[re] = shl(complex[i]![0], 1);
      W[im] = shl(complex[i]![1], 1);
    }
    const [[pr, pi], [qr, qi]] = [complex[8]!, complex[9]!];
    W[RR] = shl(add(pr, qr), 1);
    W[SS] = shl(sub(qr, pr), 1);
    W[RS] = shl(sub(pi, qi), 1);
    W[SR] = shl(add(pi, qi), 1);
    if (normalised) {
      for (let k = 0; k < 6; k++) {
        for (const edge of [0, 5]) {
          W[6 * edge + k] = shl(W[6 * edge + k]!, 2);
          W[6 * k + edge] = shl(W[6 * k + edge]!, 2);
        }
      }
    }
    return W;
  };

const tileOutputs =
  (normalised: boolean): Step =>
  (products, arithmetic) =>
    twoDimensions(complexOutput, foldedBack(normalised)(recombined(products, arithmetic), arithmetic), 6, arithmetic);

describe.each([
  ["4G", "scaled", false, 18, 20],
  ["row-normalised", "row-normalised", true, 0, 44],
] as const)("two dimensions, complex F(4x4,3x3) %s", (_, form, normalised, filterShifts, outputShifts) => {
  const nested = nestedOf("f4x4-3x3-complex", { form });

  test("the reference's program computes the derived factors and outputs", () => {
    expect(matrixOf(tileFactors, 36)).toEqual(inputPlanes(nested));
    expect(matrixOf(filterFactors(normalised), 9)).toEqual(filterPlanes(nested));
    expect(matrixOf(tileOutputs(normalised), 46)).toEqual(outputPlanes(nested));
  });

  test("input 100 + 10 adds", () => {
    expect(count((a) => twoDimensions(complexInput, zeros(36), 6, a))).toEqual(ops(96));
    expect(count((a) => blocks(zeros(36), a))).toEqual(ops(4));
    expect(count((a) => tileFactors(zeros(36), a))).toEqual(ops(110));
  });

  test("filter 40 + 20 adds, once", () => {
    const transform: Step = (g, a) => blocks(twoDimensions(complexFilter(normalised), g, 3, a), a).real;
    expect(count((a) => transform(zeros(9), a))).toEqual(ops(40, filterShifts));
    expect(count((a) => filterFactors(normalised)(zeros(9), a))).toEqual(ops(60, filterShifts));
  });

  test("output 20 + 4 + 80 adds; 20 doublings, row-normalised 24 shifts more", () => {
    expect(count((a) => recombined(zeros(46), a))).toEqual(ops(20));
    expect(count((a) => foldedBack(normalised)(zeros(36), a))).toEqual(ops(4, outputShifts));
    expect(count((a) => twoDimensions(complexOutput, zeros(36), 6, a))).toEqual(ops(80));
    expect(count((a) => tileOutputs(normalised)(zeros(46), a))).toEqual(ops(104, outputShifts));
  });

  test("ours: the same adds, and no more shifts", () => {
    const found = transforms(nested);
    const counts = countTransforms(found);
    expect(counts.input).toEqual(ops(110));
    expect(counts.filter).toEqual(ops(60, filterShifts));
    // 44 in the reference, which shifts rows and columns 0 and 5 before both passes; in the passes it takes 20 instead of 24.
    expect(counts.output).toEqual(ops(104, normalised ? 40 : 20));
    expect(counts.output.shifts).toBeLessThanOrEqual(outputShifts);
    expect(count((a) => found.split(zeros(36), a))).toEqual(ops(4));
    const entries = {
      real: zeros(16),
      pairs: Array.from({ length: 10 }, () => ({ re: 0, im: 0 })),
    };
    expect(count((a) => found.join(entries, a))).toEqual(ops(4));
  });

  test("16 Y from 46 products, on random data", () => {
    for (let seed = 0; seed < 20; seed++) {
      const d = integers(seed, 36, 255).map((x) => x - 128);
      const g = integers(seed + 100, 9, 254).map((x) => x - 127);
      const V = tileFactors(d, exact);
      const Y = tileOutputs(normalised)(
        filterFactors(normalised)(g, exact).map((u, p) => u * V[p]!),
        exact,
      );
      for (const [i, y] of Y.entries()) {
        const at = (t: number): number => (Math.floor(i / 4) + Math.floor(t / 3)) * 6 + (i % 4) + (t % 3);
        expect(y).toBe(16 * g.reduce((sum, w, t) => sum + w * d[at(t)]!, 0));
      }
    }
  });
});

test("the corner {R,S} x {R,S}: V33 = (RR-SS) + i(RS+SR), V34 = (RR+SS) + i(SR-RS), and back doubled", () => {
  const found = transforms(nestedOf("f4x4-3x3-complex"));
  const array = zeros(36).map((_, i) => i * i);
  const [rr, rs, sr, ss] = [RR, RS, SR, SS].map((i) => array[i]!) as [number, number, number, number];
  const { real, pairs } = found.split(array, exact);
  expect(pairs.slice(8)).toEqual([
    { re: rr - ss, im: rs + sr },
    { re: rr + ss, im: sr - rs },
  ]);
  // Real rows and columns come back as they were; of the corner every part is twice what it was before anything is doubled.
  const back = found.join({ real, pairs }, exact);
  expect(back).toEqual(array.map((x, i) => (([RR, RS, SR, SS] as number[]).includes(i) ? 2 * x : x)));
});

test("every value that the reference's complex input program passes through stays inside int16, at most 12 bits", () => {
  let widest = 0;
  let largestGain = 0;
  const noted = linearForms(36, (form) => {
    widest = Math.max(widest, bits(reach(form, INT8)));
    largestGain = Math.max(largestGain, gain(form));
  });
  tileFactors(variables(36), noted);
  expect([widest, largestGain]).toEqual([12, 16]);
});

describe("two dimensions, rational F(4x4,3x3) row-normalised and F(2x2,3x3)", () => {
  test("input 144 adds and 60 shifts, filter 54 and 18, output 100 adds, 60 shifts, 20 constant products", () => {
    expect(count((a) => twoDimensions(rationalInput, zeros(36), 6, a))).toEqual(ops(144, 60));
    expect(count((a) => twoDimensions(rationalFilter, zeros(9), 3, a))).toEqual(ops(54, 18));
    expect(count((a) => twoDimensions(rationalOutputWithD, zeros(36), 6, a))).toEqual(ops(100, 60, 20));
  });

  test("ours: one shift fewer in each pass of the output, 50 instead of 60", () => {
    const found = countTransforms(transforms(nestedOf("f4x4-3x3-rational", { form: "row-normalised" })));
    expect(found).toEqual({ input: ops(144, 60), filter: ops(54, 18), output: ops(100, 50, 20) });
  });

  test("F(2x2): input 32 adds, filter 21 and 14 shifts, output 24; four tiles 128 and 96", () => {
    expect(count((a) => twoDimensions(smallInput, zeros(16), 4, a))).toEqual(ops(32));
    expect(count((a) => twoDimensions(smallFilter, zeros(9), 3, a))).toEqual(ops(21, 14));
    expect(count((a) => twoDimensions(smallOutput, zeros(16), 4, a))).toEqual(ops(24));
    expect([4 * 32, 4 * 24]).toEqual([128, 96]);
  });
});

/** Products, scale of the result, bytes of a filter in int16 for each pair of an input and an output channel. */
const COLUMNS: [AlgorithmId, FormKind, number, number, number][] = [
  ["f4x4-3x3-complex", "scaled", 46, 16, 92],
  ["f4x4-3x3-complex", "row-normalised", 46, 16, 92],
  ["f4x4-3x3-rational", "row-normalised", 36, 576, 72],
  ["f2x2-3x3", "scaled", 16, 4, 32],
];

test.each(COLUMNS)("%s, %s: %i products a channel, scale %i, %i bytes a pair", (id, form, products, scale, bytes) => {
  const { planes, result } = nestedOf(id, { form });
  expect([planes.length, Number(result.scale), planes.length * Int16Array.BYTES_PER_ELEMENT]).toEqual([
    products,
    scale,
    bytes,
  ]);
});

test("the 20 doublings go into the 30 filter values of the pairs; the largest is then 24 * 127 = 3048", () => {
  const [plain, doubled] = (["output", "filter"] as const).map((doubling) =>
    filterPlanes(nestedOf("f4x4-3x3-complex", { form: "scaled", doubling })),
  ) as [IntegerMatrix, IntegerMatrix];
  expect(doubled.slice(0, 16)).toEqual(plain.slice(0, 16));
  expect(doubled.slice(16)).toEqual(plain.slice(16).map((row) => row.map((c) => 2 * c)));
  expect(doubled.slice(16)).toHaveLength(30);
  const largest = Math.max(...doubled.map((row) => gain(row) * 127));
  expect(largest).toBe(3048);
  expect(bits({ low: -largest, high: largest })).toBe(13);
});
