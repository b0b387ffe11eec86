/**
 * Section 5 of the reference notes, what growth.test.ts and accumulator.test.ts do not already hold: limits reached and passed by data,
 * the rule by the real weights, blocks, and the dot instruction. Figures are those of the notes, which mark them as derived there.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accumulatorRange,
  largestMagnitude,
  winogradSafe,
  worstCaseChannels,
} from "../../src/quantization/accumulator.ts";
import { wrapping } from "../../src/winograd/arithmetic.ts";
import { type AlgorithmId, type NestedChoice, nestedOf } from "../../src/winograd/catalogue.ts";
import { runDirect } from "../../src/winograd/counting.ts";
import { channelLimits, directChannels, growth, NINE_BITS } from "../../src/winograd/growth.ts";
import { apply, filterPlanes, inputPlanes, outputPlanes } from "../../src/winograd/nested.ts";
import { transforms } from "../../src/winograd/transforms.ts";
import { random } from "../_helpers/random.ts";

const INT32 = 2 ** 31 - 1;

/** Worst case for |x| <= 128 as the notes bound it, and what int8 data, which reaches -128 but not 128, really allows. */
const NO_WRAP: [AlgorithmId, NestedChoice, { bound: number; reached: number }][] = [
  ["f2x2-3x3", { form: "scaled" }, { bound: 3669, reached: 3669 }],
  ["f4x4-3x3-complex", { form: "scaled" }, { bound: 917, reached: 917 }],
  ["f4x4-3x3-complex", { form: "row-normalised" }, { bound: 917, reached: 917 }],
  // Not in the notes, which leave the doubling to the output: with it in the filter products are larger, and accumulators wrap earlier.
  ["f4x4-3x3-complex", { form: "scaled", doubling: "filter" }, { bound: 688, reached: 690 }],
  // 74 is for tap (3, 3), gains 36 and 49, and |x| <= 128; no int8 tile gets there, as half of those 36 need +128.
  ["f4x4-3x3-rational", { form: "row-normalised" }, { bound: 74, reached: 75 }],
  ["f4x4-3x3-rational", { form: "scaled" }, { bound: 2, reached: 2 }],
];

test.each(NO_WRAP)("no accumulator of %s, %j wraps: %j channels", (id, choice, { bound, reached }) => {
  const nested = nestedOf(id, choice);
  expect(channelLimits(nested).noWrap).toBe(bound);
  expect(Math.floor(INT32 / growth(nested).largestProduct)).toBe(reached);
  // That product is the product of real data: the tile and the filter that follow the signs of one plane's coefficients.
  const filters = filterPlanes(nested);
  const products = inputPlanes(nested).flatMap((row, p) =>
    [1, -1].map((s) => {
      const d = row.map((c) => (s * c > 0 ? -128 : 127));
      const g = filters[p]!.map((c) => (c > 0 ? -127 : 127));
      return Math.abs(apply([row], d)[0]! * apply([filters[p]!], g)[0]!);
    }),
  );
  const largest = Math.max(...products);
  expect(reached * largest).toBeLessThanOrEqual(INT32);
  expect((reached + 1) * largest).toBeGreaterThan(INT32);
});

test("direct: 14,678 channels at the extremes sum exactly, one more wraps", () => {
  const sum = (ic: number): number =>
    runDirect(
      { height: 3, width: 3, ic, oc: 1 },
      [3, 3],
      new Int8Array(9 * ic).fill(-128),
      new Int8Array(9 * ic).fill(-127),
    ).output[0]!;
  expect(directChannels(9)).toBe(14_678);
  expect(sum(14_678)).toBe(9 * 128 * 127 * 14_678);
  expect(sum(14_679)).toBeLessThan(0);
});

/** One tile with every value at its extreme, summed over channels modulo 2^32: scale * Y as int32 holds it. */
function extreme(id: AlgorithmId, choice: NestedChoice, channels: number): { scaled: number; direct: number } {
  const found = transforms(nestedOf(id, choice));
  const { n, r } = found.nested.vertical.algorithm;
  const V = apply(inputPlanes(found.nested), new Array<number>(n * n).fill(-128));
  const U = apply(filterPlanes(found.nested), new Array<number>(r * r).fill(-127));
  const sums = U.map((u, p) => (channels * u * V[p]!) | 0);
  return { scaled: found.output(sums, wrapping)[0]!, direct: channels * 9 * 128 * 127 };
}

describe("inputs at -128 and filters at -127: the last channel count that fits, and the next", () => {
  test.each([
    ["f2x2-3x3", { form: "scaled" }, 4, 3669],
    ["f4x4-3x3-complex", { form: "scaled" }, 16, 917],
    ["f4x4-3x3-rational", { form: "row-normalised" }, 576, 25],
    ["f4x4-3x3-rational", { form: "scaled" }, 576, 25],
  ] as const)("%s, %j, scale %i: %i, wrap-tolerant", (id, choice, scale, channels) => {
    expect(channelLimits(nestedOf(id, choice)).wrapTolerant).toBe(channels);
    const last = extreme(id, choice, channels);
    expect(last.scaled).toBe(scale * last.direct);
    const next = extreme(id, choice, channels + 1);
    expect(next.scaled).not.toBe(scale * next.direct);
  });

  test.each([{ form: "row-normalised" }, { form: "scaled" }] as const)(
    "rational, %j: 229 with the 9 undone by 954437177 and then an arithmetic shift by 6",
    (choice) => {
      const undone = (channels: number): [number, number] => {
        const { scaled, direct } = extreme("f4x4-3x3-rational", choice, channels);
        return [Math.imul(scaled, 954_437_177) >> 6, direct];
      };
      const [found, direct] = undone(229);
      expect(found).toBe(direct);
      const [next, wanted] = undone(230);
      expect(next).not.toBe(wanted);
    },
  );
});

test("954437177 divides every multiple of 9 exactly, modulo 2^32", () => {
  expect(Math.imul(9, 954_437_177)).toBe(1);
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: INT32 }), (k) => {
      expect(Math.imul(Math.imul(9, k), 954_437_177)).toBe(k);
    }),
  );
});

test("the output transform is exact modulo 2^32 for any int32 sums, whatever wraps on the way", () => {
  const cases: [AlgorithmId, NestedChoice][] = NO_WRAP.map(([id, choice]) => [id, choice]);
  for (const [id, choice] of cases) {
    const found = transforms(nestedOf(id, choice));
    const matrix = outputPlanes(found.nested);
    const size = found.nested.planes.length;
    const sums = fc.array(fc.integer({ min: -(2 ** 31), max: INT32 }), { minLength: size, maxLength: size });
    fc.assert(
      fc.property(sums, (M) => {
        const wanted = matrix.map((row) =>
          Number(
            BigInt.asIntN(
              32,
              row.reduce((sum, c, p) => sum + BigInt(c) * BigInt(M[p]!), 0n),
            ),
          ),
        );
        expect(found.output(M, wrapping)).toEqual(wanted);
      }),
      { numRuns: 20 },
    );
  }
});

describe("rule 1: the real weights decide", () => {
  test("safe if scale * max|x| * sum|w| < 2^31, to the last weight", () => {
    const sum = Math.ceil(2 ** 31 / (16 * 128)) - 1;
    const weights = (total: number): Int8Array =>
      Int8Array.from({ length: Math.ceil(total / 127) }, (_, i) => Math.min(127, total - 127 * i));
    expect(sum).toBe(1_048_575);
    expect(winogradSafe(largestMagnitude(accumulatorRange(weights(sum), 1)), 16)).toBe(true);
    expect(winogradSafe(largestMagnitude(accumulatorRange(weights(sum + 1), 1)), 16)).toBe(false);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 1, maxLength: 40 }), (some) => {
        // Repeated until the rule is close to its edge.
        const total = some.reduce((s, w) => s + Math.abs(w), 0) || 1;
        const times = Math.floor(sum / total);
        const tiled = Int8Array.from({ length: some.length * Math.min(times, 2000) }, (_, i) => some[i % some.length]!);
        expect(winogradSafe(largestMagnitude(accumulatorRange(tiled, 1)), 16)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("Gaussian weights scaled to a maximum of 127: mean |w| near a quarter of it, roughly 4 times the channels", () => {
    const next = random(11);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    // Filters of 64 channels, 64 of them, each scaled by its own maximum as quantisation does.
    const filters = Array.from({ length: 64 }, () => {
      const values = Array.from({ length: 9 * 64 }, normal);
      const largest = Math.max(...values.map(Math.abs));
      return values.map((x) => Math.round((x / largest) * 127));
    });
    const means = filters.map((w) => w.reduce((sum, x) => sum + Math.abs(x), 0) / w.length / 127);
    const mean = means.reduce((sum, x) => sum + x, 0) / means.length;
    expect(mean).toBeGreaterThan(0.22);
    expect(mean).toBeLessThan(0.28);
    const all = Int8Array.from(filters.flat());
    const safe = (channels: number): boolean =>
      winogradSafe(
        largestMagnitude(
          accumulatorRange(
            Int8Array.from({ length: 9 * channels }, (_, i) => all[i % all.length]!),
            1,
          ),
        ),
        16,
      );
    let [low, high] = [917, 10 * 917];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (safe(middle)) low = middle;
      else high = middle;
    }
    expect(worstCaseChannels({ taps: 9, scale: 16 })).toBe(917);
    expect(low / 917).toBeGreaterThan(3.6);
    expect(low / 917).toBeLessThan(4.6);
  });
});

test.each([
  ["f2x2-3x3", {}, 8000],
  ["f4x4-3x3-complex", {}, 2000],
  ["f4x4-3x3-complex", { doubling: "filter" }, 2000],
  ["f4x4-3x3-rational", { form: "row-normalised" }, 1000],
] as const)(
  "rule 2: %s, %j: blocks of channels, each through the output transform, added as int32",
  (id, choice, ic) => {
    const found = transforms(nestedOf(id, choice));
    const { n, r, m } = found.nested.vertical.algorithm;
    const { inverse, shift } = found.nested.result;
    const block = channelLimits(found.nested).oddUndone;
    const d = new Array<number>(n * n).fill(-128);
    const g = Array.from({ length: r * r }, (_, t) => (t % 2 === 0 ? -127 : -126));
    const V = apply(inputPlanes(found.nested), d);
    const U = apply(filterPlanes(found.nested), g);
    const through = (channels: number): number[] =>
      found
        .output(
          U.map((u, p) => (channels * u * V[p]!) | 0),
          wrapping,
        )
        .map((y) => Math.imul(y, inverse) >> shift);
    const total = new Array<number>(m * m).fill(0);
    for (let first = 0; first < ic; first += block) {
      for (const [i, y] of through(Math.min(block, ic - first)).entries()) total[i] = (total[i]! + y) | 0;
    }
    const direct = ic * g.reduce((sum, w) => sum - 128 * w, 0);
    expect(total).toEqual(new Array<number>(m * m).fill(direct));
    expect(through(ic)).not.toEqual(total);
  },
);

describe("i32x4.dot_i16x8_s", () => {
  /** One lane: two int16 products, added modulo 2^32. */
  const dot = (a: readonly [number, number], b: readonly [number, number]): number =>
    (Math.imul(a[0], b[0]) + Math.imul(a[1], b[1])) | 0;

  test("overflows in one case only: both products (-32768)^2", () => {
    const low = -(2 ** 15);
    expect(dot([low, low], [low, low])).toBe(-(2 ** 31));
    expect(dot([low, low], [low, low + 1])).toBe(2 * 2 ** 30 - 2 ** 15);
    expect(dot([low, low], [32767, 32767])).toBe(2 * low * 32767);
  });

  test("which no form that fits int16 reaches, with int8 or 9-bit values on either side, weights at -128 included", () => {
    const full = { low: -128, high: 127 };
    for (const ranges of [{}, { filter: full }, { input: NINE_BITS }, { input: NINE_BITS, filter: NINE_BITS }]) {
      for (const [id, choice] of NO_WRAP) {
        const { input, filter, largestProduct, fitsInt16 } = growth(nestedOf(id, choice), ranges);
        if (!fitsInt16) {
          expect([id, choice]).toEqual(["f4x4-3x3-rational", { form: "scaled" }]);
          continue;
        }
        expect(input.largest).toBeLessThan(2 ** 15);
        expect(filter.largest).toBeLessThan(2 ** 15);
        expect(2 * largestProduct).toBeLessThan(2 ** 31);
      }
    }
  });
});
