import fc from "fast-check";
import { expect, test } from "vitest";
import { convGeometry } from "../../src/kernels/convolution/geometry.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { floatValues, runConvolution } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const f = Math.fround;

/** The kernel's own order of operations in binary32: bias, then rows, columns, channels. */
function twin(
  [ih, iw, ic]: readonly [number, number, number],
  g: ReturnType<typeof convGeometry>,
  x: Float32Array,
  w: Float32Array,
  bias: Float32Array,
  finish: (sum: number, channel: number, pixel: number) => number,
): Float32Array {
  const y = new Float32Array(g.oh * g.ow * g.oc);
  for (let oy = 0; oy < g.oh; oy++) {
    for (let ox = 0; ox < g.ow; ox++) {
      for (let o = 0; o < g.oc; o++) {
        let sum = bias[o]!;
        for (let u = 0; u < g.kh; u++) {
          for (let v = 0; v < g.kw; v++) {
            const iy = oy * g.stride + u - g.padTop;
            const ix = ox * g.stride + v - g.padLeft;
            const inside = iy >= 0 && iy < ih && ix >= 0 && ix < iw;
            for (let c = 0; c < ic; c++) {
              const value = inside ? x[(iy * iw + ix) * ic + c]! : 0;
              sum = f(sum + f(value * w[((o * g.kh + u) * g.kw + v) * ic + c]!));
            }
          }
        }
        const pixel = oy * g.ow + ox;
        y[pixel * g.oc + o] = finish(sum, o, pixel);
      }
    }
  }
  return y;
}

const anyCase = fc.record({
  seed: fc.nat(),
  height: fc.integer({ min: 1, max: 11 }),
  width: fc.integer({ min: 1, max: 19 }),
  ic: fc.oneof(fc.constantFrom(1, 3, 16), fc.integer({ min: 1, max: 19 })),
  oc: fc.oneof(fc.constantFrom(1, 4, 16), fc.integer({ min: 1, max: 19 })),
  kh: fc.constantFrom(1, 3, 5),
  kw: fc.constantFrom(1, 3, 5),
  stride: fc.constantFrom(1 as const, 2 as const),
  padding: fc.constantFrom("same" as const, "valid" as const),
  slopes: fc.boolean(),
  clamp: fc.boolean(),
  residual: fc.constantFrom("none", "full", "scaled", "one"),
});

test("f32 direct convolution: the bits of the same sum in the same order", () => {
  fc.assert(
    fc.property(anyCase, (c) => {
      const { ic, oc, kh, kw, stride, padding } = c;
      fc.pre(padding === "same" || (c.height >= kh && c.width >= kw));
      const shape = [c.height, c.width, ic] as const;
      const g = convGeometry(shape, oc, [kh, kw], stride, padding);
      const x = floatValues(c.seed, c.height * c.width * ic);
      const w = floatValues(c.seed + 1, oc * kh * kw * ic);
      const bias = floatValues(c.seed + 2, oc);
      const slopes = c.slopes ? floatValues(c.seed + 3, oc) : undefined;
      const residualChannels = c.residual === "one" ? 1 : oc;
      const residual = c.residual === "none" ? undefined : floatValues(c.seed + 4, g.oh * g.ow * residualChannels);
      const scale = c.residual === "scaled" ? floatValues(c.seed + 5, oc) : undefined;
      const [minimum, maximum] = c.clamp ? [-0.25, 0.5] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
      const kernel = runConvolution(
        kernels,
        {
          dtype: "f32",
          ic,
          oc,
          kh,
          kw,
          stride,
          weights: w,
          bias,
          ...(slopes && { slopes }),
          minimum,
          maximum,
          algorithm: "direct",
          ...(residual && { residual: { broadcast: residualChannels < oc, ...(scale && { multipliers: scale }) } }),
        },
        shape,
        padding,
        x,
        residual,
      );
      const expected = twin(shape, g, x, w, bias, (sum, o, pixel) => {
        let t = slopes && sum < 0 ? f(sum * slopes[o]!) : sum;
        if (residual) t = f(t + f(residual[residualChannels === 1 ? pixel : pixel * oc + o]! * (scale?.[o] ?? 1)));
        return Math.min(maximum, Math.max(minimum, t));
      });
      // -0 and 0 are equal numbers; the kernel and Math.max may differ in which they return.
      expect(kernel.every((v, i) => v === expected[i])).toBe(true);
    }),
    { numRuns: process.env.WASMOGRAD_SLOW ? 2000 : 200 },
  );
});

test("NaN in the input stays NaN in the output", () => {
  const y = runConvolution(
    kernels,
    {
      dtype: "f32",
      ic: 1,
      oc: 1,
      kh: 1,
      kw: 1,
      stride: 1,
      weights: new Float32Array([1]),
      bias: new Float32Array(1),
      minimum: 0,
      maximum: 1,
      algorithm: "direct",
    },
    [1, 3, 1],
    "same",
    new Float32Array([0.5, Number.NaN, 2]),
  );
  expect(y).toEqual(new Float32Array([0.5, Number.NaN, 1]));
});
