import { describe, expect, it } from "vitest";
import { caseWorks } from "../../src/bench/fit-calibration.ts";
import { calibrationCases, caseLabel } from "../../src/bench/kernel-cases.ts";
import { cyclesOfWork } from "../../src/timing/cpu/estimate.ts";
import { errorsOf, fitCosts, type Measurement } from "../../src/timing/cpu/fit.ts";
import type { Work } from "../../src/timing/cpu/work.ts";
import type { Cpu } from "../../src/timing/devices/description.ts";
import { device } from "../../src/timing/devices/registry.ts";

const cases = calibrationCases();

/** Costs that a golden fit is to find again: for each kernel a share of the peak, for each part a cost of its own. */
function knownDevice(works: readonly Work[]): Cpu {
  const base = device("host") as Cpu;
  const kernels = new Map<string, Cpu["kernels"][string]>();
  for (const { kernel, parts, macs } of works) {
    const known = kernels.get(kernel)?.costs ?? {};
    const added = Object.keys(parts).map((name) => [name, known[name] ?? 2 + name.length] as const);
    const fraction = macs > 0 ? 0.5 + (kernel.length % 5) / 10 : 1;
    kernels.set(kernel, { fraction, costs: { ...known, ...Object.fromEntries(added) } });
  }
  return { ...base, callCycles: 300, kernels: Object.fromEntries(kernels) };
}

describe("fit", () => {
  it("finds the costs that made a set of measurements", () => {
    const works = cases.fitted.flatMap((one) => caseWorks(one));
    const known = knownDevice(works);
    const measured = works.map((work): Measurement => ({ work, cycles: cyclesOfWork(known, work).cycles }));
    const { kernels, callCycles } = fitCosts(known, measured);
    expect(callCycles).toBeGreaterThan(285);
    expect(callCycles).toBeLessThan(315);
    for (const name of ["qs8_conv2d_4x8", "f32_conv2d_1x1_4x8", "qs8_conv2d_f4x4_3x3", "f32_dwconv2d_2x4x4"]) {
      expect(Math.abs(kernels[name]!.fraction / known.kernels[name]!.fraction - 1), name).toBeLessThan(0.02);
    }
    const heldOut = cases.heldOut.flatMap((one) => caseWorks(one));
    const fitted = { ...known, kernels, callCycles };
    const errors = errorsOf(
      heldOut.map((work) => ({
        predicted: cyclesOfWork(fitted, work).cycles,
        measured: cyclesOfWork(known, work).cycles,
      })),
    );
    expect(errors.median).toBeLessThan(0.005);
    expect(errors.p95).toBeLessThan(0.03);
  });

  it("finds a closed form: products at a share of the peak, a cost a part, a call", () => {
    const base = { ...(device("host") as Cpu), peak: { int8: 16, f32: 8 } };
    const work = (macs: number, output: number): Work => ({
      kernel: "qs8_test",
      macs,
      usefulMacs: macs,
      parts: { output },
      streams: [],
      calls: 1,
      rows: 1,
      tails: [],
    });
    const call = (count: number): Measurement => ({
      work: { ...work(0, count), kernel: "copy" },
      cycles: 3 * count + 100,
    });
    const products = [work(1e6, 10), work(2e5, 5000), work(4e6, 300), work(3e4, 20)];
    const measured = products.map((one) => ({
      work: one,
      cycles: one.macs / (0.8 * 16) + 7 * one.parts.output! + 100,
    }));
    const { kernels, callCycles } = fitCosts(base, [...measured, call(10), call(1000), call(200)]);
    expect(callCycles).toBeCloseTo(100, 3);
    expect(kernels.copy!.costs.output).toBeCloseTo(3, 5);
    expect(kernels.qs8_test!.fraction).toBeCloseTo(0.8, 3);
    expect(kernels.qs8_test!.costs.output).toBeCloseTo(7, 2);
  });

  it("knows which errors are the median and the 95th percentile", () => {
    const pairs = Array.from({ length: 100 }, (_, i) => ({ predicted: 100 + i, measured: 100 }));
    expect(errorsOf(pairs)).toEqual({
      count: 100,
      median: expect.closeTo(0.49),
      p95: expect.closeTo(0.94),
      worst: expect.closeTo(0.99),
    });
    expect(errorsOf([])).toEqual({ count: 0, median: 0, p95: 0, worst: 0 });
  });
});

describe("calibration cases", () => {
  it("are the same each time, and those held out are others than those fitted", () => {
    expect(calibrationCases()).toEqual(cases);
    const fitted = new Set(cases.fitted.map(caseLabel));
    expect(fitted.size).toBe(cases.fitted.length);
    expect(cases.heldOut.filter((one) => fitted.has(caseLabel(one)))).toEqual([]);
  });

  it("meet every kernel that they are drawn for", () => {
    const kernels = (list: typeof cases.fitted) => new Set(list.flatMap((one) => caseWorks(one).map((w) => w.kernel)));
    expect(kernels(cases.heldOut)).toEqual(kernels(cases.fitted));
    expect(kernels(cases.fitted).size).toBeGreaterThan(40);
  });
});
