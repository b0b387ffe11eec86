/** How long a network takes on a device that need not be there. */
import { check } from "../errors.ts";
import type { Network } from "../network/description.ts";
import type { Device, MemoryArea } from "./devices/description.ts";
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

export interface SimulateOptions extends LowerOptions {
  /** [height, width] of the picture. */
  readonly input: readonly [height: number, width: number];
  /** [height, width] of parts of the picture that run one after the other, each with the margin that it needs; in one piece unless given. */
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
}

/**
 * Time and traffic of an int8 network on a device, operation by operation. Estimates: docs/timing-model.md says how close they are.
 * @throws WasmogradError ERR_SHAPE as `inferShapes`; ERR_NETWORK when nothing is left to do; ERR_UNSUPPORTED when an operation has no block that fits
 *   the device or no host to run on, and with `tile` as `simulateTiles`
 */
export function simulate(network: Network, device: Device, options: SimulateOptions): SimulationReport {
  return simulated(network, device, options, false).report;
}

/**
 * The same, with the times at which what happens: for traces and charts. In analytic mode, which has no times within an operation, all of
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
  const report = simulateTiles(network, input, tile, { run, macsPerCycle: peakOf(device).macsPerCycle });
  return { report, timeline: timelineOfLayers(report) };
}

function modeOf(device: Device, mode: SimulateOptions["mode"]): SimulationReport["mode"] {
  const hasEvents = device.kind === "ethos-u" || device.kind === "ethos-n";
  const allowed = hasEvents ? ["event", "analytic"] : ["analytic"];
  const chosen = mode ?? (hasEvents ? "event" : "analytic");
  check(
    allowed.includes(chosen),
    "ERR_ARGUMENT",
    () => `mode: expected ${allowed.join(" or ")} on ${device.id}, got ${chosen}`,
  );
  return chosen;
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

function analytic(device: Device, program: Program, encodedSize: EncodedSize): SimulationReport {
  switch (device.kind) {
    case "ethos-u":
      return estimateEthosU(device, program, encodedSize);
    case "ethos-n":
      return estimateEthosN(device, program, encodedSize);
    case "systolic":
      return estimateSystolic(device, program, encodedSize);
  }
}

/** int8 MACs a cycle, and cycles a second. */
export function peakOf(device: Device): { readonly macsPerCycle: number; readonly clockHz: number } {
  if (device.kind === "systolic") return { macsPerCycle: device.rows * device.columns, clockHz: device.clockHz };
  return device.kind === "ethos-u"
    ? { macsPerCycle: device.core.macsPerCycle, clockHz: device.system.clockHz }
    : { macsPerCycle: macsPerCycle(device), clockHz: device.metric.clockHz };
}

/** Bytes a cycle of each memory that a device's reports count bytes of. */
export function memoryRates(device: Device): Readonly<Partial<Record<MemoryArea, number>>> {
  if (device.kind === "ethos-n") return { dram: device.metric.bytesPerSecond / device.metric.clockHz };
  // Three ports, one for each of its memories.
  if (device.kind === "systolic") return { dram: 3 * device.wordsPerCycle };
  const { sram, second, clockHz } = device.system;
  const rate = sram.bytesPerSecond / clockHz;
  const constants = device.memory.constants === "onChipFlash" ? { onChipFlash: rate } : {};
  return { sram: rate, ...constants, [second.area]: second.bytesPerSecond / clockHz };
}
