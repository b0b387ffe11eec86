/**
 * The figures are derived figures of the design reference (its section 7), printed by a seeded experiment of its own:
 * nothing here was measured by the paper. Another generator draws other data, so ours must lie within 1.5 dB. One seed
 * of ours moves by up to 1 dB (standard deviation, scaling-study.ts), so what is compared is the mean over a few; `npm
 * run test:slow` takes more.
 *
 * Where one seed of the reference cannot be met by any mean, the test says so and why; those places were found by
 * running its experiment with ten seeds.
 */
import { describe, expect, test } from "vitest";
import { CATALOGUE, nestedOf } from "../../src/winograd/catalogue.ts";
import {
  formatStudy,
  STUDY_CASES,
  STUDY_SCHEMES,
  type StudyResult,
  scalingStudy,
  schemeName,
} from "../../src/winograd/scaling-study.ts";

const SEEDS = Array.from({ length: process.env.WASMOGRAD_SLOW ? 20 : 3 }, (_, i) => i + 1);
const STUDIES = SEEDS.map((seed) => scalingStudy({ seed }));

const GAUSSIAN = 3;
const LAPLACE = 4;
const SMOOTH = 5;
const TOLERANCE = 1.5;

/** [seed][case] */
function resultsOf(name: string): StudyResult[][] {
  return STUDIES.map((results) => {
    const found = results.filter(({ scheme }) => schemeName(scheme) === name);
    expect(found, name).toHaveLength(STUDY_CASES.length);
    return found;
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** The mean over seeds of what `of` makes of the six cases. */
const average = (name: string, of: (cases: readonly StudyResult[]) => number): number => mean(resultsOf(name).map(of));

const sqnr = (name: string, place: number): number => average(name, (cases) => cases[place]!.sqnrDb);

const least = (key: "sqnrDb" | "worstTapDb") => (cases: readonly StudyResult[]) =>
  Math.min(...cases.map((result) => result[key]));
const most = (key: "sqnrDb" | "worstTapDb") => (cases: readonly StudyResult[]) =>
  Math.max(...cases.map((result) => result[key]));

function expectNear(got: number, wanted: number, what: string): void {
  expect(Math.abs(got - wanted), `${what}: ${got.toFixed(2)} against ${wanted} dB`).toBeLessThanOrEqual(TOLERANCE);
}

/** The mean error of the Gaussian case within 19 %, which is 1.5 dB. */
function expectSimilar(name: string, lsb: number): void {
  const got = average(name, (cases) => cases[GAUSSIAN]!.meanLsb);
  expect(Math.abs(got / lsb - 1), `${name}: ${got.toFixed(3)} against ${lsb} LSB`).toBeLessThanOrEqual(0.19);
}

const complex = (storage: string): string => `f4x4-3x3-complex scaled, ${storage}`;
const rational = (storage: string): string => `f4x4-3x3-rational ${storage}`;
const f2x2 = (storage: string): string => `f2x2-3x3 scaled, ${storage}`;

/** Gaussian weights and smooth ReLU activations: SQNR, mean LSB; lowest and highest SQNR of the six cases. */
const COMPLEX: [string, number, number, number, number][] = [
  // "static shift 4, 8-9 bits": the 4G form without the doubling, where that is what 8 bits need.
  ["8 bits static", 24.6, 2.13, 20.9, 31.7],
  ["9 bits layer", 30.9, 1.03, 26.7, 37.4],
  ["9 bits static-tap", 32.9, 0.82, 28.9, 39.3],
  ["9 bits tap", 41.4, 0.31, 39.1, 46],
  ["9 bits tap-channel", 43.9, 0.22, 42.9, 47.6],
  ["9 bits tap-free", 44.3, 0.23, 42.9, 49],
  ["8 bits tap", 35.1, 0.62, 32.1, 40],
  ["8 bits tap-free", 38, 0.46, 36.9, 43.5],
  ["8 bits tap, activations 8 bits", 30.6, 1.05, 29.3, 35.9],
];

const COMPARISON: [string, number, number][] = [
  [rational("scaled, 9 bits layer"), 4, 17.7],
  [rational("scaled, 16 bits layer"), 46.1, 0.12],
  [rational("row-normalised, 9 bits tap"), 29.1, 0.99],
  [rational("row-normalised, 8 bits tap"), 23.2, 2],
  [rational("row-normalised, 8 bits tap, activations 8 bits"), 18.5, 3.4],
  [f2x2("8 bits tap, activations 8 bits"), 33.4, 0.77],
];

/**
 * Every upper end of the reference but "exact" is its smooth case, for which its one seed drew outputs 1.9 dB stronger
 * than ten seeds do on average: without any rounding, where its SQNR is the energy of the outputs over a constant, it
 * prints 216.0 and ten seeds average 214.1 (212.3 to 216.0). So the case is compared with the figure less 1.9 dB; no
 * mean over seeds comes within 1.5 dB of the printed one in every row. The lower ends, and the other cases, need no
 * such thing.
 */
const SMOOTH_LUCK = 1.9;

describe("the design reference's table", () => {
  test.each(COMPLEX)("complex F(4x4), %s", (storage, gaussian, lsb, low, high) => {
    const name = complex(storage);
    expectNear(sqnr(name, GAUSSIAN), gaussian, name);
    expectSimilar(name, lsb);
    expectNear(average(name, least("sqnrDb")), low, `${name}, lowest`);
    expectNear(sqnr(name, SMOOTH), high - SMOOTH_LUCK, `${name}, smooth`);
    expect(average(name, most("sqnrDb"))).toBeLessThan(high + TOLERANCE);
  });

  test.each(COMPARISON)("%s", (name, gaussian, lsb) => {
    expectNear(sqnr(name, GAUSSIAN), gaussian, name);
    expectSimilar(name, lsb);
  });

  test("exact filters give the exact result", () => {
    for (const result of resultsOf(complex("exact")).flat()) {
      expect(result).toMatchObject({ sqnrDb: Infinity, worstTapDb: Infinity, meanLsb: 0, maxLsb: 0, changedShare: 0 });
    }
  });

  /**
   * 64.4 dB is one draw in a lottery: only the planes of gain 9 (row-normalised) come near 512, and each either passes
   * it and loses its last bit or stays exact. In most seeds none does; one or two give 47 to 64 dB, and the reference's
   * ten seeds 54.7 dB to exact. What does not depend on luck are the ends: uniform weights, where many planes pass, and
   * Laplace, where none does.
   */
  test("complex F(4x4), 10 bits tap: 46.7 dB to exact", () => {
    const name = complex("10 bits tap");
    expectNear(average(name, least("sqnrDb")), 46.7, name);
    for (const cases of resultsOf(name)) {
      expect(cases[LAPLACE]!.sqnrDb).toBe(Infinity);
      expect(cases[GAUSSIAN]!.sqnrDb).toBeGreaterThan(46.7 - TOLERANCE);
    }
    const drawn = resultsOf(name).map((cases) => cases[GAUSSIAN]!.sqnrDb);
    expect(Math.min(...drawn)).toBeLessThan(64.4 + TOLERANCE);
    expect(Math.max(...drawn)).toBeGreaterThan(64.4 - TOLERANCE);
  });

  /**
   * 44.4 dB is another: the four inner planes of 2G always lose a bit, but the eight of gain 6 hold even values and
   * stay exact until one of them passes 511. Up to two do at 44 dB and more, three to five at 42 dB and less; the
   * reference's ten seeds average 43.2 dB (41.8 to 45.0), twenty of ours 43.0 (40.7 to 45.3).
   */
  test("F(2x2), 9 bits tap: 44.4 dB when few planes pass 511, 43 dB on average", () => {
    const name = f2x2("9 bits tap");
    expectNear(sqnr(name, GAUSSIAN), 43.2, name);
    const best = Math.max(...resultsOf(name).map((cases) => cases[GAUSSIAN]!.sqnrDb));
    expectNear(best, 44.4, `${name}, best seed`);
  });

  test("worst tap of the filters themselves", () => {
    const ends: [string, number, number][] = [
      ["9 bits tap", 38.6, 42.3],
      ["9 bits layer", 27.7, 36.7],
      ["8 bits static", 22, 30.8],
    ];
    for (const [storage, low, high] of ends) {
      const name = complex(storage);
      expectNear(average(name, least("worstTapDb")), low, `${name}, lowest`);
      expectNear(average(name, most("worstTapDb")), high, `${name}, highest`);
    }
  });
});

/**
 * The reference's suggestion, which its one seed passes. For Laplace weights it holds on average only: their maxima lie
 * far out, and whether those of a plane just pass a power of two decides over a bit. Ten seeds of the reference give
 * 36.9 to 42.1 dB there and up to 5 LSB, twenty of ours 37.1 to 40.7 dB and 4 LSB.
 */
test("acceptance of 9 bits a tap: at least 38 dB and errors of at most 3 LSB", () => {
  const results = resultsOf(complex("9 bits tap"));
  for (const place of STUDY_CASES.keys()) {
    expect(mean(results.map((cases) => cases[place]!.sqnrDb))).toBeGreaterThanOrEqual(38);
    expect(mean(results.map((cases) => cases[place]!.maxLsb))).toBeLessThanOrEqual(3);
    for (const cases of results) {
      expect(cases[place]!.sqnrDb).toBeGreaterThanOrEqual(place === LAPLACE ? 36.5 : 38);
      expect(cases[place]!.maxLsb).toBeLessThanOrEqual(place === LAPLACE ? 5 : 3);
    }
  }
});

describe("the complex algorithm stands narrow filters better than the rational one, in every case", () => {
  test.each([
    ["9 bits a tap", complex("9 bits tap"), rational("row-normalised, 9 bits tap"), 10, 16],
    ["8 bits a tap", complex("8 bits tap"), rational("row-normalised, 8 bits tap"), 10, 16],
    ["one shift of 9 bits", complex("9 bits layer"), rational("scaled, 9 bits layer"), 26, 31],
  ])("%s", (_, left, right, low, high) => {
    for (const place of STUDY_CASES.keys()) {
      const difference = sqnr(left, place) - sqnr(right, place);
      expect(difference).toBeGreaterThan(low - TOLERANCE);
      expect(difference).toBeLessThan(high + TOLERANCE);
    }
  });
});

test("as kernels store it, pairs doubled, 13 bits to 9 by a static shift of 4: between 8 and 9 bits without the doubling", () => {
  for (const place of STUDY_CASES.keys()) {
    const doubled = sqnr("f4x4-3x3-complex scaled, doubled, 9 bits static", place);
    expect(doubled).toBeGreaterThan(sqnr(complex("8 bits static"), place) + 2);
    expect(doubled).toBeLessThan(sqnr(complex("9 bits layer"), place));
  }
});

test("without scaling every algorithm and form of the catalogue is direct convolution", () => {
  const forms = CATALOGUE.flatMap(({ id }) =>
    (["scaled", "row-normalised"] as const).map((form) => ({ id, form, filter: "exact" }) as const),
  );
  for (const { sqnrDb } of scalingStudy({ cases: [STUDY_CASES[1]!], schemes: forms })) expect(sqnrDb).toBe(Infinity);
});

test("a tap at a time, where the doubling is done makes no difference", () => {
  const filter = { bits: 9, granularity: "tap" } as const;
  const schemes = (["output", "filter"] as const).map((doubling) => {
    return { id: "f4x4-3x3-complex", form: "scaled", doubling, filter } as const;
  });
  const [output, inFilter] = scalingStudy({ cases: [STUDY_CASES[0]!], schemes });
  expect(inFilter).toEqual({ ...output, scheme: schemes[1] });
});

test("the data of a case depends on the seed alone", () => {
  const [first] = STUDIES;
  const schemes = STUDY_SCHEMES.slice(6, 7);
  const alone = scalingStudy({ seed: 1, cases: STUDY_CASES.slice(4, 5), schemes });
  expect(alone).toEqual([first![4 * STUDY_SCHEMES.length + 6]]);
  expect(scalingStudy({ seed: 2, cases: STUDY_CASES.slice(4, 5), schemes })).not.toEqual(alone);
  expect(() => scalingStudy({ seed: 0.5 })).toThrow(/^seed: expected an integer, got 0.5$/);
});

test("printed, a table a case", () => {
  const lines = formatStudy(STUDIES[0]!);
  expect(lines).toHaveLength(STUDY_CASES.length * (STUDY_SCHEMES.length + 2));
  expect(lines[0]).toBe("uniform weights, smooth relu activations");
  expect(lines[1]).toMatch(/SQNR dB\s+mean LSB\s+max LSB\s+changed %\s+worst tap dB$/);
  expect(lines[2]).toMatch(/f4x4-3x3-complex scaled, exact\s+exact\s+0\.00\s+0\s+0\.0\s+exact$/);
  expect(formatStudy([])).toEqual([]);
});

test("the schemes are what their names say", () => {
  expect(new Set(STUDY_SCHEMES.map(schemeName)).size).toBe(STUDY_SCHEMES.length);
  for (const { id, form } of STUDY_SCHEMES) expect(nestedOf(id, { form }).vertical.kind).toBe(form);
});
