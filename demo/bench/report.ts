/** What a bench gives, here as on the command line, and reading it back. */
import type { BenchReport, KernelResult } from "../../src/bench/suite.ts";

/** The document of `wasmograd bench --json`; in a page the machine is what the browser tells of it. */
export interface BenchDocument extends BenchReport {
  readonly machine: Readonly<Record<string, string | number>>;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function isKernel(value: unknown): value is KernelResult {
  if (!isRecord(value)) return false;
  const numbers = ["medianMs", "spread", "gmacPerS", "ofRoofline", "overDirect"];
  return (
    [value.name, value.shape].every((x) => typeof x === "string") && numbers.every((x) => typeof value[x] === "number")
  );
}

/** @throws Error, one line, when the text is no report */
export function parseReport(text: string): BenchDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("that is not JSON");
  }
  const rate = (x: unknown): boolean => x === null || typeof x === "number";
  const sound =
    isRecord(value) &&
    isRecord(value.machine) &&
    isRecord(value.roofline) &&
    rate(value.roofline.dotI16x8) &&
    rate(value.roofline.f32MulAdd) &&
    Array.isArray(value.kernels) &&
    value.kernels.every(isKernel);
  if (!sound) throw new Error("that is not a report of wasmograd bench --json");
  return value as unknown as BenchDocument;
}

/** Kernels of one data type by layer, in their order. */
export interface Layer {
  readonly name: string;
  readonly shape: string;
  readonly kernels: readonly { readonly algorithm: string; readonly result: KernelResult }[];
}

/** "int8 conv3x3 direct" is the algorithm "direct" of the layer "conv3x3". */
export function layersOf(report: BenchReport, dtype: "int8" | "f32"): Layer[] {
  const layers = new Map<
    string,
    { name: string; shape: string; kernels: { algorithm: string; result: KernelResult }[] }
  >();
  for (const result of report.kernels) {
    const [type, name, ...algorithm] = result.name.split(" ");
    if (type !== dtype || name === undefined) continue;
    const key = `${name} ${result.shape}`;
    const layer = layers.get(key) ?? { name, shape: result.shape, kernels: [] };
    layer.kernels.push({ algorithm: algorithm.join(" "), result });
    layers.set(key, layer);
  }
  return [...layers.values()];
}
