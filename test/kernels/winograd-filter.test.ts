import fc from "fast-check";
import { expect, test } from "vitest";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { WINOGRAD_ALGORITHMS } from "../../src/kernels/winograd/algorithms.ts";
import { packedLayout, packWinogradS8, transformFilter } from "../../src/kernels/winograd/filter.ts";
import { withGuards } from "../_helpers/guard.ts";
import { int8Values } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const int8 = WINOGRAD_ALGORITHMS.filter(({ dtype }) => dtype === "s8").map((a) => [a.algorithm, a] as const);

test.each(int8)("filters of %s: the transform of each, where its layout says, and zeros elsewhere", (_, algorithm) => {
  const { planes, r } = algorithm;
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 19 }),
      fc.integer({ min: 1, max: 21 }),
      fc.constantFrom(8, 16, 24),
      (seed, oc, ic, block) => {
        const weights = int8Values(seed, oc * r * r * ic, -127);
        const packed = packWinogradS8(algorithm, { weights, oc, ic }, block);
        const expected: number[] = [];
        for (let channel = 0; channel < ic; channel += block) {
          const { length, planeStep, offset } = packedLayout(algorithm, oc, Math.min(block, ic - channel), 2);
          const values = new Array<number>(length).fill(0);
          for (let o = 0; o < oc; o++) {
            for (let c = channel; c < Math.min(ic, channel + block); c++) {
              const g = Array.from({ length: r * r }, (_, t) => weights[(o * r * r + t) * ic + c]!);
              const factors = transformFilter(algorithm, g, new Float64Array(planes));
              for (const [p, u] of factors.entries()) values[offset(o, c - channel) + p * planeStep] = u;
            }
          }
          if (channel === 0) expect(packed.blockBytes).toBe(2 * length);
          expected.push(...values);
        }
        expect(packed.bytes).toBe(2 * expected.length);
        const { memory } = kernels;
        withGuards(memory, [packed.bytes], ([to]) => {
          memory.u8.fill(0xa5, to!, to! + packed.bytes);
          packed.write(kernels, to!);
          expect([...memory.i16.subarray(to! >> 1, (to! + packed.bytes) >> 1)]).toEqual(expected);
        });
      },
    ),
    { numRuns: 30 },
  );
});
