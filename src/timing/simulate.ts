/** How long a network takes on a device that need not be there. */
import { check } from "../errors.ts";
import type { Network } from "../network/description.ts";
import type { Device } from "./devices/description.ts";
import { macsPerCycle } from "./ethos-n/compute.ts";
import { estimateEthosN } from "./ethos-n/estimate.ts";
import { estimateEthosU } from "./ethos-u/estimate.ts";
import { type LowerOptions, lower } from "./lower.ts";
import type { SimulationReport } from "./report.ts";
import { estimateSystolic } from "./systolic/estimate.ts";
import { simulateTiles } from "./tiles.ts";
import type { EncodedSize } from "./weights.ts";

export interface SimulateOptions extends LowerOptions {
  /** [height, width] of the picture. */
  readonly input: readonly [height: number, width: number];
  /** [height, width] of parts of the picture that run one after the other, each with the margin that it needs; in one piece unless given. */
  readonly tile?: readonly [height: number, width: number];
  /** "analytic", the only mode so far: closed formulas, operation by operation. */
  readonly mode?: "analytic";
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
  const { input, tile } = options;
  const run = (size: SimulateOptions["input"]): SimulationReport => simulateWhole(network, device, options, size);
  if (tile === undefined) return run(input);
  return simulateTiles(network, input, tile, { run, macsPerCycle: peakOf(device).macsPerCycle });
}

function simulateWhole(
  network: Network,
  device: Device,
  options: SimulateOptions,
  size: SimulateOptions["input"],
): SimulationReport {
  const { encodedSize = ({ filter }) => filter.values } = options;
  const program = lower(network, size, options);
  check(
    program.operations.length > 0,
    "ERR_NETWORK",
    () => `network ${network.name}: expected at least one layer that computes, got none`,
  );
  if (device.kind === "systolic") return estimateSystolic(device, program, encodedSize);
  return device.kind === "ethos-u"
    ? estimateEthosU(device, program, encodedSize)
    : estimateEthosN(device, program, encodedSize);
}

/** int8 MACs a cycle, and cycles a second. */
export function peakOf(device: Device): { readonly macsPerCycle: number; readonly clockHz: number } {
  if (device.kind === "systolic") return { macsPerCycle: device.rows * device.columns, clockHz: device.clockHz };
  return device.kind === "ethos-u"
    ? { macsPerCycle: device.core.macsPerCycle, clockHz: device.system.clockHz }
    : { macsPerCycle: macsPerCycle(device), clockHz: device.metric.clockHz };
}
