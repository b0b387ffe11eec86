/** Devices as data: everything that the timing model knows of a piece of hardware. */

/** Memories of a system. "onChipFlash" is a read-only memory as fast as the SRAM, in which memory mode "sram-only" keeps constants. */
export type MemoryArea = "sram" | "onChipFlash" | "dram" | "flash";

/** A memory behind a port of the NPU. */
export interface MemoryPort {
  /** Of long bursts. */
  readonly bytesPerSecond: number;
  /** The longest burst, in bytes: shorter runs of bytes cost as much as one. */
  readonly burstBytes: number;
  /** In cycles of the NPU. */
  readonly readLatency: number;
  /** In cycles of the NPU. */
  readonly writeLatency: number;
  /** Reading bursts that may be under way; unlimited where absent. Event mode only. */
  readonly readsInFlight?: number;
  /** Writing bursts, likewise. */
  readonly writesInFlight?: number;
}

/** What an Ethos-U is built into. */
export interface EthosUSystem {
  /** As `device` takes it. */
  readonly id: string;
  /** Of the NPU. */
  readonly clockHz: number;
  /** Of the first port. */
  readonly sram: MemoryPort;
  /** Of the second port. */
  readonly second: MemoryPort & { readonly area: "dram" | "flash" };
}

/** A memory mode: what lies where. */
export interface EthosUMemory {
  /** As `device` takes it. */
  readonly id: string;
  /** Where feature maps are by default. */
  readonly features: "sram" | "second";
  /** Where weights and biases are. */
  readonly constants: "onChipFlash" | "second";
  /**
   * SRAM that the schedule aims at: where feature maps are there, larger ones make cascades and leave no room for weight buffers, but are no
   * error; where they are in DRAM, it is all there is. null: as much as it takes.
   */
  readonly cacheBytes: number | null;
}

/** Processor beside an NPU, for what the NPU lacks. Rates of a plain, vectorised loop; assumed, not calibrated. */
export interface HostCpu {
  /** As reports say it. */
  readonly name: string;
  /** Cycles a second. */
  readonly clockHz: number;
  /** Multiply-accumulates of int8. */
  readonly int8MacsPerCycle: number;
  /** Bytes read or written a cycle when values are moved or changed one by one. */
  readonly bytesPerCycle: number;
  /** Cycles from the NPU's interrupt to the host's work and back. */
  readonly callCycles: number;
}

/** One configuration of the NPU itself. */
export interface EthosUCore {
  /** int8, of all cores. */
  readonly macsPerCycle: number;
  /** Of the configuration. */
  readonly cores: number;
  /** Outputs that the MAC units of one core make at a time, [height, width, depth]. */
  readonly microBlock: readonly [height: number, width: number, depth: number];
  /** The largest block, [height, width, depth]. */
  readonly largestBlock: readonly [height: number, width: number, depth: number];
  /** Larger kernels take several passes. */
  readonly largestKernel: readonly [height: number, width: number];
  /** Shared buffer, in banks of `bankBytes`. */
  readonly banks: number;
  /** Of one bank. */
  readonly bankBytes: number;
  /** Banks for outputs. */
  readonly outputBanks: number;
  /** Banks at the end that blocks may not use. */
  readonly endBanks: number;
  /** Banks that a look-up table takes. */
  readonly tableBanks: number;
  /** Banks are given out in multiples of these, for inputs of 8 and 16 bits and accumulators of 32 and 40. */
  readonly granules: {
    readonly input8: number;
    readonly input16: number;
    readonly accumulator32: number;
    readonly accumulator40: number;
  };
  /** Output cycles per element, in the order of timing classes; see `outputCycles`. */
  readonly outputCycles: readonly number[];
  /** Activation cycles per element. */
  readonly activationCycles: { readonly table: number; readonly clamp: number; readonly none: number };
  /** Cycles between dependent kernel steps with 32- and with 40-bit accumulators. */
  readonly stepDelay: { readonly accumulator32: number; readonly accumulator40: number };
  /** 40-bit accumulators wait for each depth step too where the block is one micro-block wide or high (U55-32). */
  readonly waitsPerDepthStep: boolean;
  /** Factor on int16 pooling. */
  readonly int16Pooling: number;
}

/** An Ethos-U55 or U65. */
export interface EthosU {
  readonly kind: "ethos-u";
  /** As `device` takes it. */
  readonly id: string;
  /** The NPU itself. */
  readonly core: EthosUCore;
  /** What it is built into. */
  readonly system: EthosUSystem;
  /** What lies where. */
  readonly memory: EthosUMemory;
  /** null: there is none, and what the NPU lacks is refused. */
  readonly host: HostCpu | null;
}

/** One configuration of the NPU itself. */
export interface EthosNCore {
  /** Of the configuration. */
  readonly engines: number;
  /** Input generators of an engine. */
  readonly inputsPerEngine: number;
  /** Output generators of an engine. */
  readonly outputsPerEngine: number;
  /** Channels that an engine's second engine works on at a time. */
  readonly lanesPerEngine: number;
  /** Of all engines. */
  readonly sramBytes: number;
}

/** How passes are added up to a network's time. */
export interface EthosNMetric {
  /** As `device` takes it. */
  readonly id: "25.03" | "22.02";
  /** Of the NPU. */
  readonly clockHz: number;
  /** Of the DRAM. */
  readonly bytesPerSecond: number;
}

/** An Ethos-N78. */
export interface EthosN {
  readonly kind: "ethos-n";
  /** As `device` takes it. */
  readonly id: string;
  /** The NPU itself. */
  readonly core: EthosNCore;
  /** How passes are added up. */
  readonly metric: EthosNMetric;
  /** Of feature maps in DRAM, 0 to below 1: the part that lossless compression saves. */
  readonly activationSaving: number;
  /** The same of weights. */
  readonly weightSaving: number;
  /** Whether products are computed by Winograd where that is faster. */
  readonly winograd: boolean;
  /** null: there is none, and what the NPU lacks is refused. */
  readonly host: HostCpu | null;
}

/** What stays in a systolic array's cells while a fold passes: sums ("os"), filters ("ws") or inputs ("is"). */
export type Dataflow = "os" | "ws" | "is";

/** Any systolic array, as SCALE-Sim describes them: cells that multiply and add once a cycle, three double-buffered memories, a DRAM. */
export interface Systolic {
  readonly kind: "systolic";
  /** As reports say it. */
  readonly id: string;
  /** Of cells. */
  readonly rows: number;
  /** Of cells. */
  readonly columns: number;
  /** What stays in the cells. */
  readonly dataflow: Dataflow;
  /** One half of each is used while the other is filled or emptied. */
  readonly sram: { readonly inputBytes: number; readonly filterBytes: number; readonly outputBytes: number };
  /** Between the DRAM and each of the three memories by itself; a word is a byte. */
  readonly wordsPerCycle: number;
  /** Values a cycle of the unit for sums, pooling and activations; 0: there is none, and the host does them. */
  readonly vectorLanes: number;
  /** Of the array. */
  readonly clockHz: number;
  /** null: there is none, and what the array lacks is refused. */
  readonly host: HostCpu | null;
}

/** A memory of a CPU: how much it holds, and what it gives a core that reads or writes in order. */
export interface CacheTier {
  /** What it holds. */
  readonly bytes: number;
  /** What it gives a core. */
  readonly bytesPerCycle: number;
}

/** What a kernel takes on a CPU. */
export interface KernelCosts {
  /** Share of the peak that its products reach in its inner loop; 1, and without meaning, where it has none. */
  readonly fraction: number;
  /** Cycles of each unit of everything else: packing of inputs, starts of loops, outputs (src/timing/cpu/). */
  readonly costs: Readonly<Record<string, number>>;
}

/** One core of a CPU, which runs this library's kernels. */
export interface Cpu {
  readonly kind: "cpu";
  /** As reports say it. */
  readonly id: string;
  /** Where the figures come from, as reports say it. */
  readonly source: string;
  /** Of the core. */
  readonly clockHz: number;
  /** Multiply-accumulates a cycle of the idiom that the kernels are made of. */
  readonly peak: { readonly int8: number; readonly f32: number };
  /** The first cache. */
  readonly l1: CacheTier;
  /** The second cache. */
  readonly l2: CacheTier;
  /** Of the system or the cluster; a `bytes` of 0: there is none. */
  readonly l3: CacheTier;
  /** Read or written in order. */
  readonly dramBytesPerSecond: number;
  /** Cycles from JavaScript into a kernel and back. */
  readonly callCycles: number;
  /** By export of the binary. */
  readonly kernels: Readonly<Record<string, KernelCosts>>;
}

/** Everything that the timing model knows of a piece of hardware, told apart by `kind`. */
export type Device = EthosU | EthosN | Systolic | Cpu;
