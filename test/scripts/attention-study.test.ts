/** The arithmetic behind the study's tables, on runs that are made up. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { studyChart } from "../../scripts/attention-study/chart.ts";
import { KINDS, MEMBERS, type Run, rightBits } from "../../scripts/attention-study/runs.ts";
import { deviation, mean, pooledDeviation, summarise } from "../../scripts/attention-study/summary.ts";

const SIZES = { channels: 8, depth: 1, heads: 2, mlpRatio: 2, strides: [2, 3], grid: 6, classes: 10 } as const;
const PICTURES = 40;

/** Bits as training writes them. */
function hexOf(bits: readonly boolean[]): string {
  const bytes = Array.from({ length: bits.length / 8 }, (_, i) =>
    bits.slice(8 * i, 8 * i + 8).reduce((byte, bit) => 2 * byte + Number(bit), 0),
  );
  return Buffer.from(bytes).toString("hex");
}

const bits = fc.array(fc.boolean(), { minLength: PICTURES, maxLength: PICTURES });

const run = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    member: fc.constantFrom(...MEMBERS),
    seed: fc.integer({ min: 1, max: 3 }),
  })
  .chain((which) =>
    bits.map((answers): Run => {
      const right = answers.filter(Boolean).length;
      return { ...SIZES, ...which, epochs: 1, params: 0, pictures: PICTURES, right, rightHex: hexOf(answers) };
    }),
  );
/** Any part of a study. */
const study = fc.uniqueArray(run, { minLength: 1, selector: ({ kind, member, seed }) => `${kind} ${member} ${seed}` });

describe("the summary of a study", () => {
  it("reads the bits that training writes", () => {
    fc.assert(
      fc.property(bits, (answers) => {
        expect([...rightBits({ rightHex: hexOf(answers), pictures: PICTURES })]).toEqual(answers.map(Number));
      }),
    );
  });

  it("has every run once, and pairs with standard of the same kind and seed", () => {
    fc.assert(
      fc.property(study, (runs) => {
        const summaries = summarise(runs);
        expect(summaries.reduce((sum, { accuracies }) => sum + accuracies.length, 0)).toBe(runs.length);
        for (const { kind, member, accuracies, pairs } of summaries) {
          const standards = runs.filter((r) => r.kind === kind && r.member === "standard");
          const shared = accuracies.filter(({ seed }) => standards.some((r) => r.seed === seed));
          expect(pairs.map(({ seed }) => seed)).toEqual(member === "standard" ? [] : shared.map(({ seed }) => seed));
          for (const { seed, gain, onlyThis, onlyStandard } of pairs) {
            const own = accuracies.find((a) => a.seed === seed)!.percent;
            const theirs = (100 * standards.find((r) => r.seed === seed)!.right) / PICTURES;
            expect(gain).toBeCloseTo(own - theirs, 9);
            expect(((onlyThis - onlyStandard) * 100) / PICTURES).toBeCloseTo(gain, 9);
          }
        }
      }),
    );
  });

  it("draws a dot a run, whatever part of the study is there", () => {
    fc.assert(
      fc.property(study, (runs) => {
        const chart = studyChart(summarise(runs), "a script");
        const inKey = 3;
        expect(chart.match(/<circle /g)!.length).toBe(runs.length + inKey);
        expect(chart).not.toMatch(/NaN|Infinity|undefined/);
      }),
      { numRuns: 30 },
    );
  });

  it("pools deviations over groups of several seeds", () => {
    const summary = (...percents: number[]) => ({
      ...summarise([
        {
          ...SIZES,
          kind: "vit",
          member: "standard",
          seed: 1,
          epochs: 1,
          params: 0,
          pictures: 8,
          right: 0,
          rightHex: "00",
        },
      ])[0]!,
      accuracies: percents.map((percent, i) => ({ seed: i + 1, percent })),
    });
    expect(deviation([3])).toBeUndefined();
    expect(deviation([1, 3])).toBeCloseTo(Math.SQRT2, 12);
    expect(mean([1, 2, 6])).toBe(3);
    expect(pooledDeviation([summary(5), summary(7)])).toBe(0);
    // Sums of squares 2 and 8 with 1 and 2 degrees of freedom.
    expect(pooledDeviation([summary(1, 3), summary(0, 2, 4), summary(9)])).toBeCloseTo(Math.sqrt(10 / 3), 12);
  });
});
