/**
 * Bit-exactness self-test: every Winograd kernel against the direct one on data made on the spot, ends of the int8 range included.
 * What the tests of the repository do at length, in a second on the user's own engine.
 */
import type { Conv2d } from "./conv2d.ts";
import type { Kernels } from "./kernels.ts";

export interface SelfTest {
  readonly kernel: string;
  readonly against: "direct";
  readonly cases: number;
  readonly outputs: number;
  /** Outputs that differ. */
  readonly different: number;
}

interface Case {
  readonly input: readonly [height: number, width: number, channels: number];
  readonly outputChannels: number;
  readonly data: "random" | "extreme";
}

const CASES: readonly Case[] = [
  { input: [13, 17, 3], outputChannels: 5, data: "random" },
  { input: [16, 16, 16], outputChannels: 16, data: "random" },
  { input: [9, 6, 64], outputChannels: 20, data: "extreme" },
  { input: [5, 5, 917], outputChannels: 4, data: "extreme" },
];

/** Marsaglia's xorshift32, so that every run sees the same data. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function int8(next: () => number, length: number, low: number, data: Case["data"]): Int8Array {
  return Int8Array.from({ length }, () =>
    data === "extreme" ? (next() & 1 ? 127 : low) : low + (next() % (128 - low)),
  );
}

/** Runs each kernel on each case. */
export function selfTest(kernels: Kernels): SelfTest[] {
  const next = generator(0x9e3779b9);
  let kernel = "";
  let outputs = 0;
  let different = 0;
  for (const { input, outputChannels, data } of CASES) {
    const [height, width, channels] = input;
    const weights = int8(next, outputChannels * 9 * channels, -127, data);
    const x = int8(next, height * width * channels, -128, data);
    // The spread of the sums, so that outputs fill the int8 range without all saturating.
    const spread = Math.sqrt(9 * channels) * 90 * 90;
    const options = {
      input,
      kernel: [3, 3] as const,
      weights,
      weightScales: new Float32Array(outputChannels).fill(1),
      bias: Int32Array.from({ length: outputChannels }, () => (next() % 2001) - 1000),
      inputQuantization: { scale: 1, zeroPoint: data === "random" ? -5 : 0 },
      outputQuantization: { scale: spread / 64, zeroPoint: 3 },
    };
    const run = (algorithm: "direct" | "winograd"): { result: Int8Array; name: string } => {
      const conv: Conv2d<Int8Array> = kernels.conv2d({ ...options, algorithm });
      try {
        return { result: conv.run(x), name: conv.kernel };
      } finally {
        conv.dispose();
      }
    };
    const direct = run("direct");
    const winograd = run("winograd");
    kernel = winograd.name;
    outputs += direct.result.length;
    for (const [i, value] of direct.result.entries()) if (value !== winograd.result[i]) different++;
  }
  return [{ kernel, against: "direct", cases: CASES.length, outputs, different }];
}
