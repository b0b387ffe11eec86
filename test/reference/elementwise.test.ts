import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { realActivation } from "../../src/network/activations.ts";
import type { FeatureMap } from "../../src/network/description.ts";
import { depthToSpace } from "../../src/reference/depth-to-space.ts";
import { activationS8, addReal, addS8, clipS8, mapReal } from "../../src/reference/elementwise.ts";

const f32 = (length: number) => new Float32Array(length);
const s8 = (shape: FeatureMap<Int8Array>["shape"], ...values: number[]) => ({ shape, data: Int8Array.from(values) });
const full = { zeroPoint: 0, qmin: -128, qmax: 127 };

describe("real operators", () => {
  it("add, with one channel broadcast from either side", () => {
    const wide = { shape: [1, 2, 2] as const, data: Float32Array.of(1, 2, 3, 4) };
    const one = { shape: [1, 2, 1] as const, data: Float32Array.of(10, 20) };
    for (const [a, b] of [[wide, one] as const, [one, wide] as const]) {
      expect(addReal(a, b, f32)).toEqual({ shape: [1, 2, 2], data: Float32Array.of(11, 12, 23, 24) });
    }
  });

  it("activations by channel", () => {
    const x = { shape: [1, 2, 2] as const, data: Float32Array.of(-1, -1, 7, 3) };
    const slopes = Float32Array.of(0.5, -2);
    const through = (activation: Parameters<typeof realActivation>[1]) => [
      ...mapReal(x, (v, c) => realActivation(v, activation, c), f32).data,
    ];
    expect(through({ kind: "relu" })).toEqual([0, 0, 7, 3]);
    expect(through({ kind: "relu6" })).toEqual([0, 0, 6, 3]);
    expect(through({ kind: "prelu", slopes })).toEqual([-0.5, 2, 7, 3]);
    expect(through(undefined)).toEqual([-1, -1, 7, 3]);
  });
});

describe("int8 operators", () => {
  it("add brings both operands to the output's scale and rounds once", () => {
    const a = { map: s8([1, 1, 2], 5, -128), zeroPoint: 1, multiplier: 0.5 };
    const b = { map: s8([1, 1, 1], 3), zeroPoint: 0, multiplier: 0.25 };
    expect([...addS8(a, b, { ...full, zeroPoint: -1 }).data]).toEqual([2, -65]);
    expect([...addS8(b, a, { ...full, zeroPoint: -1 }).data]).toEqual([2, -65]);
    expect([...addS8(a, b, { zeroPoint: -1, qmin: -10, qmax: 1 }).data]).toEqual([1, -10]);
  });

  it("add of a tensor to itself with powers of two is exact", () => {
    fc.assert(
      fc.property(fc.integer({ min: -128, max: 127 }), (q) => {
        const operand = { map: s8([1, 1, 1], q), zeroPoint: 0, multiplier: 0.5 };
        expect(addS8(operand, operand, full).data[0]).toBe(q);
      }),
    );
  });

  it("activation scales negative values by the channel's own multiplier", () => {
    const x = { map: s8([1, 2, 2], -9, -9, 11, 11), zeroPoint: 1, multiplier: 0.5 };
    expect([...activationS8(x, Float32Array.of(0.25, -1), full).data]).toEqual([-2, 10, 5, 5]);
    expect([...activationS8(x, undefined, { ...full, qmin: 0, qmax: 4 }).data]).toEqual([0, 0, 4, 4]);
  });

  it("clip is a clamp", () => {
    expect([...clipS8(s8([1, 1, 3], -100, 0, 100), -5, 6).data]).toEqual([-5, 0, 6]);
  });
});

describe("depthToSpace", () => {
  it("puts channel (dy*b + dx)*C' + c at row y*b + dy, column x*b + dx", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 2, max: 3 }),
        (height, width, depth, b) => {
          const channels = depth * b * b;
          const data = Float32Array.from({ length: height * width * channels }, (_, i) => i);
          const out = depthToSpace({ shape: [height, width, channels], data }, b);
          expect(out.shape).toEqual([height * b, width * b, depth]);
          for (let y = 0; y < height * b; y++) {
            for (let x = 0; x < width * b; x++) {
              for (let c = 0; c < depth; c++) {
                const channel = ((y % b) * b + (x % b)) * depth + c;
                const from = (Math.floor(y / b) * width + Math.floor(x / b)) * channels + channel;
                expect(out.data[(y * width * b + x) * depth + c]).toBe(data[from]);
              }
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("twice by 2 is once by 4 behind a permutation of the channels", () => {
    const permutation = [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15];
    const data = Int8Array.from({ length: 2 * 3 * 16 }, (_, i) => i);
    const map = { shape: [2, 3, 16] as const, data };
    const permuted = data.map((_, i) => data[i - (i % 16) + permutation[i % 16]!]!);
    expect(depthToSpace(depthToSpace(map, 2), 2)).toEqual(depthToSpace({ ...map, data: permuted }, 4));
  });
});
