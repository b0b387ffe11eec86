/**
 * CPUs of Arm: widths, clocks and caches from the vendor's guides, optimisation guides and providers' pages; bandwidths behind the first
 * cache are assumed. What kernels take is carried over from the measured machine of host-costs.ts, by the vectors that a core handles a
 * cycle. Projected, not calibrated.
 */
import type { CacheTier, Cpu, KernelCosts } from "./description.ts";
import { HOST_COSTS } from "./host-costs.ts";

/** What the kernels are compiled to. "webassembly": as V8 does; "native": by the widest products that the core has. */
export const CPU_SYSTEMS = [{ id: "webassembly" }, { id: "native" }] as const;
export type CpuSystem = (typeof CPU_SYSTEMS)[number]["id"];

const KIB = 1024;

type Cache = readonly [kib: number, bytesPerCycle: number];

export interface CpuCore {
  readonly id: string;
  readonly gigahertz: number;
  /** Vectors of 128 bits that are computed with in a cycle. */
  readonly vectors: number;
  /** int8 multiply-accumulates a cycle by SDOT or, where the core has it, SMMLA. */
  readonly int8: number;
  /** Of each cache KiB and bytes a cycle. */
  readonly l1: Cache;
  readonly l2: Cache;
  /** Of the cluster or the system, as far as one core comes by it. */
  readonly l3: Cache;
  /** GB/s that one core gets. */
  readonly dram: number;
}

const tier = ([kib, bytesPerCycle]: Cache): CacheTier => ({ bytes: kib * KIB, bytesPerCycle });

/** In the order in which they came. */
// biome-ignore format: a core a line
export const CPU_CORES: readonly CpuCore[] = [
  { id: "cortex-a55", gigahertz: 1.8, vectors: 1, int8: 16, l1: [32, 16], l2: [128, 8], l3: [1024, 4], dram: 5 },
  { id: "cortex-a76", gigahertz: 2.4, vectors: 2, int8: 32, l1: [64, 32], l2: [512, 16], l3: [2048, 8], dram: 12 },
  { id: "cortex-a78", gigahertz: 2.6, vectors: 2, int8: 32, l1: [64, 32], l2: [512, 16], l3: [4096, 8], dram: 15 },
  { id: "cortex-x1", gigahertz: 2.9, vectors: 4, int8: 64, l1: [64, 48], l2: [1024, 32], l3: [4096, 12], dram: 20 },
  { id: "cortex-a510", gigahertz: 1.8, vectors: 2, int8: 64, l1: [32, 32], l2: [256, 16], l3: [4096, 8], dram: 8 },
  { id: "neoverse-n1", gigahertz: 2.5, vectors: 2, int8: 32, l1: [64, 32], l2: [1024, 16], l3: [32768, 8], dram: 20 },
  { id: "neoverse-v1", gigahertz: 2.6, vectors: 4, int8: 128, l1: [64, 48], l2: [1024, 32], l3: [32768, 12], dram: 25 },
  { id: "neoverse-n2", gigahertz: 2.8, vectors: 2, int8: 64, l1: [64, 32], l2: [1024, 16], l3: [32768, 8], dram: 25 },
  { id: "neoverse-v2", gigahertz: 2.8, vectors: 4, int8: 128, l1: [64, 48], l2: [2048, 32], l3: [36864, 12], dram: 30 },
];

/**
 * WebAssembly has neither a dot product of bytes nor fused multiplication and addition: on Arm an int8 step of 8 products is two widening
 * multiplications, a pairwise and a plain addition, an f32 step of 4 a multiplication and an addition. Two products a vector, either way.
 */
const WEBASSEMBLY_PRODUCTS = 2;
/** Of a fused multiplication and addition of f32. */
const FUSED_PRODUCTS = 4;
/** Vectors that the machine of host-costs.ts computes with in a cycle: two that multiply and two that add. */
const HOST_VECTORS = 4;

/** Costs of the measured machine on a core of another width; shares of the peak are taken to be the same. */
function carriedOver(costs: KernelCosts["costs"], vectors: number): KernelCosts["costs"] {
  return Object.fromEntries(Object.entries(costs).map(([name, cycles]) => [name, (cycles * HOST_VECTORS) / vectors]));
}

/** @param measured the machine whose costs are carried over; that of host-costs.ts unless given */
export function cpu(core: CpuCore, system: CpuSystem, measured: Cpu = HOST_COSTS): Cpu {
  const { id, gigahertz, vectors, int8, l1, l2, l3, dram } = core;
  const native = system === "native";
  const kernels = Object.entries(measured.kernels).map(([name, { fraction, costs }]) => {
    return [name, { fraction: Math.min(1, fraction), costs: carriedOver(costs, vectors) }] as const;
  });
  return {
    kind: "cpu",
    id,
    source: "projected from guides and from the kernels' costs on the measured machine, not calibrated",
    clockHz: gigahertz * 1e9,
    peak: native
      ? { int8, f32: vectors * FUSED_PRODUCTS }
      : { int8: vectors * WEBASSEMBLY_PRODUCTS, f32: vectors * WEBASSEMBLY_PRODUCTS },
    l1: tier(l1),
    l2: tier(l2),
    l3: tier(l3),
    dramBytesPerSecond: dram * 1e9,
    callCycles: (measured.callCycles * HOST_VECTORS) / vectors,
    kernels: Object.fromEntries(kernels),
  };
}
