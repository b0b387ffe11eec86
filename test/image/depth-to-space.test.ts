import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { instantiateKernels, type KernelInstance } from "../../src/kernels/load.ts";
import { depthToSpace as oracle, SESR_X4_CHANNELS } from "../../src/reference/depth-to-space.ts";
import { withGuards } from "../_helpers/guard.ts";
import { integers } from "../_helpers/random.ts";

function depthToSpace(input: number[], height: number, width: number, channels: number, block: number): number[] {
  return [...oracle({ shape: [height, width, channels], data: Int32Array.from(input) }, block).data];
}

let kernels: KernelInstance;
beforeAll(async () => {
  kernels = await instantiateKernels();
});

const shape = fc.record({
  rows: fc.integer({ min: 1, max: 3 }),
  cols: fc.integer({ min: 1, max: 21 }),
  block: fc.constantFrom(1, 2, 3, 4),
  depth: fc.constantFrom(1, 1, 2, 3, 5),
  gap: fc.integer({ min: 0, max: 3 }),
  seed: fc.integer(),
});

describe("depth to space", () => {
  it("follows TensorFlow's order in the oracle", () => {
    expect(depthToSpace([0, 1, 2, 3, 4, 5, 6, 7], 1, 2, 4, 2)).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
    expect(depthToSpace([0, 1, 2, 3, 4, 5, 6, 7], 1, 1, 8, 2)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("x4 of SESR: block 2 twice equals block 4 with permuted channels", () => {
    const input = integers(1, 2 * 3 * 16, 999);
    const twice = depthToSpace(depthToSpace(input, 2, 3, 16, 2), 4, 6, 4, 2);
    const permuted = input.map((_, i) => input[i - (i % 16) + SESR_X4_CHANNELS[i % 16]!]!);
    expect(depthToSpace(permuted, 2, 3, 16, 4)).toEqual(twice);
  });

  it.each(["x8", "x32"] as const)("%s kernel equals the oracle for every shape", (type) => {
    const size = type === "x8" ? 1 : 4;
    fc.assert(
      fc.property(shape, ({ rows, cols, block, depth, gap, seed }) => {
        const channels = block * block * depth;
        const input = integers(seed, rows * cols * channels, size === 1 ? 255 : 2 ** 31 - 1);
        const expected = depthToSpace(input, rows, cols, channels, block);
        const srcRow = (cols * channels + gap) * size;
        const dstRow = (cols * block * depth + gap) * size;
        const bytes = [srcRow * rows - gap * size, dstRow * rows * block];
        withGuards(kernels.memory, bytes, ([src, dst]) => {
          const data = size === 1 ? kernels.memory.u8 : kernels.memory.i32;
          for (let y = 0; y < rows; y++) {
            data.set(input.slice(y * cols * channels, (y + 1) * cols * channels), (src! + y * srcRow) / size);
          }
          kernels.exports[`${type}_depth_to_space`](rows, cols, block, depth, src!, srcRow, dst!, dstRow);
          const perRow = cols * block * depth;
          for (let y = 0; y < rows * block; y++) {
            const at = (dst! + y * dstRow) / size;
            expect([...data.subarray(at, at + perRow)]).toEqual(expected.slice(y * perRow, (y + 1) * perRow));
            const rest = [...kernels.memory.u8.subarray(dst! + y * dstRow + perRow * size, dst! + (y + 1) * dstRow)];
            expect(rest.every((byte) => byte === 0xcd)).toBe(true);
          }
        });
      }),
      { numRuns: 80 },
    );
  });
});
