/** Devices as data: everything that the timing model knows of a piece of hardware. */

/** Memories of a system. "onChipFlash" is a read-only memory as fast as the SRAM, in which memory mode "sram-only" keeps constants. */
export type MemoryArea = "sram" | "onChipFlash" | "dram" | "flash";

/** A memory behind a port of the NPU. */
export interface MemoryPort {
  readonly bytesPerSecond: number;
  /** The longest burst, in bytes: shorter runs of bytes cost as much as one. */
  readonly burstBytes: number;
  /** In cycles of the NPU. */
  readonly readLatency: number;
  readonly writeLatency: number;
  /** Bursts that may be under way in each direction; unlimited where absent. Event mode only. */
  readonly readsInFlight?: number;
  readonly writesInFlight?: number;
}

/** What an Ethos-U is built into. */
export interface EthosUSystem {
  readonly id: string;
  readonly clockHz: number;
  readonly sram: MemoryPort;
  /** Of the second port. */
  readonly second: MemoryPort & { readonly area: "dram" | "flash" };
}

export interface EthosUMemory {
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
  readonly name: string;
  readonly clockHz: number;
  readonly int8MacsPerCycle: number;
  /** Bytes read or written a cycle when values are moved or changed one by one. */
  readonly bytesPerCycle: number;
  /** Cycles from the NPU's interrupt to the host's work and back. */
  readonly callCycles: number;
}

type Triple = readonly [number, number, number];

export interface EthosUCore {
  /** int8, of all cores. */
  readonly macsPerCycle: number;
  readonly cores: number;
  /** Outputs that the MAC units of one core make at a time, [height, width, depth]. */
  readonly microBlock: Triple;
  /** The largest block, [height, width, depth]. */
  readonly largestBlock: Triple;
  /** Larger kernels take several passes. */
  readonly largestKernel: readonly [height: number, width: number];
  /** Shared buffer, in banks of `bankBytes`. */
  readonly banks: number;
  readonly bankBytes: number;
  readonly outputBanks: number;
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

export interface EthosU {
  readonly kind: "ethos-u";
  readonly id: string;
  readonly core: EthosUCore;
  readonly system: EthosUSystem;
  readonly memory: EthosUMemory;
  /** null: there is none, and what the NPU lacks is refused. */
  readonly host: HostCpu | null;
}

export interface EthosNCore {
  readonly engines: number;
  /** Input and output generators of an engine. */
  readonly inputsPerEngine: number;
  readonly outputsPerEngine: number;
  readonly lanesPerEngine: number;
  readonly sramBytes: number;
}

/** How passes are added up to a network's time. */
export interface EthosNMetric {
  readonly id: "25.03" | "22.02";
  readonly clockHz: number;
  readonly bytesPerSecond: number;
}

export interface EthosN {
  readonly kind: "ethos-n";
  readonly id: string;
  readonly core: EthosNCore;
  readonly metric: EthosNMetric;
  /** Of feature maps in DRAM, 0 to below 1: the part that lossless compression saves. */
  readonly activationSaving: number;
  /** The same of weights. */
  readonly weightSaving: number;
  readonly winograd: boolean;
  readonly host: HostCpu | null;
}

/** What stays in a systolic array's cells while a fold passes: sums ("os"), filters ("ws") or inputs ("is"). */
export type Dataflow = "os" | "ws" | "is";

/** Any systolic array, as SCALE-Sim describes them: cells that multiply and add once a cycle, three double-buffered memories, a DRAM. */
export interface Systolic {
  readonly kind: "systolic";
  readonly id: string;
  readonly rows: number;
  readonly columns: number;
  readonly dataflow: Dataflow;
  /** One half of each is used while the other is filled or emptied. */
  readonly sram: { readonly inputBytes: number; readonly filterBytes: number; readonly outputBytes: number };
  /** Between the DRAM and each of the three memories by itself; a word is a byte. */
  readonly wordsPerCycle: number;
  /** Values a cycle of the unit for sums, pooling and activations; 0: there is none, and the host does them. */
  readonly vectorLanes: number;
  readonly clockHz: number;
  readonly host: HostCpu | null;
}

/** A memory of a CPU: how much it holds, and what it gives a core that reads or writes in order. */
export interface CacheTier {
  readonly bytes: number;
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
  readonly id: string;
  /** Where the figures come from, as reports say it. */
  readonly source: string;
  readonly clockHz: number;
  /** Multiply-accumulates a cycle of the idiom that the kernels are made of. */
  readonly peak: { readonly int8: number; readonly f32: number };
  readonly l1: CacheTier;
  readonly l2: CacheTier;
  /** Of the system or the cluster; a `bytes` of 0: there is none. */
  readonly l3: CacheTier;
  readonly dramBytesPerSecond: number;
  /** Cycles from JavaScript into a kernel and back. */
  readonly callCycles: number;
  /** By export of the binary. */
  readonly kernels: Readonly<Record<string, KernelCosts>>;
}

export type Device = EthosU | EthosN | Systolic | Cpu;
