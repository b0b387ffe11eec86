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
import type { SimulationReport } from "./report.ts";
import { type Traced, timelineOfLayers } from "./timeline.ts";
import type { EncodedSize } from "./weights.ts";

export interface SimulateOptions extends LowerOptions {
  /** [height, width] of the picture. */
  readonly input: readonly [height: number, width: number];
  /**
   * "event" (default): block by block, with what blocks wait for: ports, latency, weights, the operations before. "analytic": the closed
   * formulas of the vendor's estimators, operation by operation.
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
 * @throws WasmogradError ERR_SHAPE as `inferShapes`; ERR_UNSUPPORTED when an operation has no block that fits the device
 */
export function simulate(network: Network, device: Device, options: SimulateOptions): SimulationReport {
  return simulated(network, device, options, false).report;
}

/**
 * The same, with the times at which what happens: for traces and charts. In analytic mode, which has no times within an operation, all of
 * its resources begin with it.
 * @throws WasmogradError as `simulate`
 */
export function trace(network: Network, device: Device, options: SimulateOptions): Traced {
  return simulated(network, device, options, true);
}

function simulated(network: Network, device: Device, options: SimulateOptions, drawn: boolean): Traced {
  const { input, encodedSize = ({ filter }) => filter.values, mode = "event" } = options;
  check(mode === "event" || mode === "analytic", "ERR_ARGUMENT", () => `mode: expected event or analytic, got ${mode}`);
  const program = lower(network, input, options);
  if (mode === "event") {
    return device.kind === "ethos-u"
      ? simulateEthosU(device, program, encodedSize, drawn)
      : simulateEthosN(device, program, encodedSize, drawn);
  }
  const report =
    device.kind === "ethos-u"
      ? estimateEthosU(device, program, encodedSize)
      : estimateEthosN(device, program, encodedSize);
  return { report, timeline: timelineOfLayers(report) };
}

/** int8 MACs a cycle, and cycles a second. */
export function peakOf(device: Device): { readonly macsPerCycle: number; readonly clockHz: number } {
  return device.kind === "ethos-u"
    ? { macsPerCycle: device.core.macsPerCycle, clockHz: device.system.clockHz }
    : { macsPerCycle: macsPerCycle(device), clockHz: device.metric.clockHz };
}

/** Bytes a cycle of each memory that a device's reports count bytes of. */
export function memoryRates(device: Device): Readonly<Partial<Record<MemoryArea, number>>> {
  if (device.kind === "ethos-n") return { dram: device.metric.bytesPerSecond / device.metric.clockHz };
  const { sram, second, clockHz } = device.system;
  const rate = sram.bytesPerSecond / clockHz;
  const constants = device.memory.constants === "onChipFlash" ? { onChipFlash: rate } : {};
  return { sram: rate, ...constants, [second.area]: second.bytesPerSecond / clockHz };
}
