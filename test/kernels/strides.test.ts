import fc from "fast-check";
import { expect, test } from "vitest";
import { ConvolutionCall } from "../../src/kernels/convolution/call.ts";
import type { ConvGeometry } from "../../src/kernels/convolution/geometry.ts";
import { PackedConvolution } from "../../src/kernels/convolution/packed.ts";
import type { ConvSpecF32, ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { conv2dS8 } from "../../src/reference/conv2d-s8.ts";
import { guarded } from "../_helpers/guard.ts";
import { floatValues, int8Values } from "../_helpers/kernels.ts";
import { runF32, runS8, sameNumbers } from "../_helpers/layers.ts";

/**
 * The kernel sizes, strides and explicit paddings of classification networks: patches of 4x4 and 2x2, stems of 7x7 and 3x3, projections
 * of 1x1, depthwise layers. The oracle is a "valid" convolution of the padded input.
 */
const kernels = await instantiateKernels();
const { memory } = kernels;
const runs = process.env.WASMOGRAD_SLOW ? 3000 : 300;
const f = Math.fround;

/** [kh, kw, stride] */
const direct = [
  [4, 4, 4],
  [2, 2, 2],
  [3, 3, 2],
  [7, 7, 2],
  [1, 1, 2],
  [3, 3, 1],
  [7, 7, 4],
  [5, 3, 2],
] as const;
const depthwise = [
  [3, 3, 1],
  [3, 3, 2],
  [5, 5, 1],
  [5, 5, 2],
  [7, 7, 1],
  [7, 7, 2],
] as const;

interface Padded extends ConvGeometry {
  readonly seed: number;
  readonly depthwise: boolean;
  /** Of the padded input. */
  readonly height: number;
  readonly width: number;
}

const pad = fc.integer({ min: 0, max: 6 });
const anyPadded: fc.Arbitrary<Padded> = fc
  .record({
    seed: fc.nat(),
    layer: fc.oneof(
      fc.constantFrom(...direct).map((shape) => ({ shape, depthwise: false })),
      fc.constantFrom(...depthwise).map((shape) => ({ shape, depthwise: true })),
    ),
    ih: fc.integer({ min: 1, max: 17 }),
    iw: fc.oneof(fc.integer({ min: 1, max: 23 }), fc.constantFrom(33, 65)),
    ic: fc.oneof(fc.constantFrom(1, 3, 16), fc.integer({ min: 1, max: 21 })),
    // Up to 4 output channels go to kernels of their own.
    oc: fc.oneof(fc.constantFrom(1, 4, 5, 8, 16), fc.integer({ min: 1, max: 21 })),
    pads: fc.tuple(pad, pad, pad, pad),
    symmetric: fc.boolean(),
  })
  .map(({ seed, layer, ih, iw, ic, oc, pads, symmetric }) => {
    const [kh, kw, stride] = layer.shape;
    const [padTop, padLeft] = [pads[0] % kh, pads[1] % kw];
    const [padBottom, padRight] = symmetric ? [padTop, padLeft] : [pads[2] % kh, pads[3] % kw];
    const [height, width] = [padTop + ih + padBottom, padLeft + iw + padRight];
    return {
      seed,
      depthwise: layer.depthwise,
      ih,
      iw,
      ic,
      oc: layer.depthwise ? ic : oc,
      kh,
      kw,
      stride,
      padTop,
      padLeft,
      height,
      width,
      oh: Math.floor((height - kh) / stride) + 1,
      ow: Math.floor((width - kw) / stride) + 1,
    };
  })
  .filter(({ oh, ow }) => oh > 0 && ow > 0);

/** The input with `value` around it. */
function padded<Data extends Int8Array | Float32Array>(g: Padded, x: Data, value: number): Data {
  const length = g.height * g.width * g.ic;
  const result = (x instanceof Float32Array ? new Float32Array(length) : new Int8Array(length)).fill(value) as Data;
  for (let y = 0; y < g.ih; y++) {
    const row = x.subarray(y * g.iw * g.ic, (y + 1) * g.iw * g.ic);
    result.set(row, ((y + g.padTop) * g.width + g.padLeft) * g.ic);
  }
  return result;
}

/** Runs the layer from `x` on with guard bands around its tensors and its working memory, which is full of garbage. */
function runLayer(spec: ConvSpecS8 | ConvSpecF32, g: Padded, x: Int8Array | Float32Array): Int8Array | Float32Array {
  const packed = new PackedConvolution(kernels, spec);
  const call = new ConvolutionCall(kernels, packed, g);
  const run = spec.dtype === "f32" ? runF32 : runS8;
  const scratch = guarded(memory, call.scratchBytes);
  try {
    memory.u8.fill(0xff, scratch.pointer, scratch.pointer + scratch.bytes);
    const y = run(memory, [x], g.oh * g.ow * g.oc, ([from], to) => {
      call.bind(from!, to, 0, scratch.pointer);
      call.run();
    });
    scratch.check();
    return y;
  } finally {
    scratch.free();
    call.dispose();
    packed.dispose();
  }
}

test("int8: equals the oracle bit for bit", () => {
  const zeroPoint = fc.integer({ min: -128, max: 127 });
  fc.assert(
    fc.property(anyPadded, zeroPoint, fc.boolean(), (g, inputZeroPoint, extreme) => {
      const inputs = g.depthwise ? 1 : g.ic;
      const values = (seed: number, n: number, low: number): Int8Array =>
        int8Values(seed, n, low).map((v) => (extreme ? (v < 0 ? low : 127) : v));
      const x = values(g.seed, g.ih * g.iw * g.ic, -128);
      const weights = values(g.seed + 1, g.oc * g.kh * g.kw * inputs, -127);
      const size = 127 * 64 * Math.sqrt(g.kh * g.kw * inputs);
      const bias = Int32Array.from(int8Values(g.seed + 2, g.oc), (v) => v * 16);
      const multipliers = new Float32Array(g.oc).fill(100 / size);
      const common = { bias, multipliers, inputZeroPoint, outputZeroPoint: 3, qmin: -128, qmax: 127 };
      const { ic, oc, kh, kw, stride, depthwise } = g;
      const spec: ConvSpecS8 = {
        dtype: "s8",
        ic,
        oc,
        kh,
        kw,
        stride,
        depthwise,
        weights,
        algorithm: "direct",
        ...common,
      };
      const y = runLayer(spec, g, x);
      const oracle = conv2dS8(
        { shape: [g.height, g.width, g.ic], data: padded(g, x, inputZeroPoint) },
        { shape: [g.oc, g.kh, g.kw, inputs], weights },
        { stride: g.stride, padding: "valid", depthwise: g.depthwise, ...common },
      );
      expect(y).toEqual(oracle.data);
    }),
    { numRuns: runs },
  );
});

test("f32: the bits of the same sum in the order of bias, rows, columns, channels", () => {
  fc.assert(
    fc.property(anyPadded, (g) => {
      const inputs = g.depthwise ? 1 : g.ic;
      const x = floatValues(g.seed, g.ih * g.iw * g.ic);
      const weights = floatValues(g.seed + 1, g.oc * g.kh * g.kw * inputs);
      const bias = floatValues(g.seed + 2, g.oc);
      const { ic, oc, kh, kw, stride, depthwise } = g;
      const limits = { minimum: Number.NEGATIVE_INFINITY, maximum: Number.POSITIVE_INFINITY };
      const spec: ConvSpecF32 = {
        dtype: "f32",
        ic,
        oc,
        kh,
        kw,
        stride,
        depthwise,
        weights,
        bias,
        ...limits,
        algorithm: "direct",
      };
      const y = runLayer(spec, g, x);
      const whole = padded(g, x, 0);
      const expected = Float32Array.from(y, (_, i) => {
        const [pixel, o] = [Math.floor(i / oc), i % oc];
        const [top, left] = [Math.floor(pixel / g.ow) * stride, (pixel % g.ow) * stride];
        let sum = bias[o]!;
        for (let k = 0; k < kh * kw * inputs; k++) {
          const [u, v] = [Math.floor(k / inputs / kw), Math.floor(k / inputs) % kw];
          const channel = depthwise ? o : k % inputs;
          sum = f(
            sum + f(whole[((top + u) * g.width + left + v) * ic + channel]! * weights[o * kh * kw * inputs + k]!),
          );
        }
        return sum;
      });
      expect(sameNumbers(y, expected)).toBe(true);
    }),
    { numRuns: runs },
  );
});
