import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAGIC_BITS } from "../../../src/kernels/convolution/params.ts";
import { instantiateLayerKernels } from "../../../src/kernels/layers/load.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { globalAverage, globalAverageS8, maxPool, subsample } from "../../../src/reference/pooling.ts";
import { floatValues, int8Values } from "../../_helpers/kernels.ts";
import { runF32, runS8, sameNumbers } from "../../_helpers/layers.ts";

const kernels = await instantiateKernels();
const { memory, exports } = await instantiateLayerKernels(kernels);
const real = (length: number): Float64Array => new Float64Array(length);
const f32 = (length: number): Float32Array => new Float32Array(length);
const s8 = (length: number): Int8Array => new Int8Array(length);

const int8 = fc.integer({ min: -128, max: 127 });
const channels = fc.oneof(fc.constantFrom(1, 3, 4, 16, 17, 64, 511), fc.integer({ min: 1, max: 40 }));
const skew = fc.integer({ min: 0, max: 3 });

describe("global average", () => {
  const meanBound = (x: Float32Array, width: number, c: number, exact: number): number => {
    let absolute = 0;
    for (let i = c; i < x.length; i += width) absolute += Math.abs(x[i]!);
    return 2 ** -24 * Math.abs(exact) + 2 ** -52 * absolute + 2 ** -149;
  };

  test("f32_global_average: as good as one rounding", () => {
    const average = (x: Float32Array, pixels: number, width: number, skew: number): void => {
      const call = ([from]: number[], to: number): void => exports.f32_global_average(from!, to, pixels, width);
      const y = runF32(memory, [x], width, call, { skew });
      const exact = globalAverage({ shape: [1, pixels, width], data: x }, real).data;
      for (const [c, e] of exact.entries()) {
        expect(Math.abs(y[c]! - e)).toBeLessThanOrEqual(meanBound(x, width, c, e));
      }
    };
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), channels, skew, (seed, pixels, width, skew) => {
        average(floatValues(seed, pixels * width), pixels, width, skew);
      }),
    );
    // A large mean over a picture: sums in binary32 would be off by far more.
    const x = floatValues(1, 112 * 112 * 3).map((v) => 1000 + v);
    average(x, 112 * 112, 3, 0);
  });

  test("qs8_global_average equals the oracle, over several blocks and at the ends of int8", () => {
    const limits = { qmin: fc.integer({ min: -128, max: 0 }), qmax: fc.integer({ min: 0, max: 127 }) };
    const cases = fc.record({
      seed: fc.nat(),
      pixels: fc.oneof(fc.constantFrom(1, 49, 255, 256, 257, 513), fc.integer({ min: 1, max: 80 })),
      width: channels,
      skew,
      zeroIn: int8,
      zeroPoint: int8,
      ratio: fc.constantFrom(0.31, 1, 2.7),
      fill: fc.constantFrom("random" as const, "extreme" as const, -128, 127),
      ...limits,
    });
    fc.assert(
      fc.property(cases, ({ seed, pixels, width, skew, zeroIn, zeroPoint, ratio, fill, qmin, qmax }) => {
        const random = int8Values(seed, pixels * width);
        const x = fill === "random" ? random : random.map((v) => (fill === "extreme" ? (v < 0 ? -128 : 127) : fill));
        const multiplier = Math.fround(ratio / pixels);
        const magicZero = MAGIC_BITS - zeroPoint;
        const call = ([from]: number[], to: number): void =>
          exports.qs8_global_average(from!, to, pixels, width, zeroIn, multiplier, magicZero, magicZero + qmin, qmax);
        const y = runS8(memory, [x], width, call, { skew });
        const map = { shape: [1, pixels, width], data: x } as const;
        expect(y).toEqual(globalAverageS8(map, zeroIn, multiplier, { zeroPoint, qmin, qmax }).data);
      }),
      { numRuns: 300 },
    );
  });
});

const anyPool = fc
  .record({
    seed: fc.nat(),
    height: fc.integer({ min: 1, max: 13 }),
    width: fc.integer({ min: 1, max: 13 }),
    width3: channels,
    kh: fc.integer({ min: 1, max: 4 }),
    kw: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    padTop: fc.integer({ min: 0, max: 3 }),
    padLeft: fc.integer({ min: 0, max: 3 }),
    after: fc.integer({ min: 0, max: 3 }),
    cut: fc.tuple(fc.nat(20), fc.nat(20)),
    skew,
  })
  .map(({ padTop, padLeft, after, width3, ...rest }) => {
    const pads = { padTop: Math.min(padTop, rest.kh - 1), padLeft: Math.min(padLeft, rest.kw - 1) };
    const size = (length: number, kernel: number, before: number): number =>
      Math.max(0, Math.floor((length + before + Math.min(after, kernel - 1) - kernel) / rest.stride) + 1);
    const output = [size(rest.height, rest.kh, pads.padTop), size(rest.width, rest.kw, pads.padLeft)] as const;
    return { ...rest, ...pads, channels: width3, output };
  })
  .filter(({ output: [oh, ow] }) => oh > 0 && ow > 0);

describe("max pool", () => {
  test.each(["f32", "s8"] as const)("%s_max_pool: any row range, of which only the rows it needs are there", (type) => {
    const bytes = type === "f32" ? 4 : 1;
    fc.assert(
      fc.property(anyPool, (c) => {
        const [oh, ow] = c.output;
        const begin = c.cut[0] % oh;
        const end = begin + 1 + (c.cut[1] % (oh - begin));
        const length = c.height * c.width * c.channels;
        const x = type === "f32" ? floatValues(c.seed, length) : int8Values(c.seed, length);
        if (x instanceof Float32Array) {
          for (const [i, special] of [Number.NaN, Infinity, -Infinity].entries()) {
            if ((c.seed >> i) & 1) x[(c.seed + i) % length] = special;
          }
        }
        const first = Math.max(0, begin * c.stride - c.padTop);
        const last = Math.max(first, Math.min(c.height, (end - 1) * c.stride - c.padTop + c.kh));
        const [rowIn, rowOut] = [c.width * c.channels, ow * c.channels];
        const held = x.slice(first * rowIn, last * rowIn);
        const call = ([from]: number[], to: number): void =>
          exports[`${type}_max_pool`](
            from! - first * rowIn * bytes,
            to - begin * rowOut * bytes,
            c.height,
            c.width,
            c.channels,
            c.kh,
            c.kw,
            c.stride,
            c.padTop,
            c.padLeft,
            begin,
            end,
            ow,
            rowIn * bytes,
            rowOut * bytes,
          );
        const windows = { ...c, kernel: [c.kh, c.kw] as const };
        const shape = [c.height, c.width, c.channels] as const;
        const rows = (data: Float32Array | Int8Array): Float32Array | Int8Array =>
          data.subarray(begin * rowOut, end * rowOut);
        const count = (end - begin) * rowOut;
        const [y, expected] =
          x instanceof Float32Array
            ? [
                runF32(memory, [held], count, call, { skew: c.skew }),
                rows(maxPool({ shape, data: x }, windows, f32).data),
              ]
            : [
                runS8(memory, [held], count, call, { skew: c.skew }),
                rows(maxPool({ shape, data: x }, windows, s8).data),
              ];
        expect(sameNumbers(y, expected)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("rows beyond 2^31 bytes from where row 0 would lie: addresses wrap", () => {
    const [rows, width] = [2 ** 20, 5];
    const x = int8Values(1, 3 * width);
    const stride = 4096;
    const begin = rows - 4;
    const call = ([from]: number[], to: number): void => {
      // Rows 4096 bytes apart would leave the buffer; one row of windows reads one row of the input.
      exports.s8_max_pool(
        from! - begin * stride,
        to - begin * width,
        rows,
        width,
        1,
        1,
        3,
        1,
        0,
        1,
        begin,
        begin + 1,
        width,
        stride,
        width,
      );
    };
    const y = runS8(memory, [x], width, call);
    const expected = Int8Array.from({ length: width }, (_, i) =>
      Math.max(...x.subarray(Math.max(0, i - 1), Math.min(width, i + 2))),
    );
    expect(y).toEqual(expected);
  });
});

describe("subsample", () => {
  const cases = fc.record({
    seed: fc.nat(),
    height: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 1, max: 7 }),
    inputs: channels,
    before: fc.integer({ min: 0, max: 21 }),
    behind: fc.integer({ min: 0, max: 21 }),
    stride: fc.integer({ min: 1, max: 3 }),
    zero: int8,
    skew,
  });

  test.each(["x32", "x8"] as const)("%s_subsample moves pixels between channels of zeros", (type) => {
    const bytes = type === "x32" ? 4 : 1;
    fc.assert(
      fc.property(cases, ({ seed, height, width, inputs, before, behind, stride, skew, ...c }) => {
        const out = before + inputs + behind;
        const [oh, ow] = [Math.ceil(height / stride), Math.ceil(width / stride)];
        const zero = type === "x32" ? 0 : c.zero;
        const call = ([from]: number[], to: number): void =>
          exports[`${type}_subsample`](
            from!,
            to,
            oh,
            ow,
            stride,
            inputs,
            out,
            before,
            width * inputs * bytes,
            ow * out * bytes,
            zero,
          );
        const shape = [height, width, inputs] as const;
        const options = { stride, channels: out, before, zero };
        const count = oh * ow * out;
        if (type === "x32") {
          const x = floatValues(seed, height * width * inputs);
          expect(runF32(memory, [x], count, call, { skew })).toEqual(subsample({ shape, data: x }, options, f32).data);
        } else {
          const x = int8Values(seed, height * width * inputs);
          expect(runS8(memory, [x], count, call, { skew })).toEqual(subsample({ shape, data: x }, options, s8).data);
        }
      }),
      { numRuns: 200 },
    );
  });
});
