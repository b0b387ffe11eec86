/** Ethos-U55 and U65: cores, systems and memory modes as the vendor's open compiler (3.10) knows them; read from its tables, not measured. */
import type { EthosU, EthosUCore, EthosUMemory, EthosUSystem, HostCpu, MemoryPort } from "./description.ts";

const COMMON = {
  cores: 1,
  largestBlock: [32, 64, 128],
  largestKernel: [8, 8],
  bankBytes: 1024,
  outputBanks: 2,
  endBanks: 2,
  tableBanks: 2,
  stepDelay: { accumulator32: 2, accumulator40: 2 },
  waitsPerDepthStep: false,
  int16Pooling: 2,
} as const;

const U55_32: EthosUCore = {
  ...COMMON,
  macsPerCycle: 32,
  microBlock: [1, 1, 4],
  banks: 16,
  endBanks: 0,
  granules: { input8: 2, input16: 2, accumulator32: 4, accumulator40: 4 },
  outputCycles: [2, 3, 3, 3, 4, 6, 1, 2],
  activationCycles: { table: 1, clamp: 1, none: 0 },
  stepDelay: { accumulator32: 3, accumulator40: 7 },
  waitsPerDepthStep: true,
  int16Pooling: 1,
};

const U55_64: EthosUCore = {
  ...COMMON,
  macsPerCycle: 64,
  microBlock: [1, 1, 8],
  banks: 16,
  endBanks: 0,
  granules: { input8: 2, input16: 2, accumulator32: 4, accumulator40: 8 },
  outputCycles: [1, 1.5, 1.5, 1.5, 2, 3, 0.5, 1],
  activationCycles: { table: 1, clamp: 1, none: 0 },
  stepDelay: { accumulator32: 2, accumulator40: 3 },
};

const U55_128: EthosUCore = {
  ...COMMON,
  macsPerCycle: 128,
  microBlock: [1, 2, 8],
  banks: 24,
  granules: { input8: 4, input16: 4, accumulator32: 8, accumulator40: 12 },
  outputCycles: [0.75, 1.25, 0.75, 0.75, 1, 1.5, 0.25, 0.5],
  activationCycles: { table: 1, clamp: 0.5, none: 0 },
  stepDelay: { accumulator32: 2, accumulator40: 3 },
};

const U55_256: EthosUCore = {
  ...COMMON,
  macsPerCycle: 256,
  microBlock: [2, 2, 8],
  banks: 48,
  granules: { input8: 8, input16: 8, accumulator32: 16, accumulator40: 20 },
  outputCycles: [0.625, 1.125, 0.5, 0.375, 0.5, 0.75, 0.125, 0.25],
  activationCycles: { table: 1, clamp: 0.25, none: 0 },
};

const U65_512: EthosUCore = {
  ...U55_256,
  macsPerCycle: 512,
  cores: 2,
  outputCycles: U55_256.outputCycles.map((cycles) => cycles / 2),
  activationCycles: { table: 0.5, clamp: 0.125, none: 0 },
};

/** Accesses in flight are those of the vendor's timing adapters for its high-end systems; the client-server system has none that we know. */
const SRAM = { burstBytes: 32, readLatency: 32, writeLatency: 32 } as const;
const U55_SRAM = { ...SRAM, readsInFlight: 8, writesInFlight: 8 } as const;
const U65_SRAM = { ...SRAM, readsInFlight: 16, writesInFlight: 16 } as const;
const FLASH = { area: "flash", burstBytes: 128, readLatency: 64, writeLatency: 64, readsInFlight: 2 } as const;
const FAST_DRAM = { area: "dram", burstBytes: 128, readLatency: 500, writeLatency: 250 } as const;
const DRAM = { ...FAST_DRAM, readsInFlight: 24, writesInFlight: 12 } as const;
const GB = 1e9;

function system(
  id: string,
  megahertz: number,
  sram: Omit<MemoryPort, "bytesPerSecond">,
  sramRate: number,
  second: EthosUSystem["second"],
): EthosUSystem {
  return { id, clockHz: megahertz * 1e6, sram: { ...sram, bytesPerSecond: sramRate * GB }, second };
}

/** The first of each list is the default. */
const U55_SYSTEMS: readonly EthosUSystem[] = [
  system("high-end-embedded", 500, U55_SRAM, 4, { ...FLASH, bytesPerSecond: 0.5 * GB }),
  system("deep-embedded", 200, U55_SRAM, 1.6, { ...FLASH, bytesPerSecond: 0.1 * GB }),
];

const U65_SYSTEMS: readonly EthosUSystem[] = [
  system("client-server", 1000, U65_SRAM, 16, { ...FAST_DRAM, bytesPerSecond: 12 * GB }),
  system("high-end", 1000, U65_SRAM, 16, { ...DRAM, bytesPerSecond: 3.75 * GB }),
  system("mid-end", 500, U65_SRAM, 8, { ...DRAM, bytesPerSecond: 3.75 * GB }),
  system("embedded", 500, U65_SRAM, 8, { ...FLASH, bytesPerSecond: 0.5 * GB }),
];

const KIB = 1024;
/** As the development pair shows: its maps of 528 KiB are cut into cascades, those of 273 KiB are not. A board's own goes into `memory.cacheBytes`. */
const CACHE = 384 * KIB;
const SHARED: EthosUMemory = { id: "shared-sram", features: "sram", constants: "second", cacheBytes: CACHE };
const SRAM_ONLY: EthosUMemory = { id: "sram-only", features: "sram", constants: "onChipFlash", cacheBytes: CACHE };
const dedicated = (id: string, kib: number): EthosUMemory => ({
  id,
  features: "second",
  constants: "second",
  cacheBytes: kib * KIB,
});

const U55_MEMORIES: readonly EthosUMemory[] = [SHARED, SRAM_ONLY];
const U65_MEMORIES: readonly EthosUMemory[] = [
  dedicated("dedicated-sram", 384),
  dedicated("dedicated-sram-512kb", 512),
  SHARED,
  SRAM_ONLY,
];

/** Cortex-M55: 8 int8 MACs a cycle at most, half of it assumed; a load or store of 8 bytes a cycle, half of it assumed. */
const CORTEX_M55: Omit<HostCpu, "clockHz"> = {
  name: "Cortex-M55",
  int8MacsPerCycle: 4,
  bytesPerCycle: 4,
  callCycles: 1000,
};

export interface EthosUChoice {
  readonly id: string;
  readonly core: EthosUCore;
  readonly systems: readonly EthosUSystem[];
  readonly memories: readonly EthosUMemory[];
}

export const ETHOS_U: readonly EthosUChoice[] = [
  { id: "ethos-u55-32", core: U55_32, systems: U55_SYSTEMS, memories: U55_MEMORIES },
  { id: "ethos-u55-64", core: U55_64, systems: U55_SYSTEMS, memories: U55_MEMORIES },
  { id: "ethos-u55-128", core: U55_128, systems: U55_SYSTEMS, memories: U55_MEMORIES },
  { id: "ethos-u55-256", core: U55_256, systems: U55_SYSTEMS, memories: U55_MEMORIES },
  { id: "ethos-u65-256", core: U55_256, systems: U65_SYSTEMS, memories: U65_MEMORIES },
  { id: "ethos-u65-512", core: U65_512, systems: U65_SYSTEMS, memories: U65_MEMORIES },
];

/** The NPU of an id in one of its systems and memory modes. */
export function ethosU(choice: EthosUChoice, system: EthosUSystem, memory: EthosUMemory): EthosU {
  return {
    kind: "ethos-u",
    id: choice.id,
    core: choice.core,
    system,
    memory,
    host: { ...CORTEX_M55, clockHz: system.clockHz },
  };
}

/** Bytes a cycle of the NPU. */
export function bytesPerCycle({ clockHz }: EthosUSystem, port: MemoryPort): number {
  return port.bytesPerSecond / clockHz;
}
