/** How long a network takes on a device that need not be there. */
import { check } from "../errors.ts";
import type { Network } from "../network/description.ts";
import { estimateCpu } from "./cpu/estimate.ts";
import type { Cpu, Device, MemoryArea } from "./devices/description.ts";
import { macsPerCycle } from "./ethos-n/compute.ts";
import { estimateEthosN } from "./ethos-n/estimate.ts";
import { simulateEthosN } from "./ethos-n/event.ts";
import { estimateEthosU } from "./ethos-u/estimate.ts";
import { simulateEthosU } from "./ethos-u/event.ts";
import { type LowerOptions, lower } from "./lower.ts";
import type { Program } from "./operation.ts";
import type { SimulationReport } from "./report.ts";
import { estimateSystolic } from "./systolic/estimate.ts";
import { simulateTiles } from "./tiles.ts";
import { type Traced, timelineOfLayers } from "./timeline.ts";
import type { EncodedSize } from "./weights.ts";

/** Of `simulate`, `trace` and `whatIf`. */
export interface SimulateOptions extends LowerOptions {
  /** [height, width] of the picture. */
  readonly input: readonly [height: number, width: number];
  /**
   * [height, width] of parts of the picture that run one after the other, each with the margin that it needs; in one piece unless
   * given.
   */
  readonly tile?: readonly [height: number, width: number];
  /**
   * "event" (default on Ethos-U and Ethos-N): block by block, with what blocks wait for: ports, latency, weights, the operations before.
   * "analytic": closed formulas, operation by operation; other devices have these alone.
   */
  readonly mode?: SimulationReport["mode"];
  /**
   * Bytes that an operation's weights take in memory, without biases. One a value unless given: as if they could not be compressed. The
   * vendor's encoder reached 0.93 to 1.44, small layers most, on the two networks that the model was checked with.
   */
  readonly encodedSize?: EncodedSize;
  /** CPUs: what is computed in; "int8" unless given, and the only one of NPUs. */
  readonly precision?: "f32" | "int8";
}

/**
 * Time and traffic of a network on a device, operation by operation. Estimates: docs/timing-model.md says how close they are.
 * @throws WasmogradError ERR_SHAPE as `inferShapes`; ERR_NETWORK when nothing is left to do; ERR_UNSUPPORTED when an operation has no
 *   block that fits
 *   the device or no host to run on, or a layer no form in the precision, and with `tile` as `halo`
 */
export function simulate(network: Network, device: Device, options: SimulateOptions): SimulationReport {
  return simulated(network, device, options, false).report;
}

/**
 * `simulate`, with the times at which what happens: for traces and charts. In analytic mode, which has no times within an operation, all of
 * its resources begin with it; in tiles, layers stand for those of all tiles.
 * @throws WasmogradError as `simulate`
 */
export function trace(network: Network, device: Device, options: SimulateOptions): Traced {
  return simulated(network, device, options, true);
}

function simulated(network: Network, device: Device, options: SimulateOptions, drawn: boolean): Traced {
  const { input, tile } = options;
  if (tile === undefined) return simulateWhole(network, device, options, input, drawn);
  const run = (size: SimulateOptions["input"]) => simulateWhole(network, device, options, size, false).report;
  const report = simulateTiles(network, input, tile, {
    run,
    macsPerCycle: peakOf(device, options.precision).macsPerCycle,
  });
  return { report, timeline: timelineOfLayers(report) };
}

/** What `SimulateOptions.mode` can be for a device, its default first. */
export function modesOf({ kind }: Device): readonly [SimulationReport["mode"], ...SimulationReport["mode"][]] {
  return kind === "ethos-u" || kind === "ethos-n" ? ["event", "analytic"] : ["analytic"];
}

function modeOf(device: Device, mode: SimulateOptions["mode"]): SimulationReport["mode"] {
  const allowed = modesOf(device);
  const chosen = mode ?? allowed[0];
  check(
    allowed.includes(chosen),
    "ERR_ARGUMENT",
    () => `mode: expected ${allowed.join(" or ")} on ${device.id}, got ${chosen}`,
  );
  return chosen;
}

/** Of a CPU, which runs networks as they are described. */
function precisionOf({ bits = 8, activations = "as-described", precision = "int8" }: SimulateOptions): "f32" | "int8" {
  check(
    bits === 8 && activations === "as-described",
    "ERR_ARGUMENT",
    () => "bits, activations: expected none for a CPU, which runs networks as they are described",
  );
  return precision;
}

function simulateWhole(
  network: Network,
  device: Device,
  options: SimulateOptions,
  size: SimulateOptions["input"],
  drawn: boolean,
): Traced {
  const { encodedSize = ({ filter }) => filter.values } = options;
  const mode = modeOf(device, options.mode);
  if (device.kind === "cpu") {
    const report = estimateCpu(device, network, size, { precision: precisionOf(options) });
    return { report, timeline: timelineOfLayers(report) };
  }
  const { precision = "int8" } = options;
  check(precision === "int8", "ERR_ARGUMENT", () => `precision: expected int8 for ${device.id}, got ${precision}`);
  const program = lower(network, size, options);
  check(
    program.operations.length > 0,
    "ERR_NETWORK",
    () => `network ${network.name}: expected at least one layer that computes, got none`,
  );
  if (mode === "event") {
    if (device.kind === "ethos-u") return simulateEthosU(device, program, encodedSize, drawn);
    if (device.kind === "ethos-n") return simulateEthosN(device, program, encodedSize, drawn);
  }
  const report = analytic(device, program, encodedSize);
  return { report, timeline: timelineOfLayers(report) };
}

function analytic(device: Exclude<Device, Cpu>, program: Program, encodedSize: EncodedSize): SimulationReport {
  switch (device.kind) {
    case "ethos-u":
      return estimateEthosU(device, program, encodedSize);
    case "ethos-n":
      return estimateEthosN(device, program, encodedSize);
    case "systolic":
      return estimateSystolic(device, program, encodedSize);
  }
}

/** MACs a cycle, and cycles a second. @param precision as `SimulateOptions` has it */
export function peakOf(
  device: Device,
  precision: "f32" | "int8" = "int8",
): { readonly macsPerCycle: number; readonly clockHz: number } {
  if (device.kind === "systolic") return { macsPerCycle: device.rows * device.columns, clockHz: device.clockHz };
  if (device.kind === "cpu") return { macsPerCycle: device.peak[precision], clockHz: device.clockHz };
  return device.kind === "ethos-u"
    ? { macsPerCycle: device.core.macsPerCycle, clockHz: device.system.clockHz }
    : { macsPerCycle: macsPerCycle(device), clockHz: device.metric.clockHz };
}

/** Bytes a cycle of each memory that a device's reports count bytes of. */
export function memoryRates(device: Device): Readonly<Partial<Record<MemoryArea, number>>> {
  if (device.kind === "ethos-n") return { dram: device.metric.bytesPerSecond / device.metric.clockHz };
  // Three ports, one for each of its memories.
  if (device.kind === "systolic") return { dram: 3 * device.wordsPerCycle };
  // Its reports count all caches together; the second has the rate that most of their bytes come at.
  if (device.kind === "cpu") {
    return { sram: device.l2.bytesPerCycle, dram: device.dramBytesPerSecond / device.clockHz };
  }
  const { sram, second, clockHz } = device.system;
  const rate = sram.bytesPerSecond / clockHz;
  const constants = device.memory.constants === "onChipFlash" ? { onChipFlash: rate } : {};
  return { sram: rate, ...constants, [second.area]: second.bytesPerSecond / clockHz };
}
