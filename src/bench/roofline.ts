import { inflateBase64 } from "../kernels/inflate-base64.ts";
import { ROOFLINE_WASM_BASE64 } from "../kernels/roofline.generated.ts";

/** Steps of 32 loop iterations a run: about 2 ms, long against the timer and short against an interruption. */
const STEPS = 1500;
const INNER = 32;

export interface Roofline {
  /** Giga multiply-accumulates a second of i32x4.dot_i16x8_s + i32x4.add, the idiom of every int8 kernel; null if not measured. */
  readonly dotI16x8: number | null;
  /** The same of f32x4.mul + f32x4.add. */
  readonly f32MulAdd: number | null;
}

interface RooflineExports {
  roofline_dot_i16x8(base: number, steps: number): number;
  roofline_f32_mul_add(base: number, steps: number): number;
}

/** The two probes of assembly/bench/roofline.ts, each a function to be timed. @param steps of a run */
export async function rooflineProbes(steps = STEPS): Promise<{
  dot: () => void;
  f32: () => void;
  dotMacs: number;
  f32Macs: number;
}> {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const module = await WebAssembly.compile(await inflateBase64(ROOFLINE_WASM_BASE64));
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const exports = instance.exports as unknown as RooflineExports;
  const base = 16384;
  // Sane floats: denormals and NaN would be several times slower and measure something else.
  new Float32Array(memory.buffer, base, 4096).fill(1.001);
  return {
    dot: () => void exports.roofline_dot_i16x8(base, steps),
    f32: () => void exports.roofline_f32_mul_add(base, steps),
    dotMacs: steps * INNER * 64,
    f32Macs: steps * INNER * 32,
  };
}
