/** From timed cases to a CPU's description, and how well it predicts what was not fitted. */

import { cyclesOfWork } from "../timing/cpu/estimate.ts";
import { errorsOf, type Fit, type FitDevice, type FitErrors, fitCosts, type Measurement } from "../timing/cpu/fit.ts";
import { layerWorks } from "../timing/cpu/layers.ts";
import { lowerForCpu } from "../timing/cpu/lower.ts";
import type { Work } from "../timing/cpu/work.ts";
import type { Cpu } from "../timing/devices/description.ts";
import type { Bandwidths, Caches } from "./calibration.ts";
import { caseNetwork, type KernelCase } from "./kernel-cases.ts";

export interface TimedCase {
  readonly case: KernelCase;
  readonly ms: number;
}

/** What a calibration measures, and where. */
export interface CalibrationRun {
  /** As people read it: processor, runtime, day. */
  readonly machine: string;
  /** Cycles are counted at this clock, the nominal one. */
  readonly clockHz: number;
  readonly caches: Caches;
  readonly bytesPerSecond: Bandwidths;
  readonly macsPerSecond: { readonly int8: number; readonly f32: number };
  readonly fitted: readonly TimedCase[];
  readonly heldOut: readonly TimedCase[];
}

/** The work of a case's layer, as it is timed. */
export function caseWorks(c: KernelCase): readonly Work[] {
  const program = lowerForCpu(caseNetwork(c), [c.height, c.width], {
    precision: c.precision,
    whole: true,
    ...(c.algorithm && { algorithm: c.algorithm }),
  });
  return layerWorks(program).flatMap(({ works }) => works);
}

function described({ machine, clockHz, caches, bytesPerSecond, macsPerSecond }: CalibrationRun): FitDevice {
  const tier = (name: keyof Caches) => ({
    bytes: caches[name],
    bytesPerCycle: rounded(bytesPerSecond[name] / clockHz),
  });
  return {
    kind: "cpu",
    id: "host",
    source: `measured on ${machine}`,
    clockHz,
    peak: { int8: rounded(macsPerSecond.int8 / clockHz), f32: rounded(macsPerSecond.f32 / clockHz) },
    l1: tier("l1"),
    l2: tier("l2"),
    l3: tier("l3"),
    dramBytesPerSecond: bytesPerSecond.dram,
  };
}

const rounded = (value: number): number => Number(value.toPrecision(4));

/** Costs in four digits. */
function roundedFit({ callCycles, kernels }: Fit): Fit {
  const roundedKernels = Object.entries(kernels).map(([name, { fraction, costs }]) => {
    const parts = Object.entries(costs).map(([part, cycles]) => [part, rounded(cycles)] as const);
    return [name, { fraction: rounded(fraction), costs: Object.fromEntries(parts) }] as const;
  });
  return { callCycles: rounded(callCycles), kernels: Object.fromEntries(roundedKernels) };
}

/**
 * Fits a CPU to the fitted cases: kernels that were timed by themselves first, then those that only run beside such ones, whose time is taken
 * off.
 */
export function fitCalibration(run: CalibrationRun): Cpu {
  const device = described(run);
  const samples = run.fitted.map(({ case: c, ms }) => ({ works: caseWorks(c), cycles: (ms * run.clockHz) / 1000 }));
  const alone = samples.flatMap(({ works, cycles }): Measurement[] =>
    works.length === 1 ? [{ work: works[0]!, cycles }] : [],
  );
  const first: Cpu = { ...device, ...roundedFit(fitCosts(device, alone)) };
  const beside = samples.flatMap(({ works, cycles }): Measurement[] => {
    const [unknown, ...more] = works.filter(({ kernel }) => !first.kernels[kernel]);
    if (!unknown || more.length > 0) return [];
    const others = works.filter((work) => work !== unknown);
    return [{ work: unknown, cycles: others.reduce((left, work) => left - cyclesOfWork(first, work).cycles, cycles) }];
  });
  const second = roundedFit(fitCosts(device, beside, first.callCycles));
  const kernels = Object.entries({ ...first.kernels, ...second.kernels }).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...first, kernels: Object.fromEntries(kernels) };
}

export interface Predicted {
  /** That takes longest. */
  readonly kernel: string;
  readonly case: KernelCase;
  readonly predicted: number;
  readonly measured: number;
}

/** Milliseconds of timed cases as a CPU's description has them. */
export function predictCases(device: Cpu, cases: readonly TimedCase[]): Predicted[] {
  return cases.map(({ case: c, ms }) => {
    const works = caseWorks(c);
    const parts = works.map((work) => ({ kernel: work.kernel, cycles: cyclesOfWork(device, work).cycles }));
    const { kernel } = parts.reduce((longest, part) => (part.cycles > longest.cycles ? part : longest));
    const cycles = parts.reduce((sum, part) => sum + part.cycles, 0);
    return { kernel, case: c, predicted: (1000 * cycles) / device.clockHz, measured: ms };
  });
}

/** Errors of all predictions, and by kernel in the order of their names. */
export function calibrationErrors(predicted: readonly Predicted[]): {
  readonly all: FitErrors;
  readonly byKernel: ReadonlyMap<string, FitErrors>;
} {
  const kernels = [...new Set(predicted.map(({ kernel }) => kernel))].sort();
  return {
    all: errorsOf(predicted),
    byKernel: new Map(kernels.map((name) => [name, errorsOf(predicted.filter(({ kernel }) => kernel === name))])),
  };
}
