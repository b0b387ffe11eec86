import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WasmogradError } from "../../src/errors.ts";
import { CATALOGUE, nestedOf } from "../../src/winograd/catalogue.ts";
import {
  checkFilterScaling,
  type FilterScaling,
  GRANULARITIES,
  type Granularity,
  roundHalfEven,
  scaleFilters,
  smallestShift,
} from "../../src/winograd/filter-scaling.ts";
import { gain } from "../../src/winograd/growth.ts";
import { apply, filterPlanes, type Nested } from "../../src/winograd/nested.ts";
import { integers } from "../_helpers/random.ts";

const runs = process.env.WASMOGRAD_SLOW ? 1000 : 100;

/** What scaleFilters is defined by, in the words of its documentation. */
const fits = (largest: number, shift: number, bits: number): boolean =>
  roundHalfEven(largest / 2 ** shift) <= 2 ** (bits - 1) - 1;

describe("rounding and shifts", () => {
  test("halves go to the even neighbour, the rest to the nearest", () => {
    const found = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 190.5, 0.49, 0.51, -0.51, 7].map(roundHalfEven);
    expect(found).toEqual([0, 2, 2, 0, -2, -2, 190, 0, 1, -1, 7]);
    const integer = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
    fc.assert(
      fc.property(integer, fc.double({ min: -0.499, max: 0.499, noNaN: true }), (n, part) => {
        expect(roundHalfEven(n + part)).toBe(n + 0);
        expect(roundHalfEven(n + 0.5)).toBe(n % 2 === 0 ? n + 0 : n + 1);
      }),
    );
  });

  test("the shift is the smallest that fits", () => {
    const largest = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 20 }),
      // Around the halves where the rounding decides.
      fc.tuple(fc.integer({ min: 7, max: 16 }), fc.nat(4), fc.nat(8)).map(([e, s, d]) => (2 ** e - 1) * 2 ** s + d),
    );
    fc.assert(
      fc.property(largest, fc.integer({ min: 8, max: 16 }), (most, bits) => {
        const shift = smallestShift(most, bits);
        expect(fits(most, shift, bits)).toBe(true);
        if (shift > 0) expect(fits(most, shift - 1, bits)).toBe(false);
      }),
    );
    expect([255, 256, 510, 511, 512].map((most) => smallestShift(most, 9))).toEqual([0, 1, 1, 2, 2]);
  });
});

/** Weights within +-127, transformed: [oc][ic][planes]. */
function transform(nested: Nested, weights: readonly number[]): number[] {
  const rows = filterPlanes(nested);
  const taps = rows[0]!.length;
  const filters = Array.from({ length: weights.length / taps }, (_, i) => weights.slice(i * taps, (i + 1) * taps));
  return filters.flatMap((filter) => apply(rows, filter));
}

const gainsOf = (nested: Nested): number[] => filterPlanes(nested).map(gain);

const NESTED = CATALOGUE.flatMap(({ id }) =>
  (["scaled", "row-normalised"] as const).flatMap((form) =>
    (["output", "filter"] as const).map((doubling) => nestedOf(id, { form, doubling })),
  ),
);

const layers = fc
  .record({
    nested: fc.constantFrom(...NESTED),
    outputChannels: fc.integer({ min: 1, max: 3 }),
    inputChannels: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(),
    /** Small weights leave small shifts; at 127 signs only, which is where the worst cases are. */
    largest: fc.constantFrom(1, 5, 40, 127),
    bits: fc.integer({ min: 8, max: 16 }),
  })
  .map(({ nested, outputChannels, inputChannels, seed, largest, bits }) => {
    const { r } = nested.vertical.algorithm;
    const drawn = integers(seed, outputChannels * inputChannels * r * r, largest === 127 ? 1 : 2 * largest);
    const weights = drawn.map((x) => (largest === 127 ? 254 * x - 127 : x - largest));
    const transformed = Float64Array.from(transform(nested, weights));
    const shape = { outputChannels, inputChannels, planes: nested.planes.length };
    return { transformed, shape, gains: gainsOf(nested), bits };
  });

describe("every algorithm, form and granularity", () => {
  test("values fit their bits and are half a step from the filter at most; shifts are the smallest of their group", () => {
    fc.assert(
      fc.property(layers, fc.constantFrom(...GRANULARITIES), ({ transformed, shape, gains, bits }, granularity) => {
        const { values, shifts } = scaleFilters(transformed, shape, { bits, granularity }, { gains });
        const { outputChannels, inputChannels, planes } = shape;
        expect([values.length, shifts.length]).toEqual([transformed.length, planes * outputChannels]);
        const largest = new Array<number>(planes * outputChannels).fill(0);
        for (const [i, u] of transformed.entries()) {
          const [p, o] = [i % planes, Math.floor(i / planes / inputChannels)];
          const at = p * outputChannels + o;
          largest[at] = Math.max(largest[at]!, Math.abs(u));
          const step = 2 ** shifts[at]!;
          if (Math.abs(values[i]!) > 2 ** (bits - 1) - 1) expect.fail(`${values[i]} does not fit ${bits} bits`);
          if (values[i] !== roundHalfEven(u / step)) expect.fail(`${u} / ${step} -> ${values[i]}`);
        }
        const group: Record<Granularity, (at: number) => number> = {
          static: () => 127 * Math.max(...gains),
          "static-tap": (at) => 127 * gains[Math.floor(at / outputChannels)]!,
          layer: () => Math.max(...largest),
          tap: (at) => {
            const first = at - (at % outputChannels);
            return Math.max(...largest.slice(first, first + outputChannels));
          },
          "tap-channel": (at) => largest[at]!,
        };
        const wanted = largest.map((_, at) => smallestShift(group[granularity](at), bits));
        expect([...shifts]).toEqual(wanted);
      }),
      { numRuns: runs },
    );
  });

  test("a finer granularity never needs a larger shift, nor do the layer's filters than the worst ones", () => {
    fc.assert(
      fc.property(layers, ({ transformed, shape, gains, bits }) => {
        const shiftsOf = (granularity: Granularity): Uint8Array =>
          scaleFilters(transformed, shape, { bits, granularity }, { gains }).shifts;
        const pairs = [
          ["static-tap", "static"],
          ["layer", "static"],
          ["tap", "static-tap"],
          ["tap", "layer"],
          ["tap-channel", "tap"],
        ] as const;
        for (const [fine, coarse] of pairs) {
          const limit = shiftsOf(coarse);
          expect(shiftsOf(fine).every((shift, at) => shift <= limit[at]!)).toBe(true);
        }
      }),
      { numRuns: runs / 2 },
    );
  });
});

describe("static shifts of the complex F(4x4,3x3)", () => {
  const form = "scaled";
  const doubled = nestedOf("f4x4-3x3-complex", { form, doubling: "filter" });
  const plain = nestedOf("f4x4-3x3-complex", { form, doubling: "output" });

  /** The one shift, and the largest value stored for the worst filter of any plane. */
  function staticOf(nested: Nested, bits: number): [shift: number, largest: number] {
    const worst = filterPlanes(nested).flatMap((row) => row.map((c) => 127 * Math.sign(c)));
    const planes = nested.planes.length;
    const shape = { outputChannels: planes, inputChannels: 1, planes };
    const scaling = { bits, granularity: "static" } as const;
    const transformed = Int32Array.from(transform(nested, worst));
    const { values, shifts } = scaleFilters(transformed, shape, scaling, { gains: gainsOf(nested) });
    expect(new Set(shifts).size).toBe(1);
    return [shifts[0]!, Math.max(...values.map(Math.abs))];
  }

  test("gains: 16 at most for real entries and c, 12 for d-c and c+d, twice that of pairs where the filter doubles", () => {
    const gains = (nested: Nested) =>
      Object.fromEntries(
        (["u", "c", "d-c", "c+d"] as const).map((right) => [
          right,
          Math.max(...gainsOf(nested).filter((_, p) => nested.planes[p]!.right === right)),
        ]),
      );
    expect(gains(plain)).toEqual({ u: 16, c: 8, "d-c": 12, "c+d": 12 });
    expect(gains(doubled)).toEqual({ u: 16, c: 16, "d-c": 24, "c+d": 24 });
  });

  test("13 bits to 9 by the 4 bits of the result's scale, pairs doubled; 12 to 8 otherwise", () => {
    expect(doubled.result.shift).toBe(4);
    // 3048 / 16 = 190.5 and 2032 / 16 = 127.
    expect(staticOf(doubled, 9)).toEqual([4, 190]);
    expect(staticOf(plain, 8)).toEqual([4, 127]);
  });

  test("where 4 would waste bits it is smaller, where 4 would overflow larger", () => {
    expect(staticOf(plain, 9)).toEqual([3, 254]);
    expect(staticOf(doubled, 8)).toEqual([5, 95]);
    expect(staticOf(doubled, 13)).toEqual([0, 3048]);
    expect(staticOf(plain, 12)).toEqual([0, 2032]);
  });
});

test("nothing is lost in the bits that the worst case needs", () => {
  const nested = nestedOf("f4x4-3x3-complex", { form: "scaled", doubling: "filter" });
  const weights = integers(1, 4 * 5 * 9, 254).map((x) => x - 127);
  const transformed = Int32Array.from(transform(nested, weights));
  const shape = { outputChannels: 4, inputChannels: 5, planes: 46 };
  for (const granularity of GRANULARITIES) {
    const { values, shifts } = scaleFilters(transformed, shape, { bits: 13, granularity }, { gains: gainsOf(nested) });
    expect([...values]).toEqual([...transformed]);
    expect(shifts.every((shift) => shift === 0)).toBe(true);
  }
});

test("one shift a tap stands for the same filters in every form of the complex F(4x4,3x3), whose rows differ by powers of two", () => {
  const weights = integers(2, 3 * 6 * 9, 254).map((x) => x - 127);
  const shape = { outputChannels: 3, inputChannels: 6, planes: 46 };
  const relative = (nested: Nested, { bits, granularity }: FilterScaling): number[] => {
    const transformed = Int32Array.from(transform(nested, weights));
    const { values, shifts } = scaleFilters(transformed, shape, { bits, granularity }, { gains: gainsOf(nested) });
    const unit = gainsOf(nested);
    return [...values].map((v, i) => (v * 2 ** shifts[(i % 46) * 3 + Math.floor(i / 46 / 6)]!) / unit[i % 46]!);
  };
  for (const granularity of ["static-tap", "tap", "tap-channel"] as const) {
    const [first, ...others] = (["scaled", "row-normalised"] as const).flatMap((form) =>
      (["output", "filter"] as const).map((doubling) =>
        relative(nestedOf("f4x4-3x3-complex", { form, doubling }), { bits: 9, granularity }),
      ),
    );
    for (const other of others) expect(other).toEqual(first);
  }
});

describe("refused", () => {
  const refusal = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof WasmogradError) return `${error.code} ${error.message}`;
      throw error;
    }
    return "accepted";
  };

  test("scalings that are none, one line each", () => {
    const of = (x: unknown): string => refusal(() => checkFilterScaling(x));
    expect(of({ bits: 8, granularity: "static" })).toBe("accepted");
    expect(of({ bits: 16, granularity: "tap-channel" })).toBe("accepted");
    expect(of(undefined)).toBe("ERR_ARGUMENT filterScaling: expected an object, got undefined");
    const bits = "ERR_ARGUMENT filterScaling.bits: expected an integer from 8 to 16, got ";
    for (const wrong of [7, 17, 8.5, Number.NaN, "9", undefined]) {
      expect(of({ bits: wrong, granularity: "tap" })).toBe(`${bits}${wrong}`);
    }
    expect(of({ bits: 9, granularity: "channel" })).toBe(
      "ERR_ARGUMENT filterScaling.granularity: expected one of static, static-tap, layer, tap, tap-channel, got channel",
    );
    expect(of({ bits: 9 })).toMatch(/granularity: expected one of .*, got undefined$/);
  });

  test("arguments that do not belong together", () => {
    const scaling = { bits: 9, granularity: "static-tap" } as const;
    const shape = { outputChannels: 1, inputChannels: 2, planes: 2 };
    const of = (transformed: Int32Array | Float64Array, gains = [1, 9], largestWeight?: number): string =>
      refusal(() =>
        scaleFilters(transformed, shape, scaling, { gains, ...(largestWeight === undefined ? {} : { largestWeight }) }),
      );
    expect(of(Int32Array.of(127, 1143, -127, -1143))).toBe("accepted");
    expect(of(new Int32Array(3))).toBe("ERR_SHAPE transformed: expected 1 x 2 x 2 = 4 values, got 3");
    expect(of(new Int32Array(4), [1])).toBe("ERR_ARGUMENT gains: expected one a plane, 2, got 1");
    expect(of(Float64Array.of(0, 1, 0.5, 0))).toMatch(/^ERR_ARGUMENT transformed: expected integers .*, got 0.5 at 2$/);
    expect(of(Float64Array.of(0, Number.NaN, 0, 0))).toMatch(/got NaN at 1$/);
    expect(of(Float64Array.of(Number.POSITIVE_INFINITY, 0, 0, 0))).toMatch(/got Infinity at 0$/);
  });

  test("weights beyond the worst case that static shifts are chosen for, unless that is named", () => {
    const shape = { outputChannels: 1, inputChannels: 1, planes: 1 };
    const run = (granularity: Granularity, largestWeight?: number): string =>
      refusal(() => {
        const options = largestWeight === undefined ? {} : { largestWeight };
        scaleFilters(Int32Array.of(-128), shape, { bits: 8, granularity }, { gains: [1], ...options });
      });
    expect(run("static")).toBe(
      "ERR_ARGUMENT transformed: expected at most gain * largestWeight = 127 in plane 0, got 128",
    );
    expect(run("static", 128)).toBe("accepted");
    expect(run("tap")).toBe("accepted");
  });
});
