import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ConvNextSizes, type Stages, sizesOf, VARIANTS } from "../../src/models/convnext-sizes.ts";
import { countGelu, countMacs, countParams, massOf, measure, stagePixels, variantOf } from "../../src/ran/ran-i.ts";

/** Counts of a network by walking through its layers, with the values that a weight tensor has. */
function walked({ depths, dims }: ConvNextSizes, [height, width]: readonly [number, number], classes = 1000) {
  const counts = { params: 0, macs: 0, gelu: 0, mass: 0 };
  let [h, w, channels] = [height, width, 3];
  const norm = (c: number): void => void (counts.params += 2 * c);
  const conv = (to: number, kernel: number, stride: number, padding: number, groups = 1): void => {
    h = Math.floor((h + 2 * padding - kernel) / stride) + 1;
    w = Math.floor((w + 2 * padding - kernel) / stride) + 1;
    const weights = to * (channels / groups) * kernel ** 2;
    counts.params += weights + to;
    counts.macs += h * w * weights;
    channels = to;
  };
  for (let stage = 0; stage < 4; stage++) {
    if (stage === 0) conv(dims[0], 4, 4, 0);
    norm(channels);
    if (stage > 0) conv(dims[stage]!, 2, 2, 0);
    for (let block = 0; block < depths[stage]!; block++) {
      const c = channels;
      conv(c, 7, 1, 3, c);
      norm(c);
      conv(4 * c, 1, 1, 0);
      counts.gelu += h * w * 4 * c;
      conv(c, 1, 1, 0);
      counts.params += c;
      counts.mass += 2 * c;
    }
  }
  norm(channels);
  [h, w] = [1, 1];
  conv(classes, 1, 1, 0);
  return counts;
}

/** Python's round on what is not negative. */
function pythonRound(x: number): number {
  const below = Math.floor(x);
  if (x - below < 0.5) return below;
  if (x - below > 0.5) return below + 1;
  return below % 2 === 0 ? below : below + 1;
}

const variant = (id: string) => VARIANTS.find((v) => v.id === id)!;
const stages = (most: number) =>
  fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 1, max: most }))) as unknown as fc.Arbitrary<Stages>;

describe("named networks", () => {
  // Parameters and MACs of ConvNeXt: those of its authors' code; of RAN-i: the authors' checkpoints hold 16 bytes a parameter.
  test.each([
    ["convnext-t", 28_589_128, 4_455_531_264, 13_248],
    ["convnext-s", 50_223_688, 8_683_712_256, 27_072],
    ["convnext-b", 88_591_464, 15_354_729_472, 36_096],
    ["ran-i-t", 20_760_131, 3_284_745_947, 14_710],
    ["ran-i-s", 28_932_376, 4_576_926_994, 17_420],
    ["ran-i-b", 52_889_769, 8_428_689_053, 28_154],
  ])("%s: %i parameters, %i multiply-accumulates, NN-Mass %i", (id, params, macs, nnMass) => {
    expect(measure(variant(id), [224, 224])).toMatchObject({ params, macs, nnMass });
  });

  test.each([
    ["ran-i-t", [5, 5, 15, 5], [64, 128, 256, 511]],
    ["ran-i-s", [5, 5, 15, 5], [76, 151, 303, 606]],
    ["ran-i-b", [7, 7, 21, 7], [87, 175, 350, 699]],
  ])("%s has the released blocks and channels", (id, depths, dims) => {
    expect(variant(id)).toMatchObject({ depths, dims });
    expect(variantOf(sizesOf(variant(id).multipliers!))).toBe(variant(id));
  });

  test("no name for other sizes", () => {
    expect(variantOf(sizesOf({ width: 0.667, depth: 1.65 }))).toBeUndefined();
  });
});

test("counts are those of a walk through the layers, on any sizes and inputs", () => {
  const side = fc.integer({ min: 32, max: 300 });
  fc.assert(
    fc.property(
      stages(6),
      stages(40),
      fc.tuple(side, side),
      fc.integer({ min: 1, max: 50 }),
      (depths, dims, input, classes) => {
        const sizes = { depths, dims };
        const { params, macs, gelu, mass } = walked(sizes, input, classes);
        expect(countParams(sizes, classes)).toBe(params);
        expect(countMacs(sizes, input, classes)).toBe(macs);
        expect(countGelu(sizes, input)).toBe(gelu);
        expect(massOf(sizes)).toBe(mass);
      },
    ),
  );
});

test("twice the NN-Mass is the number of GELU channels", () => {
  fc.assert(
    fc.property(stages(30), stages(1000), (depths, dims) => {
      const channels = dims.reduce((sum, c, i) => sum + depths[i]! * 4 * c, 0);
      expect(2 * massOf({ depths, dims })).toBe(channels);
    }),
  );
});

describe("rounding", () => {
  test("is Python's", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.17, max: 30, noNaN: true }),
        fc.double({ min: 0.006, max: 30, noNaN: true }),
        (depth, width) => {
          const { depths, dims } = sizesOf({ depth, width });
          expect(depths).toEqual([3, 3, 9, 3].map((n) => pythonRound(n * depth)));
          expect(dims).toEqual([96, 192, 384, 768].map((n) => pythonRound(n * width)));
        },
      ),
    );
  });

  test("takes halves to even", () => {
    expect(sizesOf({ depth: 1.5, width: 1 }).depths).toEqual([4, 4, 14, 4]);
    expect(sizesOf({ depth: 0.5, width: 1 }).depths).toEqual([2, 2, 4, 2]);
    expect(sizesOf({ depth: 1, width: 6.5 / 96 }).dims).toEqual([6, 13, 26, 52]);
  });

  test.each([
    [{ width: 0.001, depth: 1 }, "width: expected more than 0.0052 and at most 1000, got 0.001"],
    [{ width: 1, depth: 1 / 6 }, "depth: expected more than 0.1667 and at most 1000, got 0.166"],
    [{ width: 1001, depth: 1 }, "width: expected more than 0.0052 and at most 1000, got 1001"],
    [{ width: Number.NaN, depth: 1 }, "got NaN"],
    [{ width: 1, depth: -1 }, "got -1"],
  ])("refuses %o", (multipliers, message) => {
    expect(() => sizesOf(multipliers)).toThrow(message);
  });
});

describe("inputs", () => {
  test("what 32 does not divide loses its last rows and columns", () => {
    expect(stagePixels([224, 224])).toEqual([56 ** 2, 28 ** 2, 14 ** 2, 7 ** 2]);
    expect(stagePixels([255, 63])).toEqual([63 * 15, 31 * 7, 15 * 3, 7]);
  });

  test.each([
    [[31, 224] as const, "input height"],
    [[224, 32.5] as const, "input width"],
  ])("refuses %o", (input, name) => {
    expect(() => countMacs(variant("ran-i-t"), input)).toThrow(`${name}: expected an integer from 32, got`);
  });

  test("refuses counts that a number does not hold", () => {
    expect(() => measure(variant("ran-i-b"), [2 ** 20, 2 ** 20])).toThrow("2^53");
  });
});
