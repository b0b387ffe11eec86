/** How long a network takes on a device that need not be there. */
import { check } from "../errors.ts";
import type { Network } from "../network/description.ts";
import { estimateCpu } from "./cpu/estimate.ts";
import type { Device } from "./devices/description.ts";
import { macsPerCycle } from "./ethos-n/compute.ts";
import { estimateEthosN } from "./ethos-n/estimate.ts";
import { estimateEthosU } from "./ethos-u/estimate.ts";
import { type LowerOptions, lower } from "./lower.ts";
import type { SimulationReport } from "./report.ts";
import type { EncodedSize } from "./weights.ts";

export interface SimulateOptions extends LowerOptions {
  /** [height, width] of the picture. */
  readonly input: readonly [height: number, width: number];
  /** "analytic", the only mode so far: closed formulas, operation by operation. */
  readonly mode?: "analytic";
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
 * @throws WasmogradError ERR_SHAPE as `inferShapes`; ERR_UNSUPPORTED when an operation has no block that fits the device, or a layer no
 *   form in the precision
 */
export function simulate(network: Network, device: Device, options: SimulateOptions): SimulationReport {
  const { input, encodedSize = ({ filter }) => filter.values, precision = "int8" } = options;
  if (device.kind === "cpu") {
    const { bits = 8, activations = "as-described" } = options;
    const plain = bits === 8 && activations === "as-described";
    check(
      plain,
      "ERR_ARGUMENT",
      () => "bits, activations: expected none for a CPU, which runs networks as they are described",
    );
    return estimateCpu(device, network, input, { precision });
  }
  check(precision === "int8", "ERR_ARGUMENT", () => `precision: expected int8 for ${device.id}, got ${precision}`);
  const program = lower(network, input, options);
  return device.kind === "ethos-u"
    ? estimateEthosU(device, program, encodedSize)
    : estimateEthosN(device, program, encodedSize);
}

/** int8 MACs a cycle, and cycles a second. */
export function peakOf(device: Device): { readonly macsPerCycle: number; readonly clockHz: number } {
  if (device.kind === "cpu") return { macsPerCycle: device.peak.int8, clockHz: device.clockHz };
  return device.kind === "ethos-u"
    ? { macsPerCycle: device.core.macsPerCycle, clockHz: device.system.clockHz }
    : { macsPerCycle: macsPerCycle(device), clockHz: device.metric.clockHz };
}
