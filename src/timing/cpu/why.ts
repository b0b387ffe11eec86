/** CPUs: one sentence on what a layer's time comes from. */
import type { Cpu } from "../devices/description.ts";
import { ASSUMED_COST, TIERS, type Tier, type WorkCycles } from "./model.ts";
import { tailText } from "./tails.ts";
import type { Work } from "./work.ts";

const percent = (part: number): string => `${Math.round(100 * part)} %`;
const kibibytes = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;

const isTier = (bound: string): bound is Tier => (TIERS as readonly string[]).includes(bound);

/** What of a kernel's work its parts are, as a sentence has it. */
const PARTS: Readonly<Record<string, string>> = {
  input: "copying and transforming the input",
  output: "requantising, clamping and storing the output",
  halves: "output tiles that do not fill the kernel's",
  odd: "output channels that are no multiple of four, stored one by one",
  turns: "short inner loops, which must begin and end",
  lines: "short inner loops, which must begin and end",
  tiles: "short inner loops, which must begin and end",
  borders: "tiles at the borders, whose input is copied first",
  borderBytes: "tiles at the borders, whose input is copied first",
  edges: "channels beyond the last sixteen",
  residual: "adding the residual",
  scores: "softmax",
};

function largestPart(device: Cpu, works: readonly Work[]): string | undefined {
  const sums = new Map<string, number>();
  for (const { kernel, parts } of works) {
    for (const [name, count] of Object.entries(parts)) {
      const text = PARTS[name];
      if (text === undefined) continue;
      sums.set(text, (sums.get(text) ?? 0) + count * (device.kernels[kernel]?.costs[name] ?? ASSUMED_COST));
    }
  }
  return [...sums].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** @param bound the resource that is busy longest */
export function explain(
  device: Cpu,
  works: readonly Work[],
  parts: readonly WorkCycles[],
  bound: string,
  strips: number,
): string {
  const tails = works.flatMap((work) => work.tails.map(tailText)).filter((text) => text !== undefined);
  const unknown = works.filter(({ kernel }) => !device.kernels[kernel]).map(({ kernel }) => kernel);
  const assumed = unknown.length > 0 ? `; costs of ${unknown.join(", ")} are assumed, as the device has none` : "";
  const waste = (tails.length > 0 ? `; ${[...new Set(tails)].join(", ")}` : "") + assumed;
  if (isTier(bound)) {
    const bytes = parts.reduce((sum, part) => sum + part.bytes[bound], 0);
    const name = bound === "DRAM" ? "the DRAM" : `the ${bound} cache`;
    return `memory-bound: ${name} gives ${kibibytes(bytes)}, which takes longer than to compute${waste}`;
  }
  if (bound === "call")
    return `calls into WebAssembly, ${strips} strip${strips === 1 ? "" : "s"}, take longer than the work`;
  if (bound === "packing") {
    const part = largestPart(device, works) ?? "packing";
    return `what is not products takes longest, above all ${part}${waste}`;
  }
  const macs = works.reduce((sum, work) => sum + work.macs, 0);
  if (macs === 0) {
    const evicted = works.some(({ parts: { conflicts = 0 } }) => conflicts > 0);
    return `a loop over the values${evicted ? ", which fall into few sets of the first cache" : ""}${waste}`;
  }
  const useful = works.reduce((sum, work) => sum + work.usefulMacs, 0);
  const cycles = parts.reduce((sum, part) => sum + part.cycles, 0);
  const busy = parts.reduce((sum, part) => sum + part.compute, 0) / cycles;
  const saved = useful > macs ? `; direct convolution would have ${(useful / macs).toFixed(2)} times as many` : "";
  return `products take ${percent(busy)} of the time${saved}${waste}`;
}
