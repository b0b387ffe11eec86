import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConvolutionCall } from "../../src/kernels/convolution/call.ts";
import { chooseS8 } from "../../src/kernels/convolution/choice.ts";
import { convGeometry } from "../../src/kernels/convolution/geometry.ts";
import { PackedConvolution } from "../../src/kernels/convolution/packed.ts";
import type { ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { ROW_TABLE } from "../../src/kernels/winograd/rows.ts";
import { conv2dS8 } from "../../src/reference/conv2d-s8.ts";
import { isCorrelation } from "../../src/winograd/algorithm.ts";
import { rowAlgorithm } from "../../src/winograd/rows.ts";
import { int8Values, runConvolution } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const runs = process.env.WASMOGRAD_SLOW ? 600 : 80;
const { algorithm } = ROW_TABLE;

const layer = (ic: number, oc: number, weights: Int8Array, extra: Partial<ConvSpecS8> = {}): ConvSpecS8 => ({
  dtype: "s8",
  ic,
  oc,
  kh: 5,
  kw: 5,
  stride: 1,
  weights,
  bias: new Int32Array(oc),
  multipliers: new Float32Array(oc).fill(2 ** -13),
  inputZeroPoint: 0,
  outputZeroPoint: 0,
  qmin: -128,
  qmax: 127,
  algorithm,
  ...extra,
});

function expected(
  spec: ConvSpecS8,
  shape: readonly [number, number, number],
  padding: "same" | "valid",
  x: Int8Array,
  residual?: Int8Array,
) {
  const { oc, ic, weights, residual: added, negativeMultipliers, ...options } = spec;
  const lost = padding === "same" ? 0 : 4;
  const map = residual && { shape: [shape[0] - lost, shape[1] - lost, oc], data: residual };
  return conv2dS8({ shape, data: x }, { shape: [oc, 5, 5, ic], weights }, {
    ...options,
    padding,
    ...(negativeMultipliers && { negativeMultipliers }),
    ...(added && map && { residual: { ...added, map } }),
  } as never).data;
}

test("the matrices are the algorithm's: its scale is 2^shift times an odd number, and it correlates", () => {
  const { algorithm: derived, form, result } = rowAlgorithm();
  expect(isCorrelation(derived)).toBe(true);
  expect(form.scale).toBe(360n);
  expect([result.shift, result.odd]).toEqual([ROW_TABLE.shift, 45n]);
  expect(ROW_TABLE.filter).toEqual(form.G.map((row) => row.map((x) => x.toNumber())));
});

describe("convolution by F(4,5) along rows", () => {
  test("equals the oracle bit for bit, any size and channel count", () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          height: fc.integer({ min: 1, max: 11 }),
          width: fc.oneof(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 28, max: 70 })),
          ic: fc.oneof(fc.constantFrom(1, 8, 16), fc.integer({ min: 1, max: 21 })),
          oc: fc.oneof(fc.constantFrom(1, 4), fc.integer({ min: 1, max: 20 })),
          padding: fc.constantFrom("same" as const, "valid" as const),
          inputZeroPoint: fc.constantFrom(-128, -7, 0, 127),
          extreme: fc.boolean(),
          sum: fc.boolean(),
        }),
        ({ seed, height, width, ic, oc, padding, inputZeroPoint, extreme, sum }) => {
          fc.pre(padding === "same" || (height >= 5 && width >= 5));
          const ends = (values: Int8Array, low: number): Int8Array => values.map((v) => (v < 0 ? low : 127));
          const raw = int8Values(seed, oc * 25 * ic, -127);
          const values = int8Values(seed + 1, height * width * ic);
          const x = extreme ? ends(values, -128) : values;
          const bias = Int32Array.from(int8Values(seed + 2, oc), (v) => v * 1000);
          const multipliers = Float32Array.from(int8Values(seed + 3, oc, 1), (v) => v / 50);
          const spec = layer(ic, oc, extreme ? ends(raw, -127) : raw, {
            inputZeroPoint,
            bias,
            outputZeroPoint: 3,
            ...(sum && { residual: { broadcast: false, zeroPoint: -9, multipliers } }),
          });
          const shape = [height, width, ic] as const;
          const pixels = padding === "same" ? height * width : (height - 4) * (width - 4);
          const residual = sum ? int8Values(seed + 4, pixels * oc) : undefined;
          const kernel = runConvolution(kernels, spec, shape, padding, x, residual);
          expect(kernel).toEqual(expected(spec, shape, padding, x, residual));
        },
      ),
      { numRuns: runs },
    );
  });

  test("with slopes, a residual and a clamp as direct convolution has them", () => {
    const [height, width, ic, oc] = [7, 37, 16, 4];
    const shape = [height, width, ic] as const;
    const x = int8Values(2, height * width * ic);
    const residual = int8Values(3, height * width * oc);
    const spec = layer(ic, oc, int8Values(1, oc * 25 * ic, -127), {
      negativeMultipliers: Float32Array.of(2 ** -14, 2 ** -12, -(2 ** -13), 0),
      residual: { broadcast: false, zeroPoint: 4, multipliers: Float32Array.of(0.37, 0.125, 2.1, 0.9) },
      qmin: -100,
      qmax: 90,
    });
    const direct = runConvolution(kernels, { ...spec, algorithm: "direct" }, shape, "same", x, residual);
    expect(runConvolution(kernels, spec, shape, "same", x, residual)).toEqual(direct);
  });

  test("any cut into row ranges gives the rows of the whole", () => {
    const [height, width, ic, oc] = [19, 41, 16, 4];
    const spec = layer(ic, oc, int8Values(1, oc * 25 * ic, -127), { inputZeroPoint: 11 });
    const { memory } = kernels;
    const packed = new PackedConvolution(kernels, spec);
    const call = new ConvolutionCall(kernels, packed, convGeometry([height, width, ic], oc, [5, 5], 1, "same"));
    const x = memory.allocate(height * width * ic);
    const y = memory.allocate(height * width * oc);
    const scratch = memory.allocate(call.scratchBytes);
    memory.i8.set(int8Values(2, height * width * ic), x);
    call.bind(x, y, 0, scratch);
    call.run();
    const whole = memory.i8.slice(y, y + height * width * oc);
    for (const cuts of [
      [0, 1, 19],
      [0, 4, 8, 19],
      [0, 5, 6, 13, 18, 19],
    ]) {
      memory.i8.fill(99, y, y + height * width * oc);
      for (const [i, end] of cuts.slice(1).entries()) call.run(cuts[i]!, end);
      expect(memory.i8.slice(y, y + height * width * oc)).toEqual(whole);
    }
    call.dispose();
    packed.dispose();
    for (const pointer of [x, y, scratch]) memory.free(pointer);
  });

  // 2^3 * 25 * 128 * 127 * 660 < 2^31 <= that of 661 channels.
  test("at the limit of 660 channels of the largest values, and not beyond", () => {
    const shape = [6, 6, 660] as const;
    const x = new Int8Array(6 * 6 * 660).fill(-128);
    const spec = layer(660, 1, new Int8Array(25 * 660).fill(127), { multipliers: Float32Array.of(2 ** -21) });
    expect(runConvolution(kernels, spec, shape, "same", x)).toEqual(expected(spec, shape, "same", x));
    const wide = layer(661, 1, new Int8Array(25 * 661).fill(127));
    expect(() => new PackedConvolution(kernels, wide)).toThrow(
      "algorithm: f1x4-5x5-rational is exact to sums below 2^28, got 268630400",
    );
  });
});

test("is chosen for few outputs of a 5x5 kernel where its sums fit, and refuses what it cannot", () => {
  const shape = (oc: number, kernel = 5) => ({ ic: 16, oc, kh: kernel, kw: kernel, stride: 1 });
  expect(chooseS8("auto", shape(4)).algorithm).toBe(algorithm);
  expect(chooseS8("auto", shape(64)).algorithm).toBe("f2x2-5x5-complex");
  expect(chooseS8(algorithm, shape(4)).algorithm).toBe(algorithm);
  expect(chooseS8(algorithm, shape(4, 3)).algorithm).toBe("direct");
  const data = { weights: new Int8Array(25 * 16).fill(1), oc: 1, ic: 16, inputZeroPoint: 0 };
  const heavy = { ...data, bias: Int32Array.of(2 ** 28) };
  expect(chooseS8("auto", shape(1), { layer: heavy }).algorithm).not.toBe(algorithm);
  const scaling = { bits: 9, granularity: "tap" } as const;
  expect(chooseS8("auto", shape(4), { filterScaling: scaling }).algorithm).not.toBe(algorithm);
  const spec = layer(16, 4, int8Values(1, 4 * 25 * 16, -127));
  expect(() => new PackedConvolution(kernels, { ...spec, filterScaling: scaling })).toThrow(/filterScaling: f1x4-5x5/);
  expect(() => new PackedConvolution(kernels, { ...spec, stride: 2 })).toThrow(
    "algorithm: f1x4-5x5-rational needs a 5x5 kernel with stride 1, got 5x5 with stride 2",
  );
});
