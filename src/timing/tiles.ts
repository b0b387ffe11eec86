/**
 * A network in tiles: each is cut out of the input with the margin that makes its part of the output exact (`halo`), cut off at the border of
 * the picture, and run by itself, one after the other. What the margins cost is said beside the network in one piece.
 */
import { check, WasmogradError } from "../errors.ts";
import type { Network } from "../network/description.ts";
import { halo } from "../network/receptive-field.ts";
import {
  type LayerReport,
  type MemoryTraffic,
  plus,
  type SimulationReport,
  type TilesReport,
  totalOf,
} from "./report.ts";

type Size = readonly [height: number, width: number];

/** Lengths along an axis, with how often they occur. */
export function cutAxis(length: number, tile: number, before: number, after: number): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (let start = 0; start < length; start += tile) {
    const extent = Math.min(length, start + tile + after) - Math.max(0, start - before);
    counts.set(extent, (counts.get(extent) ?? 0) + 1);
  }
  return counts;
}

const times = (bytes: MemoryTraffic, count: number): MemoryTraffic => {
  const of = ({ sram, onChipFlash, dram, flash }: MemoryTraffic["read"]) => ({
    sram: sram * count,
    onChipFlash: onChipFlash * count,
    dram: dram * count,
    flash: flash * count,
  });
  return { read: of(bytes.read), write: of(bytes.write) };
};

/** A layer of `count` tiles after one another. */
function repeated(layer: LayerReport, count: number): LayerReport {
  return {
    ...layer,
    macs: layer.macs * count,
    cycles: layer.cycles * count,
    ms: layer.ms * count,
    cyclesByResource: Object.fromEntries(Object.entries(layer.cyclesByResource).map(([r, c]) => [r, c * count])),
    bytes: times(layer.bytes, count),
  };
}

/** Two kinds of tiles in one layer; shape, bound and reason are the first's. */
function joined(a: LayerReport, b: LayerReport, peak: number): LayerReport {
  const resources = new Set([...Object.keys(a.cyclesByResource), ...Object.keys(b.cyclesByResource)]);
  const cycles = a.cycles + b.cycles;
  const macs = a.macs + b.macs;
  return {
    ...a,
    macs,
    cycles,
    ms: a.ms + b.ms,
    cyclesByResource: Object.fromEntries(
      [...resources].map((r) => [r, (a.cyclesByResource[r] ?? 0) + (b.cyclesByResource[r] ?? 0)]),
    ),
    bytes: { read: plus(a.bytes.read, b.bytes.read), write: plus(a.bytes.write, b.bytes.write) },
    utilisation: macs / (cycles * peak),
  };
}

function untiledReport(run: (size: Size) => SimulationReport, input: Size): SimulationReport | undefined {
  try {
    return run(input);
  } catch (error) {
    // Tiles may be the way to run at all.
    if (error instanceof WasmogradError && error.code === "ERR_UNSUPPORTED") return undefined;
    throw error;
  }
}

/**
 * The sum over all tiles. Layers have the shape, the bound and the reason of the kind of tile that takes most of the time.
 * @param input [height, width] of the picture; `tile` likewise, without margins
 * @param run a simulation of the network at another size
 * @param macsPerCycle the device's peak
 * @throws WasmogradError ERR_ARGUMENT on a tile that is no size; ERR_UNSUPPORTED as `halo` where the network cannot run in tiles
 */
export function simulateTiles(
  network: Network,
  input: Size,
  tile: Size,
  { run, macsPerCycle }: { readonly run: (size: Size) => SimulationReport; readonly macsPerCycle: number },
): SimulationReport {
  check(
    tile.every((side) => Number.isSafeInteger(side) && side > 0),
    "ERR_ARGUMENT",
    () => `tile: expected two positive integers, [height, width], got ${tile.join("x")}`,
  );
  const margin = halo(network);
  const rows = cutAxis(input[0], tile[0], margin.top, margin.bottom);
  const columns = cutAxis(input[1], tile[1], margin.left, margin.right);
  const kinds = [...rows].flatMap(([height, down]) =>
    [...columns].map(([width, across]) => ({ count: down * across, height, width, report: run([height, width]) })),
  );
  kinds.sort((a, b) => b.count * b.report.total.cycles - a.count * a.report.total.cycles);
  const layers = new Map<string, LayerReport>();
  for (const { count, report } of kinds) {
    for (const layer of report.layers) {
      const before = layers.get(layer.name);
      const all = repeated(layer, count);
      layers.set(layer.name, before ? joined(before, all, macsPerCycle) : all);
    }
  }
  const first = kinds[0]!.report;
  const peaks = kinds.map(({ report }) => report.total.sramPeakBytes);
  const sramPeakBytes = peaks.includes(null) ? null : Math.max(...(peaks as number[]));
  const total = totalOf([...layers.values()], { clockHz: first.clockHz, macsPerCycle, sramPeakBytes });
  const whole = untiledReport(run, input)?.total;
  const tiles: TilesReport = {
    height: tile[0],
    width: tile[1],
    halo: margin,
    count: kinds.reduce((sum, { count }) => sum + count, 0),
    sizes: kinds
      .map(({ height, width, count, report }) => ({ height, width, count, ms: report.total.ms }))
      .sort((a, b) => b.count - a.count),
    untiled: whole ? { ms: whole.ms, macs: whole.macs, dramBytes: whole.dramBytes } : null,
    overUntiled: whole
      ? {
          ms: total.ms / whole.ms,
          macs: whole.macs === 0 ? 1 : total.macs / whole.macs,
          dramBytes: whole.dramBytes === 0 ? 1 : total.dramBytes / whole.dramBytes,
        }
      : null,
  };
  return { ...first, total, layers: [...layers.values()], tiles };
}
