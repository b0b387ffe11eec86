/** CPUs: what this library takes for a network, layer by layer as its engine runs them. */
import type { Layer, Network, Shape } from "../../network/description.ts";
import { tensorsRead } from "../../network/graph.ts";
import type { Cpu, KernelCosts } from "../devices/description.ts";
import {
  type Bytes,
  type LayerReport,
  type MemoryTraffic,
  NO_BYTES,
  type SimulationReport,
  totalOf,
} from "../report.ts";
import { layerWorks } from "./layers.ts";
import { type CpuLowerOptions, type CpuProgram, lowerForCpu } from "./lower.ts";
import { TIERS, tierOf, type WorkCycles, workCycles } from "./model.ts";
import { explain } from "./why.ts";
import type { Work } from "./work.ts";

/** Of a kernel that a device's description does not have; `explain` says so. */
const ASSUMED: KernelCosts = { fraction: 0.5, costs: {} };

/** One kernel's cycles for its work. */
export const cyclesOfWork = (device: Cpu, work: Work): WorkCycles =>
  workCycles(device, work, device.kernels[work.kernel] ?? ASSUMED);

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

/** Caches count as SRAM. */
function trafficOf(device: Cpu, works: readonly Work[]): MemoryTraffic {
  const moved = (written: boolean): Bytes => {
    const streams = works.flatMap((work) => work.streams).filter(({ write = false }) => write === written);
    const sum = (list: typeof streams): number => list.reduce((total, { bytes }) => total + bytes, 0);
    const dram = sum(streams.filter(({ distance }) => tierOf(device, distance) === "DRAM"));
    return { ...NO_BYTES, sram: sum(streams) - dram, dram };
  };
  return { read: moved(false), write: moved(true) };
}

/** Of each layer that runs, the description's layers: those that are gone go with the next one behind them that is still there. */
function standsFor(network: Network, program: CpuProgram): ReadonlyMap<string, readonly string[]> {
  const kept = new Set(program.network.layers.map(({ name }) => name));
  const found = new Map<string, string[]>();
  const homeOf = (name: string): string | undefined => {
    if (kept.has(name)) return name;
    const reader = network.layers.find((layer) => tensorsRead(layer).includes(name));
    return reader && homeOf(reader.name);
  };
  for (const { name, op } of network.layers) {
    const home = op === "input" ? undefined : homeOf(name);
    if (home !== undefined) found.set(home, [...(found.get(home) ?? []), name]);
  }
  // What a pass has put in the place of one layer bears its name and more.
  const names = network.layers.map(({ name }) => name).sort((a, b) => b.length - a.length);
  for (const name of kept) {
    const origin = found.has(name) ? undefined : names.find((one) => name.startsWith(`${one}.`));
    if (origin !== undefined) found.set(name, [origin]);
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
    bytes: trafficOf(device, works),
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
