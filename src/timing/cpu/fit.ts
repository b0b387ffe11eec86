/**
 * Costs of kernels from measurements: least squares of the relative errors with costs of at least 0, products and memory competing for the
 * time as in the model. Ours.
 */
import type { Cpu, KernelCosts } from "../devices/description.ts";
import { memoryCycles, productCycles } from "./model.ts";
import type { Work } from "./work.ts";

/** One kernel's work and how long it took. */
export interface Measurement {
  readonly work: Work;
  readonly cycles: number;
}

/** What is known of the device before anything is fitted. */
export type FitDevice = Omit<Cpu, "kernels" | "callCycles">;

export interface Fit {
  readonly callCycles: number;
  readonly kernels: Readonly<Record<string, KernelCosts>>;
}

/** Rounds in which products and memory are told apart and large errors lose weight. */
const ROUNDS = 25;
const SWEEPS = 400;
/** Errors below this weigh alike; above it by the root of their size, so that a few odd samples do not decide. */
const NOISE = 0.03;

/** min |A x - b|^2 over x >= 0, by coordinates. @param rows of A */
function nonNegative(rows: readonly (readonly number[])[], b: readonly number[], columns: number): number[] {
  const gram = Array.from({ length: columns }, (_, i) =>
    Array.from({ length: columns }, (_, j) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0)),
  );
  const right = Array.from({ length: columns }, (_, i) => rows.reduce((sum, row, n) => sum + row[i]! * b[n]!, 0));
  const x = new Array<number>(columns).fill(0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = 0; i < columns; i++) {
      const own = gram[i]![i]!;
      if (own === 0) continue;
      let rest = right[i]!;
      for (let j = 0; j < columns; j++) if (j !== i) rest -= gram[i]![j]! * x[j]!;
      x[i] = Math.max(0, rest / own);
    }
  }
  return x;
}

/** Of one kernel: its unit of time of products, costs of its parts, and of a call. */
interface KernelFit {
  readonly costs: KernelCosts;
  readonly call: number;
}

/** @param call cycles of a call where they are given; fitted otherwise */
function fitKernel(device: FitDevice, samples: readonly Measurement[], call?: number): KernelFit {
  const names = [...new Set(samples.flatMap(({ work }) => Object.keys(work.parts)))].sort();
  const hasProducts = samples.some(({ work }) => work.macs > 0);
  const prepared = samples.map(({ work, cycles }) => {
    const { memory } = memoryCycles(device, work);
    const parts = names.map((name) => work.parts[name] ?? 0);
    return {
      parts,
      calls: work.calls,
      cycles,
      memory: Math.max(...Object.values(memory)),
      peak: productCycles(device, work, 1),
    };
  });
  const bound = prepared.map(() => false);
  const weights = prepared.map(() => 1);
  let x: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const rows: number[][] = [];
    const right: number[] = [];
    for (const [n, { parts, calls, cycles, memory, peak }] of prepared.entries()) {
      const weight = weights[n]! / cycles;
      // What memory takes of a sample is known; without products nothing is left to fit.
      if (bound[n] && !hasProducts) continue;
      const known = (bound[n] ? memory : 0) + (call === undefined ? 0 : calls * call);
      rows.push([bound[n] ? 0 : peak, ...parts, call === undefined ? calls : 0].map((v) => v * weight));
      right.push((cycles - known) * weight);
    }
    x = nonNegative(rows, right, names.length + 2);
    for (const [n, { parts, calls, cycles, memory, peak }] of prepared.entries()) {
      const own = parts.reduce((sum, count, i) => sum + count * x[i + 1]!, 0);
      const compute = hasProducts ? peak * x[0]! : own;
      bound[n] = memory > compute;
      const total = Math.max(compute, memory) + (hasProducts ? own : 0) + calls * (call ?? x.at(-1)!);
      weights[n] = 1 / Math.sqrt(Math.sqrt(Math.max(NOISE, Math.abs(total / cycles - 1))));
    }
  }
  const fraction = hasProducts && x[0]! > 0 ? 1 / x[0]! : 1;
  return { costs: { fraction, costs: Object.fromEntries(names.map((name, i) => [name, x[i + 1]!])) }, call: x.at(-1)! };
}

/**
 * Fits what the device's description leaves open: of each kernel the share of the peak and the costs of its parts, and the cost of a call,
 * which is the median of what kernels without products say.
 * @param call cycles of a call where they are known
 */
export function fitCosts(device: FitDevice, measurements: readonly Measurement[], call?: number): Fit {
  const byKernel = new Map<string, Measurement[]>();
  for (const one of measurements) {
    const { kernel } = one.work;
    byKernel.set(kernel, [...(byKernel.get(kernel) ?? []), one]);
  }
  const kernels = [...byKernel].sort(([a], [b]) => (a < b ? -1 : 1));
  const calls = kernels
    .filter(([, samples]) => samples.every(({ work }) => work.macs === 0))
    .map(([, samples]) => fitKernel(device, samples).call)
    .sort((a, b) => a - b);
  const callCycles = call ?? calls[calls.length >> 1] ?? 0;
  return {
    callCycles,
    kernels: Object.fromEntries(kernels.map(([name, samples]) => [name, fitKernel(device, samples, callCycles).costs])),
  };
}

/** Relative errors of predictions, and how large they are. */
export interface FitErrors {
  readonly count: number;
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
}

/** Of |predicted / measured - 1|; the 95th percentile is the smallest error that 95 of 100 do not exceed. */
export function errorsOf(pairs: readonly { readonly predicted: number; readonly measured: number }[]): FitErrors {
  const sorted = pairs.map(({ predicted, measured }) => Math.abs(predicted / measured - 1)).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, median: at(0.5), p95: at(0.95), worst: at(1) };
}
