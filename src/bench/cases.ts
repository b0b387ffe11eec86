/** The convolutions that are timed: one table, read by `wasmograd bench`, by bench/run.mjs and by bench/second-opinion.mjs. */
import { ConvolutionCall } from "../kernels/convolution/call.ts";
import type { AlgorithmId } from "../kernels/convolution/choice.ts";
import { convGeometry } from "../kernels/convolution/geometry.ts";
import { PackedConvolution } from "../kernels/convolution/packed.ts";
import type { ConvSpecF32, ConvSpecS8 } from "../kernels/convolution/spec.ts";
import type { KernelInstance } from "../kernels/load.ts";

export interface ConvCase {
  readonly dtype: "int8" | "f32";
  readonly algorithm: AlgorithmId;
  readonly height: number;
  readonly width: number;
  readonly ic: number;
  readonly oc: number;
  readonly kernel: number;
  /** oc = ic, each channel with a filter of its own. */
  readonly depthwise?: boolean;
}

const SHAPES_3X3 = [
  [56, 56, 64],
  [28, 28, 128],
  [14, 14, 256],
  [180, 320, 16],
  [360, 640, 16],
] as const;

export const CONV_CASES: readonly ConvCase[] = [
  ...SHAPES_3X3.flatMap(([height, width, c]) => {
    const shape = { height, width, ic: c, oc: c, kernel: 3 };
    return [
      { dtype: "int8", algorithm: "direct", ...shape },
      { dtype: "int8", algorithm: "f4x4-3x3-complex", ...shape },
      { dtype: "int8", algorithm: "f4x4-3x3-rational", ...shape },
      { dtype: "int8", algorithm: "f4x4-3x3-half", ...shape },
      { dtype: "int8", algorithm: "f2x2-3x3", ...shape },
      { dtype: "f32", algorithm: "direct", ...shape },
      { dtype: "f32", algorithm: "f4x4-3x3-half", ...shape },
      { dtype: "f32", algorithm: "f4x4-3x3-rational", ...shape },
      { dtype: "f32", algorithm: "f4x4-3x3-complex", ...shape },
    ] as const;
  }),
  ...(["int8", "f32"] as const).flatMap((dtype) => [
    { dtype, algorithm: "direct" as const, height: 360, width: 640, ic: 1, oc: 16, kernel: 5 },
    { dtype, algorithm: "direct" as const, height: 360, width: 640, ic: 16, oc: 4, kernel: 5 },
    {
      dtype,
      algorithm: dtype === "int8" ? ("f2x2-5x5-complex" as const) : ("f2x2-5x5-rational" as const),
      height: 360,
      width: 640,
      ic: 16,
      oc: 4,
      kernel: 5,
    },
    ...(dtype === "int8"
      ? [{ dtype, algorithm: "f1x4-5x5-rational" as const, height: 360, width: 640, ic: 16, oc: 4, kernel: 5 }]
      : []),
    { dtype, algorithm: "direct" as const, height: 56, width: 56, ic: 64, oc: 256, kernel: 1 },
    { dtype, algorithm: "direct" as const, height: 56, width: 56, ic: 128, oc: 128, kernel: 3, depthwise: true },
    { dtype, algorithm: "direct" as const, height: 56, width: 56, ic: 96, oc: 96, kernel: 7, depthwise: true },
  ]),
];

export function caseName(c: ConvCase): string {
  return `${layerName(c)} ${c.algorithm}`;
}

/** Without the algorithm. */
export function layerName({ dtype, kernel, depthwise }: ConvCase): string {
  return `${dtype} ${depthwise ? "depthwise" : "conv"}${kernel}x${kernel}`;
}

/** H x W, input and output channels. */
export function caseShape(c: ConvCase): string {
  return `${c.height}x${c.width} ${c.ic}->${c.oc}`;
}

/** Multiply-accumulates of the direct convolution, whatever the algorithm really needs. */
export function caseMacs(c: ConvCase): number {
  return c.height * c.width * inputsOf(c) * c.oc * c.kernel ** 2;
}

/** Input channels that an output channel sums over. */
const inputsOf = ({ ic, depthwise }: ConvCase): number => (depthwise ? 1 : ic);

/** Repeatable values in -127..127 (a linear congruential generator's top byte). */
function pseudoRandom(length: number): Int8Array {
  let state = 1;
  return Int8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.max(-127, state >> 24);
  });
}

/** A case made ready: `run` computes one layer; `dispose` frees its memory. */
export function prepareCase(kernels: KernelInstance, c: ConvCase): { run: () => void; dispose: () => void } {
  const { memory } = kernels;
  const common = { ic: c.ic, oc: c.oc, kh: c.kernel, kw: c.kernel, stride: 1, depthwise: c.depthwise ?? false };
  const weights = pseudoRandom(c.oc * c.kernel ** 2 * inputsOf(c));
  const packed = new PackedConvolution(
    kernels,
    c.dtype === "int8"
      ? {
          dtype: "s8",
          ...common,
          weights,
          bias: new Int32Array(c.oc),
          multipliers: new Float32Array(c.oc).fill(2 ** -11 / Math.sqrt(inputsOf(c))),
          inputZeroPoint: 3,
          outputZeroPoint: -7,
          qmin: -128,
          qmax: 127,
          algorithm: c.algorithm as ConvSpecS8["algorithm"],
        }
      : {
          dtype: "f32",
          ...common,
          weights: Float32Array.from(weights, (w) => w / 127),
          bias: new Float32Array(c.oc),
          minimum: Number.NEGATIVE_INFINITY,
          maximum: Number.POSITIVE_INFINITY,
          algorithm: c.algorithm as ConvSpecF32["algorithm"],
        },
  );
  const geometry = convGeometry([c.height, c.width, c.ic], c.oc, [c.kernel, c.kernel], 1, "same");
  const call = new ConvolutionCall(kernels, packed, geometry);
  const bytes = c.dtype === "int8" ? 1 : 4;
  const inputs = c.height * c.width * c.ic;
  const input = memory.allocate(inputs * bytes);
  const output = memory.allocate(c.height * c.width * c.oc * bytes);
  const scratch = memory.allocate(call.scratchBytes);
  const values = pseudoRandom(inputs);
  if (c.dtype === "int8") memory.i8.set(values, input);
  else
    memory.f32.set(
      Float32Array.from(values, (v) => v / 127),
      input >> 2,
    );
  call.bind(input, output, 0, scratch);
  return {
    run: () => call.run(),
    dispose: () => {
      for (const pointer of [input, output, scratch]) memory.free(pointer);
      call.dispose();
      packed.dispose();
    },
  };
}
