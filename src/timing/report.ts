/** What a simulation tells: time by resource, bytes by memory and direction, and why. Shared by all devices and modes. */
import type { Shape } from "../network/description.ts";
import type { Halo } from "../network/receptive-field.ts";
import type { MemoryArea } from "./devices/description.ts";

/** By memory. */
export type Bytes = Readonly<Record<MemoryArea, number>>;

/** Bytes moved. */
export interface MemoryTraffic {
  /** Out of the memory. */
  readonly read: Bytes;
  /** Into the memory. */
  readonly write: Bytes;
}

/** Of one operation of the device. */
export interface LayerReport {
  /** Of the tensor that it makes. */
  readonly name: string;
  /** Layers of the description that it stands for. */
  readonly layers: readonly string[];
  /** As the device runs it. */
  readonly operation: string;
  /** Of the output, [height, width, channels]. */
  readonly shape: Shape;
  /** Multiply-accumulates as the device executes them; zeros of padding and spreading included. */
  readonly macs: number;
  /** Of the device's clock, by resource; a resource that does nothing is absent. */
  readonly cyclesByResource: Readonly<Record<string, number>>;
  /** Of the device's clock, from the end of the operation before to its own. */
  readonly cycles: number;
  /** The same in milliseconds. */
  readonly ms: number;
  /** The resource that is busy longest: one of the keys of `cyclesByResource`. */
  readonly bound: string;
  /** One sentence. */
  readonly why: string;
  /** Moved for it. */
  readonly bytes: MemoryTraffic;
  /** MACs per cycle over the device's peak, 0..1. */
  readonly utilisation: number;
}

/** Of a whole network. */
export interface TotalReport {
  /** Of the device's clock. */
  readonly cycles: number;
  /** The same in milliseconds. */
  readonly ms: number;
  /** 1000 / ms. */
  readonly fps: number;
  /** Multiply-accumulates as the device executes them. */
  readonly macs: number;
  /** MACs per cycle over the device's peak, 0..1. */
  readonly utilisation: number;
  /** Read and written. */
  readonly dramBytes: number;
  /** Read and written. */
  readonly sramBytes: number;
  /** Of both kinds of flash. */
  readonly flashBytes: number;
  /** The largest sum of what is in SRAM at one time; null where the device's model has none. */
  readonly sramPeakBytes: number | null;
  /** By memory and direction. */
  readonly bytes: MemoryTraffic;
  /** Of all layers. */
  readonly cyclesByResource: Readonly<Record<string, number>>;
  /** The resource that binds layers for most of the time. */
  readonly bound: string;
  /** One sentence. */
  readonly why: string;
}

/** Tiles of one size, margins included. */
export interface TileSize {
  /** In pixels of the input. */
  readonly height: number;
  /** In pixels of the input. */
  readonly width: number;
  /** Tiles of this size. */
  readonly count: number;
  /** Of one. */
  readonly ms: number;
}

/** What depends on tiles of a total. */
export interface TilesCost {
  /** Time. */
  readonly ms: number;
  /** Multiply-accumulates. */
  readonly macs: number;
  /** Read and written. */
  readonly dramBytes: number;
}

/** Of a network that ran in tiles. */
export interface TilesReport {
  /** As asked for, without margins, in pixels of the input. */
  readonly height: number;
  /** The same of the width. */
  readonly width: number;
  /** Pixels of the input around a tile. */
  readonly halo: Halo;
  /** Of all tiles. */
  readonly count: number;
  /** The most frequent first. */
  readonly sizes: readonly TileSize[];
  /** The network in one piece on the same device; null where the device cannot. */
  readonly untiled: TilesCost | null;
  /** Total over `untiled`: of multiply-accumulates at least 1, of the rest less where tiles save traffic. */
  readonly overUntiled: TilesCost | null;
}

/** What `simulate` returns. */
export interface SimulationReport {
  /** Its name. */
  readonly network: string;
  /** Its id. */
  readonly device: string;
  /** "analytic": closed formulas, operation by operation; "event": block by block, with queues for what is shared. */
  readonly mode: "analytic" | "event";
  /** Cycles a second. */
  readonly clockHz: number;
  /** Of the whole network. */
  readonly total: TotalReport;
  /** In the order in which they run. */
  readonly layers: readonly LayerReport[];
  /** Of a network that ran in tiles; total and layers are sums over all of them. */
  readonly tiles?: TilesReport;
}

export const NO_BYTES: Bytes = { sram: 0, onChipFlash: 0, dram: 0, flash: 0 };

const AREAS = ["sram", "onChipFlash", "dram", "flash"] as const;

export function plus(a: Bytes, b: Bytes): Bytes {
  return {
    sram: a.sram + b.sram,
    onChipFlash: a.onChipFlash + b.onChipFlash,
    dram: a.dram + b.dram,
    flash: a.flash + b.flash,
  };
}

/** Which resource binds the layers that take most of the time. */
function boundOf(layers: readonly LayerReport[], cycles: number): { readonly bound: string; readonly why: string } {
  const bound = new Map<string, { cycles: number; layers: number }>();
  for (const layer of layers) {
    const so = bound.get(layer.bound) ?? { cycles: 0, layers: 0 };
    bound.set(layer.bound, { cycles: so.cycles + layer.cycles, layers: so.layers + 1 });
  }
  const [most] = [...bound].sort(([, a], [, b]) => b.cycles - a.cycles);
  if (!most) return { bound: "none", why: "there is nothing to do" };
  const [name, { cycles: its, layers: count }] = most;
  const part = `${count} of ${layers.length} operations`;
  return { bound: name, why: `${name} binds ${part}, which take ${Math.round((100 * its) / cycles)} % of the time` };
}

/** Layers one after the other. */
export function totalOf(
  layers: readonly LayerReport[],
  { clockHz, macsPerCycle, sramPeakBytes }: { clockHz: number; macsPerCycle: number; sramPeakBytes: number | null },
): TotalReport {
  const sum = (of: (layer: LayerReport) => number): number => layers.reduce((total, layer) => total + of(layer), 0);
  const cycles = sum((layer) => layer.cycles);
  const macs = sum((layer) => layer.macs);
  const bytes = layers.reduce<MemoryTraffic>(
    (total, layer) => ({ read: plus(total.read, layer.bytes.read), write: plus(total.write, layer.bytes.write) }),
    { read: NO_BYTES, write: NO_BYTES },
  );
  const both = (area: (typeof AREAS)[number]): number => bytes.read[area] + bytes.write[area];
  const seconds = cycles / clockHz;
  const cyclesByResource: Record<string, number> = {};
  for (const layer of layers) {
    for (const [resource, busy] of Object.entries(layer.cyclesByResource)) {
      cyclesByResource[resource] = (cyclesByResource[resource] ?? 0) + busy;
    }
  }
  return {
    cycles,
    ms: seconds * 1000,
    fps: 1 / seconds,
    macs,
    utilisation: macs / (cycles * macsPerCycle),
    dramBytes: both("dram"),
    sramBytes: both("sram"),
    flashBytes: both("flash") + both("onChipFlash"),
    sramPeakBytes,
    bytes,
    cyclesByResource,
    ...boundOf(layers, cycles),
  };
}
