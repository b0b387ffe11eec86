/** Ethos-U: one sentence on what an operation's time comes from. */
import type { EthosU } from "../devices/description.ts";
import { macsOf, tensorsOf } from "../operation.ts";
import { outputCycles } from "./cycles.ts";
import type { Step, StepEstimate } from "./step.ts";

const percent = (part: number): string => `${Math.round(100 * part)} %`;
const channels = (count: number, of: string): string => `${count} ${of} channel${count === 1 ? " fills" : "s fill"}`;
const NAMES = { sram: "the SRAM", onChipFlash: "on-chip flash", dram: "the DRAM", flash: "the flash" } as const;

/** Idle multipliers, by what leaves them idle. */
function idle({ core }: EthosU, { operation, block }: Step): string {
  if (operation.kind === "depthwise") return "depthwise filters feed one input channel to each output";
  if (operation.kind === "elementwise" || operation.kind.endsWith("pool")) return "";
  const depth = operation.input.shape[2];
  const step = block.partKernel ? 8 : 32;
  const filled = depth / (Math.ceil(depth / step) * step);
  if (filled <= 0.75) return `${channels(depth, "input")} ${percent(filled)} of the ${step} that are read together`;
  const deep = operation.output.shape[2];
  const used = deep / (Math.ceil(deep / core.microBlock[2]) * core.microBlock[2]);
  if (used <= 0.75) return `${channels(deep, "output")} ${percent(used)} of the micro-block's`;
  return "";
}

function memoryReason(step: Step, { bytes }: StepEstimate, bound: keyof typeof NAMES): string {
  const { place, staging } = step;
  const moved = Math.round((bytes.read[bound] + bytes.write[bound]) / 1024);
  if (!staging && place.weights === bound && bound !== place.input) {
    return `${NAMES[bound]} gives weights more slowly than they are used: ${moved} KiB, read in place with each block`;
  }
  const { operation } = step;
  const linear = [...tensorsOf(operation), operation.output].some(({ layout }) => layout === "linear");
  const waste = linear ? "; short runs of bytes, as the host's layout has them, waste bursts" : "";
  return `${NAMES[bound]} moves ${moved} KiB, which takes longer than to compute${waste}`;
}

function outputReason(device: EthosU, { operation }: Step): string {
  const perValue = outputCycles(device, operation);
  const table = operation.activation === "table" && device.core.activationCycles.table >= perValue;
  const elementwise = operation.kind === "elementwise";
  const what = table ? "looking values up in a table" : elementwise ? "the output unit" : "writing outputs";
  return `${what} takes ${perValue} cycles a value${elementwise ? "" : ", longer than the products"}`;
}

/** @param cycles that the operation takes */
function macReason(device: EthosU, step: Step, cycles: number): string {
  const macs = macsOf(step.operation) / (cycles * device.core.macsPerCycle);
  const reason = idle(device, step);
  return `the MAC units work at ${percent(macs)} of their peak${reason && `: ${reason}`}`;
}

/** @param bound "npu" or the memory that is busy longest */
export function explain(device: EthosU, step: Step, estimate: StepEstimate, bound: string): string {
  if (bound !== "npu") return memoryReason(step, estimate, bound as keyof typeof NAMES);
  const { operation } = step;
  const { units, npu } = estimate;
  if (npu > 1.1 * units.total) {
    const waits = step.staging
      ? "weights are copied into SRAM more slowly than the operations before leave time for"
      : "its table arrives late";
    return `${percent(1 - units.total / npu)} of the time ${waits}`;
  }
  const atFloor = units.floor >= Math.max(units.mac, units.output);
  if (atFloor) return "blocks are too small to hide commands and memory latency";
  if (operation.kind === "elementwise" || units.output > units.mac) return outputReason(device, step);
  return macReason(device, step, npu);
}

/** What the event simulation saw of an operation. */
export interface Observed {
  readonly cycles: number;
  readonly cyclesByResource: Readonly<Record<string, number>>;
  readonly waitsForWeights: number;
  readonly waitsForMemory: number;
}

/** Resources that an operation can be bound by, beside what it waits for. */
const UNITS = ["mac", "output", "sram", "onChipFlash", "dram", "flash"] as const;

/** What binds an operation in event mode: the resource that is busy longest, unless units stand still for longer than that. */
export function explainEvents(
  device: EthosU,
  step: Step,
  estimate: StepEstimate,
  { cycles, cyclesByResource, waitsForWeights, waitsForMemory }: Observed,
): { readonly bound: string; readonly why: string } {
  const busy = (resource: string): number => cyclesByResource[resource] ?? 0;
  const unit = UNITS.reduce((most, one) => (busy(one) > busy(most) ? one : most));
  const share = (part: number): number => (cycles > 0 ? part / cycles : 0);
  if (waitsForWeights > busy(unit) && waitsForWeights >= waitsForMemory && busy("weightDma") > 0) {
    const what = step.staging ? "weights are still being copied into SRAM" : "its table is still being loaded";
    return { bound: "weightDma", why: `${percent(share(waitsForWeights))} of the time ${what}` };
  }
  const waits = waitsForMemory > busy(unit) && busy("dmaIn") > 0;
  if (waits) {
    const why = `${percent(share(waitsForMemory))} of the time no block is there: too few of them to hide latency and the operation before`;
    return { bound: "dmaIn", why };
  }
  const reasons = {
    mac: () => macReason(device, step, cycles),
    output: () => outputReason(device, step),
  };
  const why = unit === "mac" || unit === "output" ? reasons[unit]() : memoryReason(step, estimate, unit);
  const lost = Math.max(waitsForWeights, waitsForMemory);
  const slowMemory = unit !== "mac" && unit !== "output" && waitsForMemory >= waitsForWeights;
  if (slowMemory || share(lost) <= 0.1) return { bound: unit, why };
  const waitsFor = waitsForWeights >= waitsForMemory ? "weights" : "inputs";
  return { bound: unit, why: `${why}; ${percent(share(lost))} of the time it waits for ${waitsFor}` };
}
