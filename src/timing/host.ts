/** What the host processor takes for an operation that the NPU lacks. */
import type { HostCpu } from "./devices/description.ts";
import type { HostOperation } from "./operation.ts";

/** Cycles of the host: its products or its bytes, whichever take longer, and the way there and back. */
export function hostCycles(host: HostCpu, { macs, bytes }: HostOperation): number {
  return Math.max(macs / host.int8MacsPerCycle, bytes / host.bytesPerCycle) + host.callCycles;
}
