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
  if (operation.kind === "elementwise" || units.output > units.mac) {
    const perValue = outputCycles(device, operation);
    const table = operation.activation === "table" && device.core.activationCycles.table >= perValue;
    const what = table
      ? "looking values up in a table"
      : operation.kind === "elementwise"
        ? "the output unit"
        : "writing outputs";
    return `${what} takes ${perValue} cycles a value${operation.kind === "elementwise" ? "" : ", longer than the products"}`;
  }
  const macs = macsOf(operation) / (npu * device.core.macsPerCycle);
  const reason = idle(device, step);
  return `the MAC units work at ${percent(macs)} of their peak${reason && `: ${reason}`}`;
}
