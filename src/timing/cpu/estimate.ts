/** CPUs: what this library takes for a network, layer by layer as its engine runs them. */
import type { Layer, Network, Shape } from "../../network/description.ts";
import type { Cpu, KernelCosts } from "../devices/description.ts";
import { type LayerReport, type MemoryTraffic, NO_BYTES, type SimulationReport, totalOf } from "../report.ts";
import { layerWorks } from "./layers.ts";
import { type CpuLowerOptions, type CpuProgram, lowerForCpu } from "./lower.ts";
import { TIERS, type WorkCycles, workCycles } from "./model.ts";
import { explain } from "./why.ts";
import type { Work } from "./work.ts";

/** A kernel that a device's description has no costs for: what it does is counted as one vector operation a unit. */
const UNKNOWN: KernelCosts = { fraction: 0.5, costs: {} };

const costsOf = ({ kernels }: Cpu, { kernel, parts }: Work): KernelCosts =>
  kernels[kernel] ?? { ...UNKNOWN, costs: Object.fromEntries(Object.keys(parts).map((name) => [name, 1])) };

/** One kernel's cycles for its work. */
export const cyclesOfWork = (device: Cpu, work: Work): WorkCycles => workCycles(device, work, costsOf(device, work));

/** Cycles by resource; what does nothing is absent. */
function resourcesOf(parts: readonly WorkCycles[]): Record<string, number> {
  const sum = (of: (part: WorkCycles) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const all = {
    compute: sum(({ compute }) => compute),
    ...Object.fromEntries(TIERS.map((tier) => [tier, sum(({ memory }) => memory[tier])])),
    packing: sum(({ packing }) => packing),
    call: sum(({ call }) => call),
  };
  return Object.fromEntries(Object.entries(all).filter(([, cycles]) => cycles > 0));
}

/** Caches count as SRAM. Of each tier a part is written: the share that the layer's output has of its maps. */
function trafficOf(parts: readonly WorkCycles[]): MemoryTraffic {
  const sum = (of: (part: WorkCycles) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const sram = sum(({ bytes }) => bytes.L1 + bytes.L2 + bytes.L3);
  return { read: { ...NO_BYTES, sram, dram: sum(({ bytes }) => bytes.DRAM) }, write: NO_BYTES };
}

/** Of a fused layer the description's layers: each goes with the next one behind it that is still there. */
function standsFor(network: Network, program: CpuProgram): ReadonlyMap<string, readonly string[]> {
  const kept = new Set(program.network.layers.map(({ name }) => name));
  const found = new Map<string, string[]>();
  const nextOf = (name: string): string | undefined => {
    if (kept.has(name)) return name;
    const reader = network.layers.find(
      (layer) => JSON.stringify(Object.values(layer)).includes(JSON.stringify(name)) && layer.name !== name,
    );
    return reader && nextOf(reader.name);
  };
  for (const { name, op } of network.layers) {
    if (op === "input") continue;
    const home = nextOf(name);
    if (home !== undefined) found.set(home, [...(found.get(home) ?? []), name]);
  }
  return found;
}

function reportOf(
  device: Cpu,
  program: CpuProgram,
  { layer, works }: { layer: Layer; works: readonly Work[] },
  layers: readonly string[],
): LayerReport {
  const parts = works.map((work) => cyclesOfWork(device, work));
  const cycles = parts.reduce((sum, part) => sum + part.cycles, 0);
  const macs = works.reduce((sum, work) => sum + work.usefulMacs, 0);
  const cyclesByResource = resourcesOf(parts);
  const [bound] = Object.entries(cyclesByResource).reduce((a, b) => (b[1] > a[1] ? b : a), ["call", 0]);
  const peak = device.peak[program.precision];
  return {
    name: layer.name,
    layers,
    operation: works.map(({ kernel }) => kernel).join(" + "),
    shape: program.shapes.get(layer.name) as Shape,
    macs,
    cyclesByResource,
    cycles,
    ms: (cycles / device.clockHz) * 1000,
    bound,
    why: explain(device, works, parts, bound, program.schedule.strips.strips.length),
    bytes: trafficOf(parts),
    utilisation: macs / (cycles * peak),
  };
}

/** @throws WasmogradError as `lowerForCpu` */
export function estimateCpu(
  device: Cpu,
  network: Network,
  input: readonly [height: number, width: number],
  options: CpuLowerOptions,
): SimulationReport {
  const program = lowerForCpu(network, input, options);
  const names = standsFor(network, program);
  const layers = layerWorks(program)
    .filter(({ works }) => works.length > 0)
    .map((one) => reportOf(device, program, one, names.get(one.layer.name) ?? [one.layer.name]));
  const { clockHz } = device;
  const total = totalOf(layers, { clockHz, macsPerCycle: device.peak[program.precision], sramPeakBytes: null });
  return { network: network.name, device: device.id, mode: "analytic", clockHz, total, layers };
}
