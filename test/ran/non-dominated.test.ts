import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nonDominated, type State } from "../../src/ran/non-dominated.ts";

const small = fc.record({
  cost: fc.integer({ min: 0, max: 6 }),
  params: fc.integer({ min: 0, max: 6 }),
  macs: fc.integer({ min: 0, max: 6 }),
  units: fc.integer({ min: 0, max: 6 }),
});
const wide = fc.record({
  cost: fc.double({ min: 0, max: 1, noNaN: true }),
  params: fc.nat(1e6),
  macs: fc.nat(1e9),
  units: fc.nat(1e7),
});
const states = fc.oneof(fc.array(small, { maxLength: 80 }), fc.array(wide, { maxLength: 80 }));

const asGood = (a: State, b: State): boolean =>
  a.cost <= b.cost && a.params <= b.params && a.macs <= b.macs && a.units >= b.units;
const key = ({ cost, params, macs, units }: State): string => [cost, params, macs, units].join();

/** Every state against every other; one of each that are equal. */
function oracle(all: readonly State[]): string[] {
  const kept = all.filter((a) => !all.some((b) => asGood(b, a) && !asGood(a, b)));
  return [...new Set(kept.map(key))].sort();
}

describe("nonDominated", () => {
  it("keeps what a comparison of all pairs keeps, by rising cost", () => {
    fc.assert(
      fc.property(states, (all) => {
        const { kept, exact } = nonDominated(all, Number.POSITIVE_INFINITY);
        expect(exact).toBe(true);
        expect(kept.map(key).sort()).toEqual(oracle(all));
        expect(kept.map((s) => s.cost)).toEqual(kept.map((s) => s.cost).sort((a, b) => a - b));
      }),
    );
  });

  it("of equal states keeps the first", () => {
    const state = { cost: 1, params: 1, macs: 1, units: 1 };
    const [first, second] = [{ ...state }, { ...state }];
    expect(nonDominated([first, second], 4).kept[0]).toBe(first);
  });

  it("coarsened, keeps at most as many as asked, all of them non-dominated, the extremes and a cheapest among them", () => {
    fc.assert(
      fc.property(states, fc.integer({ min: 4, max: 20 }), (all, most) => {
        const exact = nonDominated(all, Number.POSITIVE_INFINITY).kept;
        const { kept, exact: whole } = nonDominated(all, most);
        expect(whole).toBe(exact.length <= most);
        expect(kept.length).toBeLessThanOrEqual(most);
        expect(kept.every((s) => exact.includes(s))).toBe(true);
        const bests = (some: readonly State[]) => [
          Math.min(...some.map((s) => s.cost)),
          Math.min(...some.map((s) => s.params)),
          Math.min(...some.map((s) => s.macs)),
          Math.max(...some.map((s) => s.units)),
        ];
        expect(bests(kept)).toEqual(bests(exact));
        expect(nonDominated(all, most).kept).toEqual(kept);
      }),
    );
  });
});
