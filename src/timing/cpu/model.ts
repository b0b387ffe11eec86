/** What work costs on a CPU: a roofline with the tiers of the memory, and beside it what no roofline shows. */
import type { Cpu, KernelCosts } from "../devices/description.ts";
import type { Work } from "./work.ts";

export const TIERS = ["L1", "L2", "L3", "DRAM"] as const;
export type Tier = (typeof TIERS)[number];

export interface WorkCycles {
  /** Products in the kernel's tiles; of a kernel without products all that it does. */
  readonly compute: number;
  /** Of each memory, for what it has to give. */
  readonly memory: Readonly<Record<Tier, number>>;
  /** Bytes that each has to give. */
  readonly bytes: Readonly<Record<Tier, number>>;
  /** Packing of inputs, starts of loops, outputs. */
  readonly packing: number;
  readonly call: number;
  /** max(compute, memory) + packing + call. */
  readonly cycles: number;
}

/** The tier that serves a stream: the smallest that holds what passes between two uses of a byte. */
export function tierOf({ l1, l2, l3 }: Pick<Cpu, "l1" | "l2" | "l3">, distance: number): Tier {
  if (distance <= l1.bytes) return "L1";
  if (distance <= l2.bytes) return "L2";
  return distance <= l3.bytes ? "L3" : "DRAM";
}

type Memory = Pick<Cpu, "clockHz" | "l1" | "l2" | "l3" | "dramBytesPerSecond">;

/** Bytes and cycles of each tier. */
export function memoryCycles(device: Memory, { streams }: Pick<Work, "streams">): Pick<WorkCycles, "bytes" | "memory"> {
  const bytes = { L1: 0, L2: 0, L3: 0, DRAM: 0 };
  for (const stream of streams) bytes[tierOf(device, stream.distance)] += stream.bytes;
  const { l1, l2, l3, dramBytesPerSecond, clockHz } = device;
  const memory = {
    L1: bytes.L1 / l1.bytesPerCycle,
    L2: bytes.L2 / l2.bytesPerCycle,
    L3: bytes.L3 / l3.bytesPerCycle,
    DRAM: (bytes.DRAM * clockHz) / dramBytesPerSecond,
  };
  return { bytes, memory };
}

/** Cycles of products at a kernel's share of the peak. */
export function productCycles({ peak }: Pick<Cpu, "peak">, { kernel, macs }: Work, fraction: number): number {
  return macs / (fraction * peak[isFloat(kernel) ? "f32" : "int8"]);
}

/** Kernels are named by what they compute in; copies and moves have no products. */
const isFloat = (kernel: string): boolean => kernel.startsWith("f32");

/** Cycles of a part that no calibration has met. */
export const ASSUMED_COST = 1;

/** Cycles of the parts of a kernel's work that are no products. */
export function partCycles({ parts }: Work, { costs }: KernelCosts): number {
  return Object.entries(parts).reduce((sum, [name, count]) => sum + count * (costs[name] ?? ASSUMED_COST), 0);
}

/** One kernel's cycles for its work. @param own what the kernel costs on the device */
export function workCycles(device: Cpu, work: Work, own: KernelCosts): WorkCycles {
  const parts = partCycles(work, own);
  const [compute, packing] = work.macs > 0 ? [productCycles(device, work, own.fraction), parts] : [parts, 0];
  const { bytes, memory } = memoryCycles(device, work);
  const call = work.calls * device.callCycles;
  const cycles = Math.max(compute, ...Object.values(memory)) + packing + call;
  return { compute, memory, bytes, packing, call, cycles };
}
