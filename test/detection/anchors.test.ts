import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANCHORS_PER_CELL, baseAnchors, gridAnchors } from "../../src/detection/anchors.ts";
import { unpack } from "./boxes.ts";

describe("baseAnchors", () => {
  it("has torchvision's fifteen, all sizes of a ratio together", () => {
    // Half sides by the definition: width = size / sqrt(ratio), height = size * sqrt(ratio). None of these is near a half.
    const half = [32, 64, 128, 256, 512].map((size) => size / 2);
    const expected = [0.5, 1, 2].flatMap((ratio) =>
      half.map((h) => [Math.round(h / Math.sqrt(ratio)), Math.round(h * Math.sqrt(ratio))]),
    );
    expect(unpack(baseAnchors())).toEqual(expected.map(([x, y]) => [-x!, -y!, x, y]));
    expect(unpack(baseAnchors()).slice(0, 2)).toEqual([
      [-23, -11, 23, 11],
      [-45, -23, 45, 23],
    ]);
    expect(ANCHORS_PER_CELL).toBe(15);
  });

  it("rounds halves to even", () => {
    expect(unpack(baseAnchors([33, 35, 1, 3], [1])).map(([, , x]) => x)).toEqual([16, 18, 0, 2]);
  });

  it("refuses what is no size or ratio", () => {
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => baseAnchors([bad])).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
      expect(() => baseAnchors([32], [bad])).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
    expect(() => baseAnchors([])).toThrow("sizes: expected numbers from 1/16384 to 16384, got []");
  });
});

describe("gridAnchors", () => {
  it("puts every base anchor at every cell's corner, in the order of an RPN's outputs", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 31 }),
        (rows, columns, more) => {
          const base = baseAnchors();
          const input = { width: columns * 32 + more, height: rows * 32 };
          const anchors = unpack(gridAnchors([rows, columns, 1], input, base));
          const stride = Math.floor(input.width / columns);
          for (let y = 0; y < rows; y++) {
            for (let x = 0; x < columns; x++) {
              for (const [a, [x1, y1, x2, y2]] of unpack(base).entries()) {
                const expected = [x1 + x * stride, y1 + y * 32, x2 + x * stride, y2 + y * 32];
                expect(anchors[(y * columns + x) * ANCHORS_PER_CELL + a]).toEqual(expected);
              }
            }
          }
          expect(anchors.length).toBe(rows * columns * ANCHORS_PER_CELL);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("refuses a map finer than the input", () => {
    expect(() => gridAnchors([2, 4, 1], { width: 3, height: 9 })).toThrow(
      "map: expected no more cells than the input has pixels, 3 x 9, got 4 x 2",
    );
    expect(() => gridAnchors([0, 4, 1], { width: 3, height: 9 })).toThrow(
      "map: expected whole sides from 1, got 4 x 0",
    );
  });
});
