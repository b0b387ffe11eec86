import fc from "fast-check";
import { expect, test } from "vitest";
import { instantiateAttentionKernels } from "../../../src/kernels/attention/load.ts";
import { packPivots, pivotsSave } from "../../../src/kernels/attention/pivots.ts";
import { pivotScratchBytes } from "../../../src/kernels/attention/scratch.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { withGuards } from "../../_helpers/guard.ts";
import { floatValues } from "../../_helpers/kernels.ts";
import { random } from "../../_helpers/random.ts";

const { memory, exports } = await instantiateAttentionKernels(await instantiateKernels());

interface Sizes {
  readonly pixels: number;
  readonly inputs: number;
  readonly groups: number;
  readonly own: number;
}

/** Different channels for each group, in any order. */
function chosen({ inputs, groups, own }: Sizes, seed: number): number[][] {
  const next = random(seed);
  return Array.from({ length: groups }, () => {
    const channels = Array.from({ length: inputs }, (_, c) => ({ c, key: next() }));
    return channels
      .toSorted((a, b) => a.key - b.key)
      .slice(0, own)
      .map(({ c }) => c);
  });
}

/** The kernel's arithmetic: the pivot, then channel by channel, one rounding a product and one a sum. */
function oracle(x: Float32Array, pivots: readonly (readonly number[])[], w: Float32Array, sizes: Sizes): Float32Array {
  const { pixels, inputs, groups, own } = sizes;
  const y = new Float32Array(pixels * groups * own);
  for (const [g, list] of pivots.entries()) {
    const others = Array.from({ length: inputs }, (_, c) => c).filter((c) => !list.includes(c));
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (const [i, pivot] of list.entries()) {
        const o = g * own + i;
        let sum = x[pixel * inputs + pivot]!;
        for (const [t, c] of others.entries()) {
          sum = Math.fround(sum + Math.fround(w[o * others.length + t]! * x[pixel * inputs + c]!));
        }
        y[pixel * groups * own + o] = sum;
      }
    }
  }
  return y;
}

function run(x: Float32Array<ArrayBuffer>, pivots: readonly (readonly number[])[], w: Float32Array, sizes: Sizes) {
  const { pixels, inputs, groups, own } = sizes;
  const { channels, filter } = packPivots(pivots, inputs, w);
  const y = new Float32Array(pixels * groups * own);
  const scratchBytes = pivotScratchBytes(pixels, inputs, own);
  const bytes = [x.byteLength, y.byteLength, channels.byteLength, filter.byteLength, scratchBytes];
  withGuards(memory, bytes, ([from, to, table, filters, scratch]) => {
    memory.f32.set(x, from! >> 2);
    memory.i32.set(channels, table! >> 2);
    memory.f32.set(filter, filters! >> 2);
    memory.u8.fill(0xff, scratch!, scratch! + scratchBytes);
    exports.f32_pivot_projection(from!, to!, pixels, inputs, groups, own, table!, filters!, scratch!);
    y.set(memory.f32.subarray(to! >> 2, (to! >> 2) + y.length));
  });
  return y;
}

test("the oracle's bits, whatever the sizes and the pivots", () => {
  const sizes = fc.record({
    pixels: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.constantFrom(63, 64, 65, 130)),
    groups: fc.integer({ min: 1, max: 4 }),
    own: fc.integer({ min: 1, max: 20 }),
    more: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(sizes, fc.nat(), ({ pixels, groups, own, more }, seed) => {
      const s = { pixels, groups, own, inputs: own + more };
      const x = Float32Array.from(floatValues(seed, pixels * s.inputs));
      const w = Float32Array.from(floatValues(seed + 1, groups * own * more));
      const pivots = chosen(s, seed);
      expect(run(x, pivots, w, s)).toEqual(oracle(x, pivots, w, s));
    }),
    { numRuns: 150 },
  );
});

test("NaN and infinity stay in their pixel", () => {
  const s = { pixels: 9, groups: 2, own: 3, inputs: 7 };
  const x = Float32Array.from(floatValues(1, 63));
  x[4 * 7 + 2] = Number.NaN;
  x[6 * 7 + 5] = Number.POSITIVE_INFINITY;
  const y = run(x, chosen(s, 1), Float32Array.from(floatValues(2, 24)), s);
  // Where the channel is another's pivot, nothing multiplies it.
  const pixels = Array.from({ length: 9 }, (_, n) => y.slice(n * 6, n * 6 + 6).every(Number.isFinite));
  expect(pixels).toEqual(Array.from({ length: 9 }, (_, n) => n !== 4 && n !== 6));
});

test("no pixel: nothing is written", () => {
  const to = memory.allocate(64);
  memory.u8.fill(1, to, to + 64);
  exports.f32_pivot_projection(to, to, 0, 2, 1, 1, to, to, to);
  expect(memory.u8.subarray(to, to + 64).every((b) => b === 1)).toBe(true);
  memory.free(to);
});

test("worth it with heads of whole vectors, not with heads that leave lanes empty", () => {
  const heads = (inputs: number, groups: number) => pivotsSave({ inputs, groups, own: inputs / groups });
  expect([heads(192, 3), heads(384, 6), heads(768, 12), heads(128, 4), heads(192, 4)]).toEqual(Array(5).fill(true));
  expect([heads(16, 4), heads(60, 5)]).toEqual([false, false]);
});
