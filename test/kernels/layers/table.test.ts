import fc from "fast-check";
import { expect, test } from "vitest";
import { instantiateLayerKernels } from "../../../src/kernels/layers/load.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { tableS8 } from "../../../src/reference/activations.ts";
import { int8Values } from "../../_helpers/kernels.ts";
import { runS8 } from "../../_helpers/layers.ts";

const kernels = await instantiateKernels();
const { memory, exports } = await instantiateLayerKernels(kernels);

const anyCase = fc.record({
  seed: fc.nat(),
  pixels: fc.integer({ min: 1, max: 9 }),
  channels: fc.oneof(fc.constantFrom(1, 3, 4, 16, 511), fc.integer({ min: 1, max: 40 })),
  inPlace: fc.boolean(),
  skew: fc.integer({ min: 0, max: 3 }),
});

test.each([0, 1])("s8_table looks values up, one table a channel: %i", (perChannel) => {
  fc.assert(
    fc.property(anyCase, ({ seed, pixels, channels, ...run }) => {
      const x = int8Values(seed, pixels * channels);
      const tables = int8Values(seed + 1, perChannel ? channels * 256 : 256);
      const call = ([from, t]: number[], to: number): void =>
        exports.s8_table(from!, to, pixels, channels, t!, perChannel);
      const y = runS8(memory, [x, tables], x.length, call, run);
      const expected =
        perChannel && channels === 1
          ? x.map((v) => tables[v + 128]!)
          : tableS8({ shape: [1, pixels, channels], data: x }, tables).data;
      expect(y).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

test("all 256 values", () => {
  const x = Int8Array.from({ length: 256 }, (_, i) => i - 128);
  const table = int8Values(3, 256);
  const call = ([from, t]: number[], to: number): void => exports.s8_table(from!, to, 256, 1, t!, 0);
  expect(runS8(memory, [x, table], 256, call)).toEqual(table);
});
