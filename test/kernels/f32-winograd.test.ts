import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { convGeometry } from "../../src/kernels/convolution/geometry.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import type { WinogradF32 } from "../../src/kernels/winograd/algorithms.ts";
import { conv2dReal } from "../../src/reference/conv2d-f32.ts";
import { nestedOfKernel, WINOGRAD_KERNELS } from "../../src/winograd/kernel-table.ts";
import { roundingBound } from "../../src/winograd/rounding.ts";
import { transforms } from "../../src/winograd/transforms.ts";
import { floatValues, runConvolution } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const runs = process.env.WASMOGRAD_SLOW ? 300 : 60;

const KERNELS = WINOGRAD_KERNELS.filter(({ dtype }) => dtype === "f32").map(
  (entry) => [entry.algorithm as WinogradF32, transforms(nestedOfKernel(entry))] as const,
);

const anyCase = fc.record({
  seed: fc.nat(),
  height: fc.integer({ min: 1, max: 13 }),
  width: fc.integer({ min: 1, max: 13 }),
  ic: fc.oneof(fc.constantFrom(1, 3, 16), fc.integer({ min: 1, max: 21 })),
  oc: fc.oneof(fc.constantFrom(1, 4, 16), fc.integer({ min: 1, max: 13 })),
  padding: fc.constantFrom("same" as const, "valid" as const),
  /** Powers of two between the largest and the smallest values. */
  range: fc.constantFrom(0, 20),
  largeBias: fc.constantFrom(1, 1000),
});

describe.each(KERNELS)("f32 Winograd %s", (algorithm, found) => {
  const { m, n, r } = found.nested.vertical.algorithm;

  test("stays within the bound of src/winograd/rounding.ts, any size and channel count", () => {
    fc.assert(
      fc.property(anyCase, ({ seed, height, width, ic, oc, padding, range, largeBias }) => {
        fc.pre(padding === "same" || (height >= r && width >= r));
        const spread = (values: Float32Array): Float32Array =>
          values.map((v, i) => v * 2 ** -Math.round(range * Math.abs(Math.sin(i))));
        const x = spread(floatValues(seed, height * width * ic));
        const w = spread(floatValues(seed + 1, oc * r * r * ic));
        const bias = floatValues(seed + 2, oc).map((v) => v * largeBias);
        const shape = [height, width, ic] as const;
        const g = convGeometry(shape, oc, [r, r], 1, padding);
        const open = { minimum: Number.NEGATIVE_INFINITY, maximum: Number.POSITIVE_INFINITY };
        const spec = { dtype: "f32", ...g, weights: w, bias, ...open, algorithm } as const;
        const y = runConvolution(kernels, spec, shape, padding, x);
        const exact = conv2dReal(
          { shape, data: x },
          { shape: [oc, r, r, ic], weights: w },
          { stride: 1, padding, bias },
          (length) => new Float64Array(length),
        ).data;
        for (let ty = 0; ty < g.oh; ty += m) {
          for (let tx = 0; tx < g.ow; tx += m) {
            for (let o = 0; o < oc; o++) {
              const channels = Array.from({ length: ic }, (_, c) => ({
                tile: Array.from({ length: n * n }, (_, i) => {
                  const [iy, ix] = [ty - g.padTop + Math.floor(i / n), tx - g.padLeft + (i % n)];
                  return iy >= 0 && ix >= 0 && iy < height && ix < width ? x[(iy * width + ix) * ic + c]! : 0;
                }),
                filter: Array.from({ length: r * r }, (_, t) => w[(o * r * r + t) * ic + c]!),
              }));
              for (const [i, bound] of roundingBound(found, channels, bias[o]!).entries()) {
                const [oy, ox] = [ty + Math.floor(i / m), tx + (i % m)];
                if (oy >= g.oh || ox >= g.ow) continue;
                const at = (oy * g.ow + ox) * oc + o;
                expect(Math.abs(y[at]! - exact[at]!), `${oy}, ${ox}, ${o}`).toBeLessThanOrEqual(bound);
              }
            }
          }
        }
      }),
      { numRuns: runs },
    );
  });

  test.each([
    [9, 11, 5, 6, "same"],
    [9, 11, 5, 3, "same"],
    [10, 12, 4, 8, "valid"],
    [7, 6, 7, 4, "valid"],
  ] as const)(
    "small integers come out exactly, with activation, residual and clamp as direct has them: %ix%ix%i -> %i %s",
    (height, width, ic, oc, padding) => {
      // Integers to 3, times filters divisible by the scale: every intermediate value is an integer below 2^24.
      const reach = padding === "same" ? 0 : r - 1;
      const scale = Number(found.nested.result.scale);
      const whole = (seed: number, length: number): Float32Array =>
        floatValues(seed, length).map((v) => Math.round(v * 3));
      const x = whole(1, height * width * ic);
      const w = whole(2, oc * r * r * ic).map((v) => v * scale);
      const residual = whole(3, (height - reach) * (width - reach) * oc);
      const shape = [height, width, ic] as const;
      const common = {
        dtype: "f32" as const,
        ic,
        oc,
        kh: r,
        kw: r,
        stride: 1,
        weights: w,
        bias: whole(4, oc),
        slopes: Float32Array.of(0.5, 0.25, -1, 2, 0, 1, 0.75, -2).slice(0, oc),
        minimum: -50 * scale,
        maximum: 80 * scale,
        residual: { broadcast: false, multipliers: Float32Array.of(1, 2, -1, 3, 0, 4, 1, 2).slice(0, oc) },
      };
      const run = (id: "direct" | WinogradF32): Float32Array =>
        runConvolution(kernels, { ...common, algorithm: id }, shape, padding, x, residual).map((v) => v + 0);
      expect(run(algorithm)).toEqual(run("direct"));
    },
  );
});
