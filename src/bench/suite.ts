import { WasmogradError } from "../errors.ts";
import { instantiateKernels } from "../kernels/load.ts";
import { pause } from "../pause.ts";
import { CONV_CASES, type ConvCase, caseMacs, caseName, caseShape, layerName, prepareCase } from "./cases.ts";
import { alternate, median, medianRatio, relativeSpread } from "./measure.ts";
import { type Roofline, rooflineProbes } from "./roofline.ts";

export interface KernelResult {
  readonly name: string;
  readonly shape: string;
  readonly medianMs: number;
  /** Half the interquartile range over the median. */
  readonly spread: number;
  /** Direct-convolution multiply-accumulates over the median time. */
  readonly gmacPerS: number;
  /** gmacPerS over the roofline of the same data type in the same rounds; above 1 is what fewer multiplications buy. */
  readonly ofRoofline: number;
  /** Time of direct convolution over this one's, in the same rounds. */
  readonly overDirect: number;
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

/** Cases of one layer in one data type, direct convolution first: those that are timed alternately. */
function groups(suite: Suite): ConvCase[][] {
  const found = new Map<string, ConvCase[]>();
  for (const c of CONV_CASES) {
    if (suite !== "all" && suite !== c.dtype) continue;
    const key = `${layerName(c)} ${caseShape(c)}`;
    found.set(key, [...(found.get(key) ?? []), c]);
  }
  return [...found.values()];
}

/**
 * Times every kernel of a suite on this machine. The kernels of one layer and the roofline of their data type are timed alternately, and
 * ratios are medians over the rounds, so that a change of clock speed cannot flatter any of them.
 * @throws WasmogradError ERR_ARGUMENT on an unknown suite
 */
export async function runSuite(suite: Suite, options: SuiteOptions = {}): Promise<BenchReport> {
  if (!SUITES.includes(suite)) {
    throw new WasmogradError("ERR_ARGUMENT", `suite: expected one of ${SUITES.join(", ")}, got ${String(suite)}`);
  }
  const probes = await rooflineProbes();
  const kernels = await instantiateKernels();
  const rates: Record<ConvCase["dtype"], number[]> = { int8: [], f32: [] };
  const results: KernelResult[] = [];
  const all = groups(suite);
  for (const [i, cases] of all.entries()) {
    options.signal?.throwIfAborted();
    const [first] = cases as [ConvCase];
    options.onProgress?.(i / all.length, `${layerName(first)} ${caseShape(first)}`);
    await pause();
    const prepared = cases.map((c) => prepareCase(kernels, c));
    const [probe, macs] = first.dtype === "int8" ? [probes.dot, probes.dotMacs] : [probes.f32, probes.f32Macs];
    const [roofline, ...times] = alternate([probe, ...prepared.map(({ run }) => run)]) as [number[], ...number[][]];
    for (const { dispose } of prepared) dispose();
    rates[first.dtype].push(macs / median(roofline) / 1e6);
    for (const [j, c] of cases.entries()) {
      const medianMs = median(times[j]!);
      results.push({
        name: caseName(c),
        shape: caseShape(c),
        medianMs,
        spread: relativeSpread(times[j]!),
        gmacPerS: caseMacs(c) / medianMs / 1e6,
        ofRoofline: (caseMacs(c) / macs) * medianRatio(roofline, times[j]!),
        overDirect: medianRatio(times[0]!, times[j]!),
      });
    }
  }
  return {
    roofline: {
      dotI16x8: rates.int8.length > 0 ? median(rates.int8) : null,
      f32MulAdd: rates.f32.length > 0 ? median(rates.f32) : null,
    },
    kernels: results,
  };
}
