import { WasmogradError } from "../errors.ts";
import { instantiateKernels } from "../kernels/load.ts";
import { pause } from "../pause.ts";
import { CONV_CASES, caseMacs, caseName, caseShape, prepareCase } from "./cases.ts";
import { median, relativeSpread, sample } from "./measure.ts";
import { type Roofline, rooflineFrom, rooflineProbes } from "./roofline.ts";

export interface KernelResult {
  readonly name: string;
  readonly shape: string;
  readonly medianMs: number;
  /** Half the interquartile range over the median. */
  readonly spread: number;
  /** Direct-convolution multiply-accumulates over the median time. */
  readonly gmacPerS: number;
  /** gmacPerS over the roofline of the same data type; above 1 is what fewer multiplications buy. */
  readonly ofRoofline: number;
}

export interface BenchReport {
  readonly roofline: Roofline;
  readonly kernels: readonly KernelResult[];
}

export const SUITES = ["all", "int8", "f32"] as const;
export type Suite = (typeof SUITES)[number];

export interface SuiteOptions {
  /** Checked before each kernel. */
  readonly signal?: AbortSignal;
  /** Told the kernel that is about to be timed; `fraction` of them are done. */
  readonly onProgress?: (fraction: number, name: string) => void;
}

/**
 * Times every kernel of a suite on this machine. The roofline is measured right before and after each kernel and the faster of the
 * two counts for it, so that a change of clock speed in between cannot flatter a kernel.
 * @throws WasmogradError ERR_ARGUMENT on an unknown suite
 */
export async function runSuite(suite: Suite, options: SuiteOptions = {}): Promise<BenchReport> {
  if (!SUITES.includes(suite)) {
    throw new WasmogradError("ERR_ARGUMENT", `suite: expected one of ${SUITES.join(", ")}, got ${String(suite)}`);
  }
  const probes = await rooflineProbes();
  const kernels = await instantiateKernels();
  const rooflines: Roofline[] = [];
  const measure = (): Roofline => {
    const roofline = rooflineFrom(sample(probes.dot), sample(probes.f32), probes);
    rooflines.push(roofline);
    return roofline;
  };
  const results: KernelResult[] = [];
  let before = measure();
  const cases = CONV_CASES.filter((c) => suite === "all" || suite === c.dtype);
  for (const [i, c] of cases.entries()) {
    options.signal?.throwIfAborted();
    options.onProgress?.(i / cases.length, `${caseName(c)} ${caseShape(c)}`);
    await pause();
    const prepared = prepareCase(kernels, c);
    const { samplesMs } = sample(prepared.run);
    prepared.dispose();
    const after = measure();
    const key = c.dtype === "int8" ? "dotI16x8" : "f32MulAdd";
    const medianMs = median(samplesMs);
    const gmacPerS = caseMacs(c) / medianMs / 1e6;
    results.push({
      name: caseName(c),
      shape: caseShape(c),
      medianMs,
      spread: relativeSpread(samplesMs),
      gmacPerS,
      ofRoofline: gmacPerS / Math.max(before[key], after[key]),
    });
    before = after;
  }
  return {
    roofline: {
      dotI16x8: median(rooflines.map((r) => r.dotI16x8)),
      f32MulAdd: median(rooflines.map((r) => r.f32MulAdd)),
    },
    kernels: results,
  };
}
