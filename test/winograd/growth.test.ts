import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { worstCaseChannels } from "../../src/quantization/accumulator.ts";
import { wrapping } from "../../src/winograd/arithmetic.ts";
import { type AlgorithmId, nestedOf } from "../../src/winograd/catalogue.ts";
import {
  bits,
  channelLimits,
  directChannels,
  growth,
  inputIntermediateBits,
  NINE_BITS,
} from "../../src/winograd/growth.ts";
import type { FormKind } from "../../src/winograd/integer-form.ts";
import { apply, filterPlanes, inputPlanes } from "../../src/winograd/nested.ts";
import { transforms } from "../../src/winograd/transforms.ts";

test("two's complement", () => {
  expect([
    bits({ low: -128, high: 127 }),
    bits({ low: -127, high: 128 }),
    bits({ low: 0, high: 0 }),
    bits({ low: -1, high: 0 }),
  ]).toEqual([8, 9, 1, 1]);
});

/** the reference notes, section 4: input gain, max, bits; filter gain, max, bits; largest product and its bits; bits of 9-bit data. */
const GROWTH: [AlgorithmId, FormKind, number[], number[], [number, number], [number, number]][] = [
  ["f2x2-3x3", "scaled", [4, 512, 10], [9, 1143, 12], [585_216, 21], [11, 13]],
  ["f4x4-3x3-rational", "scaled", [100, 12768, 15], [576, 73152, 18], [932_688_000, 31], [16, 19]],
  ["f4x4-3x3-rational", "row-normalised", [100, 12768, 15], [49, 6223, 14], [28_563_570, 26], [16, 15]],
  ["f4x4-3x3-complex", "scaled", [16, 2048, 12], [16, 2032, 12], [2_340_864, 23], [13, 13]],
  ["f4x4-3x3-complex", "row-normalised", [16, 2048, 12], [9, 1143, 12], [2_340_864, 23], [13, 13]],
];

test.each(GROWTH)("growth of %s, %s", (id, form, input, filter, product, nine) => {
  const nested = nestedOf(id, { form });
  const found = growth(nested);
  expect(Object.values(found.input)).toEqual(input);
  expect(Object.values(found.filter)).toEqual(filter);
  expect([found.largestProduct, found.productBits]).toEqual(product);
  expect(found.fitsInt16).toBe(filter[2]! <= 16);
  const wide = growth(nested, { input: NINE_BITS, filter: NINE_BITS });
  expect([wide.input.bits, wide.filter.bits]).toEqual(nine);
});

test("the worst cases are reached: some tile and some filter give the largest factor", () => {
  for (const [id, form, [, largestInput], [, largestFilter]] of GROWTH) {
    const nested = nestedOf(id, { form });
    const reached = (rows: readonly (readonly number[])[], low: number): number =>
      Math.max(
        ...rows.flatMap((row) =>
          [1, -1].map((s) =>
            Math.abs(
              apply(
                [row],
                row.map((c) => (s * c > 0 ? low : 127)),
              )[0]!,
            ),
          ),
        ),
      );
    expect(reached(inputPlanes(nested), -128)).toBe(largestInput);
    expect(reached(filterPlanes(nested), -127)).toBe(largestFilter);
  }
});

test("Karatsuba sums add nothing to the input, and at most 9 (row-normalised) or 12 (4G) to the filter", () => {
  for (const [form, most] of [["row-normalised", 9] as const, ["scaled", 12] as const]) {
    const nested = nestedOf("f4x4-3x3-complex", { form });
    const { inputs, filters } = growth(nested);
    for (const [p, { left, right }] of nested.planes.entries()) {
      if (left === "a+b") expect(inputs[p]!.gain).toBeLessThanOrEqual(16);
      if (right === "d-c" || right === "c+d") expect(filters[p]!.gain).toBeLessThanOrEqual(most);
    }
  }
});

test("no intermediate value of an input transform leaves int16", () => {
  const width = (id: AlgorithmId): number => inputIntermediateBits(transforms(nestedOf(id)));
  expect(
    ["f2x2-3x3", "f4x4-3x3-complex", "f4x4-3x3-rational", "f2x2-5x5-complex"].map((id) => width(id as AlgorithmId)),
  ).toEqual([10, 12, 15, 12]);
});

test("gain and bits of each tap, complex row-normalised", () => {
  const nested = nestedOf("f4x4-3x3-complex", { form: "row-normalised" });
  const { filters } = growth(nested);
  const edge = (j: number): boolean => j === 0 || j === 5;
  for (const [p, { row, column, right }] of nested.planes.entries()) {
    const complex = [row, column].filter((j) => j === 3 || j === 4).length;
    const edges = [row, column].filter(edge).length;
    const sum = right !== "c" && right !== "u";
    const expected =
      complex === 2
        ? sum
          ? [9, 12]
          : [5, 11]
        : complex === 1
          ? edges === 1
            ? sum
              ? [3, 10]
              : [2, 9]
            : sum
              ? [9, 12]
              : [6, 11]
          : [
              [9, 12],
              [3, 10],
              [1, 8],
            ][edges]!;
    expect([filters[p]!.gain, filters[p]!.bits], `tap ${row},${column} ${right}`).toEqual(expected);
  }
});

test("doublings absorbed by the filter: 24 * 127 = 3048, 13 bits", () => {
  const { filter } = growth(nestedOf("f4x4-3x3-complex", { form: "scaled", doubling: "filter" }));
  expect(filter).toEqual({ gain: 24, largest: 3048, bits: 13 });
});

describe("what does not fit int16", () => {
  test("rational F(6x6,3x3): rows of B^T have gain up to 15, the input 225 before denominators are cleared", () => {
    const { BT } = nestedOf("f6x6-3x3-rational").vertical.algorithm;
    const gains = BT.map((row) => row.reduce((sum, z) => sum + Math.abs(Number(z.re)) / Number(z.den), 0));
    expect(Math.max(...gains)).toBe(15);
    expect(growth(nestedOf("f6x6-3x3-rational")).input.bits).toBeGreaterThan(16);
  });

  test("complex F(6x6,3x3): Karatsuba sums of gain 400", () => {
    const { input, fitsInt16 } = growth(nestedOf("f6x6-3x3-complex"));
    expect([input.gain, fitsInt16]).toEqual([400, false]);
  });

  test("rational F(2x2,5x5): filters of gain 961 in either form; the complex one fits", () => {
    for (const form of ["scaled", "row-normalised"] as const) {
      expect(growth(nestedOf("f2x2-5x5-rational", { form })).filter).toEqual({ gain: 961, largest: 122_047, bits: 18 });
    }
    expect(growth(nestedOf("f2x2-5x5-complex")).fitsInt16).toBe(true);
  });
});

describe("channel limits of the reference notes, section 5", () => {
  const limits = (id: AlgorithmId, form: FormKind, magnitudes = {}): number[] =>
    Object.values(channelLimits(nestedOf(id, { form }), magnitudes));

  test("inputs at -128, filters at +-127", () => {
    expect(directChannels(9)).toBe(14_678);
    expect(limits("f2x2-3x3", "scaled")).toEqual([3669, 3669, 3669]);
    expect(limits("f4x4-3x3-complex", "scaled")).toEqual([917, 917, 917]);
    expect(limits("f4x4-3x3-rational", "row-normalised")).toEqual([74, 25, 229]);
    expect(limits("f4x4-3x3-rational", "scaled")).toEqual([2, 25, 229]);
  });

  test("filters at -128", () => {
    const magnitudes = { weight: 128 };
    expect(directChannels(9, magnitudes)).toBe(14_563);
    expect(limits("f2x2-3x3", "scaled", magnitudes)[1]).toBe(3640);
    expect(limits("f4x4-3x3-complex", "scaled", magnitudes)[1]).toBe(910);
    expect(limits("f4x4-3x3-rational", "row-normalised", magnitudes).slice(1)).toEqual([25, 227]);
  });

  test("9-bit inputs", () => {
    const magnitudes = { input: 255 };
    expect(limits("f2x2-3x3", "scaled", magnitudes)[1]).toBe(1841);
    expect(limits("f4x4-3x3-complex", "scaled", magnitudes)[1]).toBe(460);
    expect(limits("f4x4-3x3-rational", "row-normalised", magnitudes)[2]).toBe(115);
  });

  test("the accumulator rules of quantization say the same", () => {
    const { result } = nestedOf("f4x4-3x3-complex");
    expect(Number(result.scale)).toBe(16);
    for (const scale of [1, 4, 16, 64]) {
      expect(worstCaseChannels({ taps: 9, scale })).toBe(directChannels(9, {}, scale));
    }
  });
});

describe("wrapping is harmless while scale * Y, without its odd part, fits int32", () => {
  const CASES: { id: AlgorithmId; form: FormKind; doubling?: "filter"; wraps: boolean }[] = [
    { id: "f2x2-3x3", form: "scaled", wraps: false },
    { id: "f4x4-3x3-complex", form: "scaled", wraps: false },
    { id: "f4x4-3x3-complex", form: "scaled", doubling: "filter", wraps: true },
    { id: "f4x4-3x3-rational", form: "row-normalised", wraps: true },
    { id: "f4x4-3x3-rational", form: "scaled", wraps: true },
    { id: "f2x2-5x5-complex", form: "scaled", doubling: "filter", wraps: true },
  ];

  test.each(CASES)("%j: any tap driven to its extremes in every channel", ({ wraps, ...choice }) => {
    const found = transforms(nestedOf(choice.id, choice));
    const { result, planes, vertical } = found.nested;
    const { n, r, m } = vertical.algorithm;
    const [input, filter] = [inputPlanes(found.nested), filterPlanes(found.nested)];
    const limit = channelLimits(found.nested).oddUndone;
    const data = fc.record({
      plane: fc.nat(planes.length - 1),
      channels: fc.integer({ min: Math.floor(limit / 4), max: limit }),
      sign: fc.constantFrom(1, -1),
      // Where the data does not follow the tap's signs, so that outputs differ.
      odd: fc.array(fc.nat(n * n - 1), { maxLength: 3 }),
    });
    // Every tap in the most channels: few draws come near enough to wrap, and none must.
    const examples = planes.flatMap((_, plane) =>
      [1, -1].map((sign): [{ plane: number; channels: number; sign: number; odd: number[] }] => [
        { plane, channels: limit, sign, odd: [] },
      ]),
    );
    let wrapped = 0;
    fc.assert(
      fc.property(data, ({ plane, channels, sign, odd }) => {
        const d = input[plane]!.map((c, i) => (odd.includes(i) ? i : sign * c > 0 ? -128 : 127));
        const g = filter[plane]!.map((c) => (c > 0 ? -127 : 127));
        const V = apply(input, d);
        const sums = apply(filter, g).map((u, p) => channels * u * V[p]!);
        if (sums.some((s) => Math.abs(s) > 2 ** 31)) wrapped++;
        const scaled = found.output(
          sums.map((s) => s | 0),
          wrapping,
        );
        for (const [i, y] of scaled.entries()) {
          let direct = 0;
          for (const [t, w] of g.entries()) {
            direct += w * d[(Math.floor(i / m) + Math.floor(t / r)) * n + (i % m) + (t % r)]!;
          }
          expect(Math.imul(y, result.inverse) >> result.shift).toBe(channels * direct);
        }
      }),
      { numRuns: 200 + examples.length, examples },
    );
    expect(wrapped > 0).toBe(wraps);
  });

  test("data matched to tap (3, 3) makes the rational accumulators wrap, and the result is exact", () => {
    const found = transforms(nestedOf("f4x4-3x3-rational"));
    const { result, planes } = found.nested;
    const [input, filter] = [inputPlanes(found.nested), filterPlanes(found.nested)];
    const p = planes.findIndex(({ row, column }) => row === 3 && column === 3);
    const d = input[p]!.map((c) => (c > 0 ? -128 : 127));
    const g = new Array<number>(9).fill(-127);
    for (const [channels, wraps] of [
      [75, false],
      [76, true],
      [100, true],
      [229, true],
    ] as const) {
      const V = apply(input, d);
      const sums = apply(filter, g).map((u, i) => channels * u * V[i]!);
      expect(Math.abs(sums[p]!) >= 2 ** 31).toBe(wraps);
      const Y = found
        .output(
          sums.map((s) => s | 0),
          wrapping,
        )
        .map((y) => Math.imul(y, result.inverse) >> result.shift);
      const direct = Array.from({ length: 16 }, (_, i) => {
        const at = (t: number): number => (Math.floor(i / 4) + Math.floor(t / 3)) * 6 + (i % 4) + (t % 3);
        return channels * g.reduce((sum, w, t) => sum + w * d[at(t)]!, 0);
      });
      expect(Y).toEqual(direct);
    }
  });

  test("one channel past the limit fails", () => {
    for (const { id, form } of CASES) {
      const found = transforms(nestedOf(id, { form }));
      const { n, r } = found.nested.vertical.algorithm;
      const channels = channelLimits(found.nested).oddUndone + 1;
      const V = apply(inputPlanes(found.nested), new Array<number>(n * n).fill(-128));
      const U = apply(filterPlanes(found.nested), new Array<number>(r * r).fill(-127));
      const sums = U.map((u, p) => (channels * u * V[p]!) | 0);
      const { inverse, shift } = found.nested.result;
      const y = Math.imul(found.output(sums, wrapping)[0]!, inverse) >> shift;
      expect(y).not.toBe(channels * r * r * 128 * 127);
    }
  });
});
