/**
 * Self-test of every convolution kernel on the user's own engine, in a second or two: int8 kernels bit for bit against the oracle in
 * TypeScript, scaled filters against their twin, f32 kernels against float64 within the bound that src/winograd/rounding.ts proves.
 * Data are made on the spot, ends of the int8 range included. The tests of the repository do the same at length.
 */

import { worstCaseChannels } from "../quantization/accumulator.ts";
import { conv2dReal } from "../reference/conv2d-f32.ts";
import { conv2dS8 } from "../reference/conv2d-s8.ts";
import { winogradScaledS8 } from "../reference/winograd-s8.ts";
import type { FilterScaling } from "../winograd/filter-scaling.ts";
import { channelLimits } from "../winograd/growth.ts";
import { nestedOfKernel, WINOGRAD_KERNELS } from "../winograd/kernel-table.ts";
import { roundingBound } from "../winograd/rounding.ts";
import { type Transforms, transforms } from "../winograd/transforms.ts";
import type { AlgorithmId } from "./convolution/choice.ts";
import type { Kernels } from "./kernels.ts";
import { ROW_TABLE } from "./winograd/rows.ts";

export interface SelfTest {
  readonly kernel: string;
  /** How Winograd filters are stored: "exact", or such as "8 bits, tap". */
  readonly filters: string;
  readonly criterion: "bit for bit" | "within the rounding bound";
  readonly cases: number;
  readonly outputs: number;
  /** Outputs that fail the criterion. */
  readonly different: number;
}

interface Case {
  readonly input: readonly [height: number, width: number, channels: number];
  readonly outputChannels: number;
  readonly data: "random" | "extreme";
  /** As many output channels as there are inputs, each channel with a filter of its own. */
  readonly depthwise?: boolean;
}

const CASES: readonly Case[] = [
  { input: [13, 17, 3], outputChannels: 5, data: "random" },
  { input: [16, 16, 16], outputChannels: 16, data: "random" },
  { input: [9, 6, 64], outputChannels: 20, data: "extreme" },
  { input: [7, 9, 10], outputChannels: 4, data: "random" },
];

/** Two strips of columns, channels of every tail, both ends of int8. */
const DEPTHWISE_CASES: readonly Case[] = [
  { input: [13, 37, 21], outputChannels: 21, data: "random", depthwise: true },
  { input: [8, 9, 16], outputChannels: 16, data: "extreme", depthwise: true },
  { input: [5, 6, 3], outputChannels: 3, data: "random", depthwise: true },
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

type Random = () => number;

function int8(next: Random, length: number, low: number, data: Case["data"]): Int8Array {
  return Int8Array.from({ length }, () =>
    data === "extreme" ? (next() & 1 ? 127 : low) : low + (next() % (128 - low)),
  );
}

interface Outcome {
  readonly kernel: string;
  readonly outputs: number;
  readonly different: number;
}

function runS8(
  kernels: Kernels,
  next: Random,
  { input, outputChannels: oc, data, depthwise = false }: Case,
  size: number,
  algorithm: AlgorithmId,
  scaled?: { readonly scaling: FilterScaling; readonly transforms: Transforms },
): Outcome {
  const [height, width, ic] = input;
  const taps = size * size;
  const inputs = depthwise ? 1 : ic;
  const weights = int8(next, oc * taps * inputs, -127, data);
  const x = int8(next, height * width * ic, -128, data);
  // The spread of the sums, so that outputs fill the int8 range without all saturating.
  const scale = (Math.sqrt(taps * inputs) * 90 * 90) / 64;
  const bias = Int32Array.from({ length: oc }, () => (next() % 2001) - 1000);
  const inputZeroPoint = data === "random" ? -5 : 0;
  using conv = kernels.conv2d({
    input,
    kernel: [size, size],
    ...(depthwise && { groups: ic }),
    weights,
    weightScales: new Float32Array(oc).fill(1),
    bias,
    inputQuantization: { scale: 1, zeroPoint: inputZeroPoint },
    outputQuantization: { scale, zeroPoint: 3 },
    algorithm,
    ...(scaled && { filterScaling: scaled.scaling }),
  });
  const result = conv.run(x);
  const multipliers = new Float32Array(oc).fill(1 / scale);
  const stride = 1;
  const options = {
    stride,
    padding: "same",
    depthwise,
    inputZeroPoint,
    bias,
    multipliers,
    outputZeroPoint: 3,
    qmin: -128,
    qmax: 127,
  } as const;
  const map = { shape: input, data: x };
  const filter = { shape: [oc, size, size, inputs] as const, weights };
  const expected = scaled
    ? winogradScaledS8(map, filter, options, scaled.transforms.nested, scaled.scaling)
    : conv2dS8(map, filter, options);
  const different = result.reduce((count, value, i) => count + (value === expected.data[i] ? 0 : 1), 0);
  return { kernel: conv.kernel, outputs: result.length, different };
}

function runF32(
  kernels: Kernels,
  next: Random,
  { input, outputChannels: oc }: Case,
  algorithm: AlgorithmId,
  found: Transforms,
): Outcome {
  const [height, width, ic] = input;
  const { m, n, r } = found.nested.vertical.algorithm;
  const values = (length: number): Float32Array => Float32Array.from({ length }, () => next() / 2 ** 31 - 1);
  const weights = values(oc * r * r * ic);
  const x = values(height * width * ic);
  using conv = kernels.conv2d({ input, kernel: [r, r], weights, algorithm });
  const result = conv.run(x);
  const filter = { shape: [oc, r, r, ic] as const, weights };
  const make = (length: number): Float64Array => new Float64Array(length);
  const exact = conv2dReal({ shape: input, data: x }, filter, { stride: 1, padding: "same" }, make).data;
  const pad = (r - 1) / 2;
  let different = 0;
  for (let ty = 0; ty < height; ty += m) {
    for (let tx = 0; tx < width; tx += m) {
      for (let o = 0; o < oc; o++) {
        const channels = Array.from({ length: ic }, (_, c) => ({
          tile: Array.from({ length: n * n }, (_, i) => {
            const [y, z] = [ty - pad + Math.floor(i / n), tx - pad + (i % n)];
            return y >= 0 && z >= 0 && y < height && z < width ? x[(y * width + z) * ic + c]! : 0;
          }),
          filter: Array.from({ length: r * r }, (_, t) => weights[(o * r * r + t) * ic + c]!),
        }));
        for (const [i, bound] of roundingBound(found, channels).entries()) {
          const [y, z] = [ty + Math.floor(i / m), tx + (i % m)];
          if (y >= height || z >= width) continue;
          const at = (y * width + z) * oc + o;
          if (!(Math.abs(result[at]! - exact[at]!) <= bound)) different++;
        }
      }
    }
  }
  return { kernel: conv.kernel, outputs: result.length, different };
}

/** f32 direct and depthwise convolution: n products, summed one by one, so n roundings each of sum |x w|. */
function runDirectF32(kernels: Kernels, next: Random, c: Case, size: number): Outcome {
  const { input, outputChannels: oc, depthwise = false } = c;
  const [height, width, ic] = input;
  const values = (length: number): Float32Array => Float32Array.from({ length }, () => next() / 2 ** 31 - 1);
  const inputs = depthwise ? 1 : ic;
  const weights = values(oc * size * size * inputs);
  const x = values(height * width * ic);
  using conv = kernels.conv2d({ input, kernel: [size, size], ...(depthwise && { groups: ic }), weights });
  const result = conv.run(x);
  const real = (data: Float32Array, w: Float32Array): Float64Array =>
    conv2dReal(
      { shape: input, data },
      { shape: [oc, size, size, inputs], weights: w },
      { stride: 1, padding: "same", depthwise },
      (length) => new Float64Array(length),
    ).data;
  const exact = real(x, weights);
  const absolute = real(x.map(Math.abs), weights.map(Math.abs));
  const roundings = (size * size * inputs + 1) * 2 ** -24;
  const bad = result.filter((y, i) => !(Math.abs(y - exact[i]!) <= (absolute[i]! * roundings) / (1 - roundings)));
  return { kernel: conv.kernel, outputs: result.length, different: bad.length };
}

function summarise(outcomes: readonly Outcome[], filters: string, criterion: SelfTest["criterion"]): SelfTest {
  const sum = (key: "outputs" | "different"): number => outcomes.reduce((total, o) => total + o[key], 0);
  return {
    kernel: outcomes[0]!.kernel,
    filters,
    criterion,
    cases: outcomes.length,
    outputs: sum("outputs"),
    different: sum("different"),
  };
}

/** Runs each kernel on each case, as the caller asks for the next. */
export function* selfTests(kernels: Kernels): Generator<SelfTest, void> {
  const next = generator(0x9e3779b9);
  const wide = CASES.filter(({ outputChannels }) => outputChannels > 4);
  const narrow = CASES.filter(({ outputChannels }) => outputChannels <= 4);
  for (const [cases, sizes] of [
    [wide, [3]],
    [narrow, [3]],
    [wide, [1]],
    [narrow, [1]],
    [DEPTHWISE_CASES, [3, 5, 7]],
  ] as const) {
    const outcomes = sizes.flatMap((size) => cases.map((c) => runS8(kernels, next, c, size, "direct")));
    yield summarise(outcomes, "exact", "bit for bit");
    const real = sizes.flatMap((size) => cases.map((c) => runDirectF32(kernels, next, c, size)));
    yield summarise(real, "exact", "within the rounding bound");
  }
  const { algorithm: rows, r, shift } = ROW_TABLE;
  const most = worstCaseChannels({ taps: r * r, scale: 2 ** shift });
  const fullRows: Case = { input: [5, 5, most], outputChannels: 4, data: "extreme" };
  const rowOutcomes = [...CASES, fullRows].map((c) => runS8(kernels, next, c, r, rows));
  yield summarise(rowOutcomes, "exact", "bit for bit");
  for (const entry of WINOGRAD_KERNELS) {
    const found = transforms(nestedOfKernel(entry));
    const { r } = found.nested.vertical.algorithm;
    const { algorithm } = entry;
    if (entry.dtype === "f32") {
      const outcomes = [CASES[0]!, CASES[1]!, CASES[3]!].map((c) => runF32(kernels, next, c, algorithm, found));
      yield summarise(outcomes, "exact", "within the rounding bound");
      continue;
    }
    // As many channels as are exact whatever the data.
    const limit = channelLimits(found.nested).oddUndone;
    const full: Case = { input: [5, 5, limit], outputChannels: 4, data: "extreme" };
    // A few more, as weights of both signs reach a little less than the worst: sums in blocks.
    const blocked: Case = { ...full, input: [5, 5, Math.ceil(limit * 1.02) + 1] };
    const outcomes = [...CASES, full, blocked].map((c) => runS8(kernels, next, c, r, algorithm));
    yield summarise(outcomes, "exact", "bit for bit");
    if (found.nested.result.odd !== 1n) continue;
    for (const bits of [8, 9]) {
      const scaled = { scaling: { bits, granularity: "tap" } as const, transforms: found };
      const rounded = CASES.map((c) => runS8(kernels, next, c, r, algorithm, scaled));
      yield summarise(rounded, `${bits} bits, tap`, "bit for bit");
    }
  }
}
