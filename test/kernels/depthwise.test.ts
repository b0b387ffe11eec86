import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConvolutionCall } from "../../src/kernels/convolution/call.ts";
import { convGeometry } from "../../src/kernels/convolution/geometry.ts";
import { PackedConvolution } from "../../src/kernels/convolution/packed.ts";
import type { ConvSpecF32, ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import { loadKernels } from "../../src/kernels/kernels.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { conv2dReal } from "../../src/reference/conv2d-f32.ts";
import { accumulateS8, conv2dS8 } from "../../src/reference/conv2d-s8.ts";
import { both, type Case, fits, layer } from "../_helpers/conv-cases.ts";
import { floatValues, int8Values, runConvolution } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const runs = process.env.WASMOGRAD_SLOW ? 3000 : 250;
const f = Math.fround;

const channels = fc.oneof(fc.constantFrom(1, 3, 4, 16, 17, 511), fc.integer({ min: 1, max: 40 }));
const kernelSize = fc.oneof(fc.constantFrom(3, 5, 7), fc.integer({ min: 1, max: 7 }));
const zeroPoint = fc.oneof(fc.constantFrom(-128, 0, 127), fc.integer({ min: -128, max: 127 }));

const anyDepthwise: fc.Arbitrary<Case> = fc
  .record({
    seed: fc.nat(),
    height: fc.integer({ min: 1, max: 13 }),
    width: fc.oneof(fc.integer({ min: 1, max: 13 }), fc.constantFrom(32, 33, 67)),
    c: channels,
    kh: kernelSize,
    kw: kernelSize,
    stride: fc.constantFrom(1 as const, 2 as const),
    padding: fc.constantFrom("same" as const, "valid" as const),
    inputZeroPoint: zeroPoint,
    outputZeroPoint: zeroPoint,
    clamp: fc.constantFrom("none" as const, "relu" as const, "relu6" as const),
    slopes: fc.boolean(),
    residual: fc.constantFrom("none" as const, "none" as const, "full" as const, "one" as const),
    extreme: fc.boolean(),
  })
  .map(({ c, ...rest }) => ({ ...rest, ic: c, oc: c, depthwise: true }));

describe("int8 depthwise convolution", () => {
  test("equals the oracle bit for bit, any kernel, stride, padding and channel count", () => {
    fc.assert(
      fc.property(anyDepthwise, (c) => {
        fc.pre(fits(c));
        const { kernel, oracle } = both(kernels, c, "direct");
        expect(kernel).toEqual(oracle);
      }),
      { numRuns: runs },
    );
  });

  test("sums at the ends of what they can reach, kernels of all sizes and both strides", () => {
    for (const [kh, kw] of [
      [1, 1],
      [2, 3],
      [3, 3],
      [5, 5],
      [7, 7],
      [9, 2],
      [31, 31],
    ] as const) {
      for (const stride of [1, 2] as const) {
        for (const [x, w, zp] of [
          [-128, -127, 127],
          [-128, 127, 127],
          [127, 127, -128],
          [127, -127, -128],
        ] as const) {
          const shape = [34, 35, 5] as const;
          const input = new Int8Array(34 * 35 * 5).fill(x);
          const weights = new Int8Array(5 * kh * kw).fill(w);
          const common = { inputZeroPoint: zp, outputZeroPoint: 0, qmin: -128, qmax: 127, stride } as const;
          const bias = new Int32Array(5).fill(-5);
          // The largest sum comes out near the end of int8, so that an error in any of its high bits shows.
          const multipliers = new Float32Array(5).fill(120 / (255 * 127 * kh * kw));
          const spec: ConvSpecS8 = {
            dtype: "s8",
            ic: 5,
            oc: 5,
            kh,
            kw,
            depthwise: true,
            weights,
            bias,
            multipliers,
            algorithm: "direct",
            ...common,
          };
          const filter = { shape: [5, kh, kw, 1] as const, weights };
          const oracle = conv2dS8({ shape, data: input }, filter, {
            padding: "same",
            depthwise: true,
            bias,
            multipliers,
            ...common,
          });
          const kernel = runConvolution(kernels, spec, shape, "same", input);
          expect(kernel, `${kh}x${kw} stride ${stride} x ${x} w ${w}`).toEqual(oracle.data);
        }
      }
    }
  });
});

/** The kernel's own order of operations in binary32: bias, then rows, columns. */
function twin(
  [ih, iw, c]: readonly [number, number, number],
  g: ReturnType<typeof convGeometry>,
  x: Float32Array,
  w: Float32Array,
  bias: Float32Array,
  finish: (sum: number, channel: number, pixel: number) => number,
): Float32Array {
  const y = new Float32Array(g.oh * g.ow * c);
  for (let i = 0; i < y.length; i++) {
    const [pixel, o] = [Math.floor(i / c), i % c];
    const [oy, ox] = [Math.floor(pixel / g.ow), pixel % g.ow];
    let sum = bias[o]!;
    for (let t = 0; t < g.kh * g.kw; t++) {
      const iy = oy * g.stride + Math.floor(t / g.kw) - g.padTop;
      const ix = ox * g.stride + (t % g.kw) - g.padLeft;
      const inside = iy >= 0 && iy < ih && ix >= 0 && ix < iw;
      sum = f(sum + f((inside ? x[(iy * iw + ix) * c + o]! : 0) * w[o * g.kh * g.kw + t]!));
    }
    y[i] = finish(sum, o, pixel);
  }
  return y;
}

describe("f32 depthwise convolution", () => {
  test("the bits of the same sum in the same order", () => {
    fc.assert(
      fc.property(anyDepthwise, (c) => {
        fc.pre(fits(c));
        const { ic, kh, kw, stride, padding } = c;
        const shape = [c.height, c.width, ic] as const;
        const g = convGeometry(shape, ic, [kh, kw], stride, padding);
        const x = floatValues(c.seed, c.height * c.width * ic);
        const weights = floatValues(c.seed + 1, ic * kh * kw);
        const bias = floatValues(c.seed + 2, ic);
        const slopes = c.slopes ? floatValues(c.seed + 3, ic) : undefined;
        const residualChannels = c.residual === "one" ? 1 : ic;
        const residual = c.residual === "none" ? undefined : floatValues(c.seed + 4, g.oh * g.ow * residualChannels);
        const scale = c.seed % 2 === 0 && residualChannels === ic ? floatValues(c.seed + 5, ic) : undefined;
        const [minimum, maximum] =
          c.clamp === "none" ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [-0.25, 0.5];
        const spec: ConvSpecF32 = {
          dtype: "f32",
          ic,
          oc: ic,
          kh,
          kw,
          stride,
          depthwise: true,
          weights,
          bias,
          ...(slopes && { slopes }),
          minimum,
          maximum,
          algorithm: "direct",
          ...(residual && { residual: { broadcast: residualChannels < ic, ...(scale && { multipliers: scale }) } }),
        };
        const kernel = runConvolution(kernels, spec, shape, padding, x, residual);
        const expected = twin(shape, g, x, weights, bias, (sum, o, pixel) => {
          let t = slopes && sum < 0 ? f(sum * slopes[o]!) : sum;
          if (residual) t = f(t + f(residual[residualChannels === 1 ? pixel : pixel * ic + o]! * (scale?.[o] ?? 1)));
          return Math.min(maximum, Math.max(minimum, t));
        });
        // -0 and 0 are equal numbers; the kernel and Math.max may differ in which they return.
        expect(kernel.every((v, i) => v === expected[i])).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  test("infinities and NaN reach the pixels whose windows hold them, and no others", () => {
    for (const stride of [1, 2] as const) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const shape = [9, 11, 6] as const;
        const x = new Float32Array(9 * 11 * 6).fill(1);
        const at = (4 * 11 + 5) * 6 + 2;
        x[at] = bad;
        const spec: ConvSpecF32 = {
          dtype: "f32",
          ic: 6,
          oc: 6,
          kh: 3,
          kw: 3,
          stride,
          depthwise: true,
          weights: new Float32Array(54).fill(1),
          bias: new Float32Array(6),
          minimum: Number.NEGATIVE_INFINITY,
          maximum: Number.POSITIVE_INFINITY,
          algorithm: "direct",
        };
        const y = runConvolution(kernels, spec, shape, "same", x);
        const clean = runConvolution(kernels, spec, shape, "same", new Float32Array(x.length).fill(1));
        const g = convGeometry(shape, 6, [3, 3], stride, "same");
        for (const [i, v] of y.entries()) {
          const [oy, ox, c] = [Math.floor(i / 6 / g.ow), Math.floor(i / 6) % g.ow, i % 6];
          const [u, w] = [4 - (oy * stride - g.padTop), 5 - (ox * stride - g.padLeft)];
          const hit = c === 2 && u >= 0 && u < 3 && w >= 0 && w < 3;
          expect(v, `${oy},${ox},${c}`).toBe(hit ? bad : clean[i]);
        }
      }
    }
  });
});

test.each(["s8", "f32"] as const)(
  "%s: any cut into row ranges gives the rows of the whole, and writes no others",
  (dtype) => {
    for (const stride of [1, 2]) {
      const [h, w, c] = [19, 37, 21];
      const common = { ic: c, oc: c, kh: 5, kw: 3, stride, depthwise: true, algorithm: "direct" } as const;
      const spec: ConvSpecS8 | ConvSpecF32 =
        dtype === "s8"
          ? {
              dtype,
              ...common,
              weights: int8Values(1, c * 15, -127),
              bias: new Int32Array(c).fill(77),
              multipliers: new Float32Array(c).fill(2 ** -9),
              inputZeroPoint: 11,
              outputZeroPoint: -3,
              qmin: -128,
              qmax: 127,
            }
          : {
              dtype,
              ...common,
              weights: floatValues(1, c * 15),
              bias: floatValues(2, c),
              minimum: Number.NEGATIVE_INFINITY,
              maximum: Number.POSITIVE_INFINITY,
            };
      const bytes = dtype === "s8" ? 1 : 4;
      const { memory } = kernels;
      const packed = new PackedConvolution(kernels, spec);
      const geometry = convGeometry([h, w, c], c, [5, 3], stride, "same");
      const call = new ConvolutionCall(kernels, packed, geometry);
      const rowBytes = geometry.ow * c * bytes;
      const x = memory.allocate(h * w * c * bytes);
      const y = memory.allocate(geometry.oh * rowBytes);
      const scratch = memory.allocate(call.scratchBytes);
      if (dtype === "s8") memory.i8.set(int8Values(2, h * w * c), x);
      else memory.f32.set(floatValues(2, h * w * c), x >> 2);
      call.bind(x, y, 0, scratch);
      call.run();
      const output = (): Uint8Array => memory.u8.slice(y, y + geometry.oh * rowBytes);
      const whole = output();
      for (const cuts of [
        [0, geometry.oh],
        [0, 1, geometry.oh],
        [0, 3, 4, 9, geometry.oh],
      ]) {
        memory.u8.fill(99, y, y + geometry.oh * rowBytes);
        for (const [i, end] of cuts.slice(1).entries()) call.run(cuts[i]!, end);
        expect(output()).toEqual(whole);
      }
      memory.u8.fill(99, y, y + geometry.oh * rowBytes);
      call.run(3, 6);
      const part = output();
      expect(part.subarray(3 * rowBytes, 6 * rowBytes)).toEqual(whole.subarray(3 * rowBytes, 6 * rowBytes));
      expect(part.subarray(0, 3 * rowBytes).every((v) => v === 99)).toBe(true);
      expect(part.subarray(6 * rowBytes).every((v) => v === 99)).toBe(true);
      for (const pointer of [x, y, scratch]) memory.free(pointer);
      call.dispose();
      packed.dispose();
    }
  },
);

test("the oracle's depthwise sums are those of a full convolution whose other weights are zero", () => {
  const [h, w, c] = [5, 6, 4];
  const own = int8Values(3, c * 9, -127);
  const full = new Int8Array(c * 9 * c);
  for (const [i, v] of own.entries()) full[i * c + Math.floor(i / 9)] = v;
  const input = { shape: [h, w, c] as const, data: int8Values(4, h * w * c) };
  for (const stride of [1, 2]) {
    const options = { stride, padding: "same", inputZeroPoint: 7 } as const;
    const wide = { shape: [c, 3, 3, c] as const, weights: full };
    const narrow = { shape: [c, 3, 3, 1] as const, weights: own };
    expect(accumulateS8(input, narrow, { ...options, depthwise: true })).toEqual(accumulateS8(input, wide, options));
    const real = { shape: input.shape, data: Float64Array.from(input.data) };
    const make = (length: number): Float64Array => new Float64Array(length);
    const asReal = <T extends { weights: Int8Array }>(filter: T) => ({
      ...filter,
      weights: Float64Array.from(filter.weights),
    });
    expect(conv2dReal(real, asReal(narrow), { ...options, depthwise: true }, make)).toEqual(
      conv2dReal(real, asReal(wide), options, make),
    );
  }
  const bad = { shape: [3, 3, 3, 1] as const, weights: own };
  expect(() => accumulateS8(input, bad, { stride: 1, padding: "same", inputZeroPoint: 0, depthwise: true })).toThrow(
    /filter: expected 4 output channels, got 3/,
  );
});

describe("kernels.conv2d with groups", async () => {
  const api = await loadKernels();
  const [h, w, c] = [8, 9, 6];
  const options = {
    input: [h, w, c],
    kernel: [3, 3],
    groups: c,
    weights: int8Values(1, c * 9, -127),
    weightScales: new Float32Array(c).fill(0.001),
    inputQuantization: { scale: 0.02, zeroPoint: 5 },
    outputQuantization: { scale: 0.05, zeroPoint: -20 },
  } as const;

  test("as many as channels: depthwise, int8 and f32", () => {
    using conv = api.conv2d({ ...options, stride: 2 });
    expect(conv.outputShape).toEqual([4, 5, c]);
    expect([conv.algorithm, conv.reason]).toEqual(["direct", "depthwise convolutions are direct"]);
    expect(conv.kernel).toBe("qs8_dwconv2d_2x4x4");
    const x = int8Values(2, h * w * c);
    const oracle = conv2dS8(
      { shape: [h, w, c], data: x },
      { shape: [c, 3, 3, 1], weights: options.weights },
      {
        stride: 2,
        padding: "same",
        depthwise: true,
        inputZeroPoint: 5,
        multipliers: new Float32Array(c).fill((0.02 * Math.fround(0.001)) / 0.05),
        outputZeroPoint: -20,
        qmin: -128,
        qmax: 127,
      },
    );
    expect(conv.run(x)).toEqual(oracle.data);

    using real = api.conv2d({ input: [h, w, c], kernel: [3, 3], groups: c, weights: floatValues(3, c * 9) });
    expect([real.kernel, real.reason]).toEqual(["f32_dwconv2d_2x4x4", "depthwise convolutions are direct"]);
  });

  test("1, or one input channel: a full convolution", () => {
    using one = api.conv2d({ ...options, groups: 1, weights: int8Values(1, c * 9 * c, -127) });
    expect(one.kernel).toMatch(/^qs8_conv2d/);
    using single = api.conv2d({
      input: [h, w, 1],
      kernel: [3, 3],
      groups: 1,
      weights: floatValues(1, 18),
    });
    expect(single.outputShape).toEqual([h, w, 2]);
  });

  const bad: [string, object, string, RegExp][] = [
    ["between", { groups: 2 }, "ERR_UNSUPPORTED", /groups: expected 1 or the input's 6 channels, got 2/],
    ["none", { groups: 0 }, "ERR_UNSUPPORTED", /groups: expected 1 or the input's 6 channels, got 0/],
    ["text", { groups: "6" }, "ERR_UNSUPPORTED", /groups: expected 1 or the input's 6 channels, got 6/],
    [
      "a channel multiplier",
      { weights: new Int8Array(c * 18) },
      "ERR_UNSUPPORTED",
      /weights: expected 3\*3 values for each of 6 groups = 54, got 108/,
    ],
    ["weights", { weights: new Int8Array(53) }, "ERR_SHAPE", /weights: expected 3\*3 values .* = 54, got 53/],
    ["no weights", { weights: new Int8Array(0) }, "ERR_SHAPE", /weights: expected 3\*3 values .* = 54, got 0/],
    [
      "Winograd",
      { algorithm: "f2x2-3x3" },
      "ERR_UNSUPPORTED",
      /algorithm: f2x2-3x3 has no int8 kernel for depthwise 3x3 with stride 1/,
    ],
    [
      "scaled filters",
      { filterScaling: { bits: 9, granularity: "tap" } },
      "ERR_UNSUPPORTED",
      /algorithm: winograd has no int8 kernel for depthwise 3x3 with stride 1/,
    ],
  ];
  test.each(bad)("refuses: %s", (_, change, code, message) => {
    const make = () => api.conv2d({ ...options, ...change } as never);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code }));
  });

  test("a packed Winograd filter cannot be depthwise", () => {
    const spec = {
      dtype: "s8",
      ic: c,
      oc: c,
      kh: 3,
      kw: 3,
      stride: 1,
      depthwise: true,
      algorithm: "f2x2-3x3",
    } as unknown as ConvSpecS8;
    expect(() => new PackedConvolution(kernels, spec)).toThrow(
      /algorithm: f2x2-3x3 needs a 3x3 kernel with stride 1, got depthwise 3x3 with stride 1/,
    );
  });
});

test("layers of one row, one column, one pixel", () => {
  for (const [height, width] of [
    [1, 1],
    [1, 40],
    [40, 1],
  ] as const) {
    for (const stride of [1, 2] as const) {
      const c = { ...layer, height, width, ic: 19, oc: 19, kh: 7, kw: 5, stride, depthwise: true };
      const { kernel, oracle } = both(kernels, c, "direct");
      expect(kernel, `${height}x${width} stride ${stride}`).toEqual(oracle);
    }
  }
});
