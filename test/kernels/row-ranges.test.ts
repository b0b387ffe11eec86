import { expect, test } from "vitest";
import { ConvolutionCall } from "../../src/kernels/convolution/call.ts";
import { convGeometry } from "../../src/kernels/convolution/geometry.ts";
import { PackedConvolution } from "../../src/kernels/convolution/packed.ts";
import type { ConvSpecS8 } from "../../src/kernels/convolution/spec.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { int8Values } from "../_helpers/kernels.ts";

const kernels = await instantiateKernels();
const { memory } = kernels;
const [H, W, C] = [19, 13, 9];

const ALGORITHMS = [
  ["direct", 3, 10],
  ["direct", 3, 3],
  ["f2x2-3x3", 3, 10],
  ["f4x4-3x3-complex", 3, 10],
  ["f4x4-3x3-rational", 3, 10],
  ["f4x4-3x3-half", 3, 10],
  ["f2x2-5x5-complex", 5, 10],
] as const;

test.each(ALGORITHMS)(
  "%s %s to %i channels: any cut into row ranges gives the rows of the whole",
  (algorithm, size, O) => {
    const spec: ConvSpecS8 = {
      dtype: "s8",
      ic: C,
      oc: O,
      kh: size,
      kw: size,
      stride: 1,
      weights: int8Values(1, O * size ** 2 * C, -127),
      bias: new Int32Array(O).fill(77),
      multipliers: new Float32Array(O).fill(2 ** -9),
      inputZeroPoint: 11,
      outputZeroPoint: -3,
      qmin: -128,
      qmax: 127,
      algorithm,
    };
    const packed = new PackedConvolution(kernels, spec);
    const call = new ConvolutionCall(kernels, packed, convGeometry([H, W, C], O, [size, size], 1, "same"));
    const x = memory.allocate(H * W * C);
    const y = memory.allocate(H * W * O);
    const scratch = memory.allocate(call.scratchBytes);
    memory.i8.set(int8Values(2, H * W * C), x);
    call.bind(x, y, 0, scratch);
    call.run();
    const whole = memory.i8.slice(y, y + H * W * O);
    for (const cuts of [
      [0, 19],
      [0, 1, 19],
      [0, 4, 8, 19],
      [0, 5, 6, 13, 18, 19],
    ]) {
      memory.i8.fill(99, y, y + H * W * O);
      for (const [i, end] of cuts.slice(1).entries()) call.run(cuts[i]!, end);
      expect(memory.i8.slice(y, y + H * W * O)).toEqual(whole);
    }
    // Rows outside a range are left alone.
    memory.i8.fill(99, y, y + H * W * O);
    call.run(5, 9);
    const part = memory.i8.slice(y, y + H * W * O);
    expect(part.subarray(5 * W * O, 9 * W * O)).toEqual(whole.subarray(5 * W * O, 9 * W * O));
    expect(part.subarray(0, 5 * W * O).every((v) => v === 99)).toBe(true);
    expect(part.subarray(9 * W * O).every((v) => v === 99)).toBe(true);
  },
);
