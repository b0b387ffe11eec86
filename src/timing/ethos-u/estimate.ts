/** Ethos-U, analytic mode: a network's time as the sum of its operations', each as long as its busiest resource. */
import type { EthosU, MemoryArea } from "../devices/description.ts";
import { hostReport } from "../host.ts";
import { macsOf, type Program } from "../operation.ts";
import { type LayerReport, NO_BYTES, type SimulationReport, totalOf } from "../report.ts";
import type { EncodedSize } from "../weights.ts";
import { prepareEthosU } from "./prepare.ts";
import { type HostStep, isHost, schedule } from "./schedule.ts";
import type { Step, StepEstimate } from "./step.ts";
import { explain } from "./why.ts";

const AREAS: readonly MemoryArea[] = ["sram", "onChipFlash", "dram", "flash"];

function resources(step: Step, { npu, units, memory }: StepEstimate): Record<string, number> {
  const { mac, output, blocks } = units;
  const cycles: Record<string, number> = { npu };
  if (step.operation.kind !== "elementwise") cycles.mac = mac * blocks;
  cycles.output = output * blocks;
  for (const area of AREAS) if (memory[area] > 0) cycles[area] = memory[area];
  return cycles;
}

/** What is the same of an operation in both modes. */
export function describeStep({ operation }: Step, { bytes }: StepEstimate) {
  return {
    name: operation.name,
    layers: operation.layers,
    operation: operation.kind === "elementwise" ? operation.function : operation.kind,
    shape: operation.output.shape,
    macs: macsOf(operation),
    bytes,
  };
}

function npuReport(device: EthosU, step: Step, estimate: StepEstimate): LayerReport {
  const described = describeStep(step, estimate);
  const cycles = estimate.total;
  const bound = (["npu", ...AREAS] as const).find((r) => (r === "npu" ? estimate.npu : estimate.memory[r]) === cycles)!;
  return {
    ...described,
    cyclesByResource: resources(step, estimate),
    cycles,
    ms: (cycles / device.system.clockHz) * 1000,
    bound,
    why: explain(device, step, estimate, bound),
    utilisation: described.macs / (cycles * device.core.macsPerCycle),
  };
}

export function ofHost(device: EthosU, { operation, place }: HostStep): LayerReport {
  const written = operation.output.shape.reduce((a, b) => a * b) * (operation.bits / 8);
  const read = Math.max(0, operation.bytes - written);
  const bytes = { read: { ...NO_BYTES, [place.input]: read }, write: { ...NO_BYTES, [place.output]: written } };
  const { macsPerCycle } = device.core;
  return hostReport(operation, bytes, { host: device.host, clockHz: device.system.clockHz, macsPerCycle });
}

/** @throws WasmogradError as `schedule` */
export function estimateEthosU(device: EthosU, program: Program, size: EncodedSize): SimulationReport {
  const { steps, sramPeakBytes } = schedule(device, prepareEthosU(program), size);
  const layers = steps.map(({ step, estimate }) =>
    isHost(step) ? ofHost(device, step) : npuReport(device, step, estimate!),
  );
  const { clockHz } = device.system;
  const total = totalOf(layers, { clockHz, macsPerCycle: device.core.macsPerCycle, sramPeakBytes });
  return { network: program.name, device: device.id, mode: "analytic", clockHz, total, layers };
}
