/** What the host processor takes for an operation that the NPU lacks. */
import type { HostCpu } from "./devices/description.ts";
import type { HostOperation } from "./operation.ts";
import type { LayerReport } from "./report.ts";

/** Cycles of the host: its products or its bytes, whichever take longer, and the way there and back. */
export function hostCycles(host: HostCpu, { macs, bytes }: HostOperation): number {
  return Math.max(macs / host.int8MacsPerCycle, bytes / host.bytesPerCycle) + host.callCycles;
}

/** The report of such an operation, in cycles of the NPU. @param bytes as it moves them between the device's memories */
export function hostReport(
  operation: HostOperation,
  bytes: LayerReport["bytes"],
  { host, clockHz, macsPerCycle }: { readonly host: HostCpu; readonly clockHz: number; readonly macsPerCycle: number },
): LayerReport {
  const cycles = hostCycles(host, operation) * (clockHz / host.clockHz);
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
    why: `left to the host's ${host.name}, as ${operation.reason}; its speed is assumed, not calibrated`,
    bytes,
    utilisation: operation.macs / (cycles * macsPerCycle),
  };
}
