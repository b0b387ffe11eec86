import { check } from "../errors.ts";
import type { KernelInstance } from "../kernels/load.ts";
import { PlaneResizer, type PlaneResizerOptions } from "./plane-resizer.ts";
import { checkSide } from "./types.ts";
import { allocatePlane, type PlaneView } from "./views.ts";

/**
 * Resizes one plane of numbers of any range (luma in double-precision protocols, for instance), without rounding unless
 * `limit` is given. Sums are formed in f32.
 * @param plane  [input.height, input.width], row-major
 * @returns [output.height, output.width], row-major
 * @throws WasmogradError ERR_SHAPE, ERR_OUT_OF_MEMORY
 */
export function resizePlane(
  kernels: KernelInstance,
  plane: ArrayLike<number>,
  options: PlaneResizerOptions,
): Float32Array {
  const { input, output } = options;
  for (const [name, size] of [["input", input] as const, ["output", output] as const]) {
    checkSide(size.width, `${name}.width`);
    checkSide(size.height, `${name}.height`);
  }
  const length = input.width * input.height;
  check(plane.length === length, "ERR_SHAPE", () => {
    return `plane: expected ${length} values (${input.width} x ${input.height}), got ${plane.length}`;
  });
  const { memory } = kernels;
  const result = new Float32Array(output.width * output.height);
  const resizer = new PlaneResizer(kernels, options);
  const held: PlaneView[] = [];
  try {
    const from = allocatePlane(kernels, input);
    held.push(from);
    const to = allocatePlane(kernels, output);
    held.push(to);
    for (let y = 0; y < input.height; y++) {
      const at = (from.pointer + y * from.rowBytes) / 4;
      const row = y * input.width;
      const { f32 } = memory;
      for (let x = 0; x < input.width; x++) f32[at + x] = plane[row + x]!;
    }
    resizer.run(from, { x: 0, y: 0, ...input }, to, { x: 0, y: 0, ...output });
    for (let y = 0; y < output.height; y++) {
      const at = (to.pointer + y * to.rowBytes) / 4;
      result.set(memory.f32.subarray(at, at + output.width), y * output.width);
    }
  } finally {
    resizer.dispose();
    for (const { pointer } of held) memory.free(pointer);
  }
  return result;
}
