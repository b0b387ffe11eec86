import { describe, expect, test } from "vitest";
import { type AlgorithmId, chooseF32, chooseS8, requireNamed } from "../../src/kernels/convolution/choice.ts";
import { relativeTime } from "../../src/kernels/convolution/cost.ts";
import { CHANNELS, RELATIVE_TIME } from "../../src/kernels/convolution/cost-table.ts";
import { WINOGRAD_ALGORITHMS, winogradKernel } from "../../src/kernels/winograd/algorithms.ts";
import { ROW_TABLE } from "../../src/kernels/winograd/rows.ts";

const layer = (ic: number, oc: number, size = 3, stride = 1) => ({ ic, oc, kh: size, kw: size, stride });

test("the ids that are written out are those of the kernels", () => {
  const written: Readonly<Record<AlgorithmId, true>> = {
    direct: true,
    "f2x2-3x3": true,
    "f4x4-3x3-complex": true,
    "f4x4-3x3-rational": true,
    "f4x4-3x3-half": true,
    "f2x2-5x5-complex": true,
    "f2x2-5x5-rational": true,
    "f1x4-5x5-rational": true,
  };
  const known = new Set(["direct", ROW_TABLE.algorithm, ...WINOGRAD_ALGORITHMS.map(({ algorithm }) => algorithm)]);
  expect(Object.keys(written).sort()).toEqual([...known].sort());
});

describe("the measured table", () => {
  test("has every int8 algorithm over the whole grid", () => {
    const ids = WINOGRAD_ALGORITHMS.filter(({ dtype }) => dtype === "s8").map(({ algorithm }) => algorithm);
    expect(Object.keys(RELATIVE_TIME).sort()).toEqual([...ids, "f1x4-5x5-rational"].sort());
    for (const grid of Object.values(RELATIVE_TIME)) {
      expect(grid).toHaveLength(CHANNELS.length);
      for (const row of grid) {
        expect(row).toHaveLength(CHANNELS.length);
        for (const time of row) expect(time).toBeGreaterThan(0);
      }
    }
  });

  test("is read off at its points, between them in between, and beyond it at its end", () => {
    const complex = winogradKernel("s8", "f4x4-3x3-complex")!;
    const grid = RELATIVE_TIME["f4x4-3x3-complex"];
    for (const [i, ic] of CHANNELS.entries()) {
      for (const [o, oc] of CHANNELS.entries())
        expect(relativeTime(complex, layer(ic, oc))).toBeCloseTo(grid[i]![o]!, 9);
    }
    const [a, b] = [relativeTime(complex, layer(16, 16)), relativeTime(complex, layer(32, 16))];
    const between = relativeTime(complex, layer(24, 16));
    expect(between).toBeGreaterThanOrEqual(Math.min(a, b));
    expect(between).toBeLessThanOrEqual(Math.max(a, b));
    expect(relativeTime(complex, layer(5000, 16))).toBe(relativeTime(complex, layer(512, 16)));
  });

  test("tiles that hang over cost as much as full ones", () => {
    const complex = winogradKernel("s8", "f4x4-3x3-complex")!;
    const shape = layer(64, 64);
    expect(relativeTime(complex, shape, [56, 56])).toBeCloseTo(relativeTime(complex, shape), 12);
    expect(relativeTime(complex, shape, [5, 5]) / relativeTime(complex, shape)).toBeCloseTo(64 / 25, 9);
  });
});

describe("the choice of an int8 algorithm", () => {
  test("direct where nothing else applies", () => {
    for (const shape of [layer(64, 64, 3, 2), layer(64, 64, 1), layer(64, 64, 7)]) {
      const reason = "no int8 Winograd kernel for this kernel and stride";
      expect(chooseS8("auto", shape)).toEqual({ algorithm: "direct", reason });
      expect(chooseS8("winograd", shape).algorithm).toBe("direct");
    }
  });

  test("direct for a single input channel, by the table; Winograd only if asked for", () => {
    expect(chooseS8("auto", layer(1, 16))).toMatchObject({ algorithm: "direct", reason: /times as long/ });
    expect(chooseS8("winograd", layer(1, 16)).algorithm).not.toBe("direct");
  });

  test("the fastest that is exact, without weights by the worst case", () => {
    const limits: Record<string, number> = {
      "f4x4-3x3-rational": 115,
      "f4x4-3x3-complex": 460,
      "f4x4-3x3-half": 1841,
      "f2x2-3x3": 1841,
    };
    for (const ic of [16, 64, 115, 116, 230, 460, 461, 918, 1841]) {
      const { algorithm, reason } = chooseS8("auto", layer(ic, 128));
      expect(limits[algorithm], `${ic} channels`).toBeGreaterThanOrEqual(ic);
      expect(reason).toMatch(
        new RegExp(`^exact to ${limits[algorithm]} channels at any zero point; .*x the speed of direct`),
      );
      const times = Object.entries(limits)
        .filter(([, limit]) => limit >= ic)
        .map(([id]) => relativeTime(winogradKernel("s8", id)!, layer(ic, 128)));
      expect(relativeTime(winogradKernel("s8", algorithm)!, layer(ic, 128))).toBe(Math.min(...times));
    }
    expect(chooseS8("auto", layer(4000, 128)).reason).toMatch(/sums in blocks/);
  });

  test("by the sums of the real weights, which admit more channels", () => {
    const ic = 5000;
    const data = (weight: number) => ({
      weights: new Int8Array(9 * ic * 16).fill(weight),
      bias: new Int32Array(16),
      inputZeroPoint: 0,
      ic,
      oc: 16,
    });
    expect(chooseS8("auto", layer(ic, 16), { layer: data(30) }).reason).toMatch(/^exact by the sums of its weights; /);
    expect(chooseS8("auto", layer(ic, 16), { layer: data(127) }).reason).toMatch(
      /^its weights need sums in blocks of channels; /,
    );
  });

  test("never a rational F(4x4) with scaled filters", () => {
    for (const ic of [16, 64, 128]) {
      const { algorithm } = chooseS8("winograd", layer(ic, ic), { filterScaling: { bits: 9, granularity: "tap" } });
      expect(["f4x4-3x3-complex", "f2x2-3x3"]).toContain(algorithm);
    }
  });

  test("with scaled filters one whose sums stay within int32, or direct; the reason says that it is not exact", () => {
    const filterScaling = { bits: 9, granularity: "tap" } as const;
    const of = (ic: number, weight: number, bias = 0) =>
      chooseS8("winograd", layer(ic, 16), {
        filterScaling,
        layer: {
          weights: new Int8Array(9 * ic * 16).fill(weight),
          bias: new Int32Array(16).fill(bias),
          inputZeroPoint: 0,
          ic,
          oc: 16,
        },
      });
    expect(of(64, 127)).toMatchObject({
      algorithm: "f4x4-3x3-complex",
      reason: /^filters of 9 bits \(tap\), not exact; /,
    });
    // 16 times the sum would leave int32, 4 times it does not.
    expect(of(1000, 127).algorithm).toBe("f2x2-3x3");
    expect(of(64, 127, 2 ** 30)).toEqual({ algorithm: "direct", reason: "with scaled filters sums could leave int32" });
    expect(chooseS8("f2x2-3x3", layer(64, 64), { filterScaling }).reason).toBe(
      "asked for; filters of 9 bits (tap), not exact",
    );
  });

  test("one by name where it applies, direct elsewhere", () => {
    expect(chooseS8("f2x2-3x3", layer(128, 128))).toEqual({ algorithm: "f2x2-3x3", reason: "asked for" });
    expect(chooseS8("f2x2-3x3", layer(128, 128, 5)).algorithm).toBe("direct");
    expect(() => requireNamed("f2x2-3x3", "s8", layer(1, 1, 5))).toThrow(
      expect.objectContaining({ code: "ERR_UNSUPPORTED" }),
    );
    expect(() => requireNamed("winograd", "s8", layer(1, 1, 5))).not.toThrow();
  });
});

test("f32 is direct unless asked for otherwise", () => {
  expect(chooseF32("auto", layer(64, 64)).algorithm).toBe("direct");
  // 36 products as the other rational one, and a smaller error.
  expect(chooseF32("winograd", layer(64, 64)).algorithm).toBe("f4x4-3x3-half");
  expect(chooseF32("winograd", layer(64, 64, 5)).algorithm).toBe("f2x2-5x5-rational");
  expect(chooseF32("winograd", layer(64, 64, 7)).algorithm).toBe("direct");
  expect(chooseF32("f4x4-3x3-complex", layer(64, 64)).algorithm).toBe("f4x4-3x3-complex");
});
