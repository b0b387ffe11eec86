/** What the host processor takes for an operation that the NPU lacks. */
import { check } from "../errors.ts";
import type { HostCpu } from "./devices/description.ts";
import type { HostOperation } from "./operation.ts";
import type { LayerReport } from "./report.ts";

/**
 * Cycles of the NPU that the host takes: its products or its bytes, whichever take longer, and the way there and back.
 * @throws WasmogradError ERR_UNSUPPORTED where there is no host
 */
export function hostCycles(host: HostCpu | null, clockHz: number, operation: HostOperation): number {
  const { name, macs, bytes, reason } = operation;
  check(
    host !== null,
    "ERR_UNSUPPORTED",
    () => `operation ${name}: expected one that the device runs, or a host beside it (host is null), as ${reason}`,
  );
  const own = Math.max(macs / host.int8MacsPerCycle, bytes / host.bytesPerCycle) + host.callCycles;
  return own * (clockHz / host.clockHz);
}

export interface BesideHost {
  readonly host: HostCpu | null;
  readonly clockHz: number;
  readonly macsPerCycle: number;
}

/**
 * The report of such an operation, in cycles of the NPU.
 * @param bytes as it moves them between the device's memories
 * @throws WasmogradError ERR_UNSUPPORTED where there is no host
 */
export function hostReport(
  operation: HostOperation,
  bytes: LayerReport["bytes"],
  { host, clockHz, macsPerCycle }: BesideHost,
): LayerReport {
  const cycles = hostCycles(host, clockHz, operation);
  return {
    name: operation.name,
    layers: operation.layers,
    operation: "host",
    shape: operation.output.shape,
    macs: operation.macs,
    cyclesByResource: { host: cycles },
    cycles,
    ms: (cycles / clockHz) * 1000,
    bound: "host",
    why: `left to the host's ${host!.name}, as ${operation.reason}; its speed is assumed, not calibrated`,
    bytes,
    utilisation: operation.macs / (cycles * macsPerCycle),
  };
}
