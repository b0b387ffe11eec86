/** How transfers share a port. */
import type { Port } from "./program.ts";

/** A transfer under way. */
export interface Flow {
  readonly direction: "read" | "write";
  /** Bytes a cycle that it gets. */
  rate: number;
}

/**
 * Sets the rates of all flows through a port: as even as they can be, none above what its direction allows and all within the port's rate
 * (max-min fairness, which a turn for each burst comes to).
 */
export function shareOut({ bytesPerCycle, duplex, readLimit, writeLimit }: Port, flows: readonly Flow[]): void {
  const reads = flows.filter(({ direction }) => direction === "read");
  const writes = flows.filter(({ direction }) => direction === "write");
  let [forReads, forWrites] = [Math.min(bytesPerCycle, readLimit), Math.min(bytesPerCycle, writeLimit)];
  if (!duplex && reads.length > 0 && writes.length > 0) {
    // What a direction cannot use of its fair part is the other's.
    const fair = bytesPerCycle / flows.length;
    const [wanted, other] = [Math.min(forReads, reads.length * fair), Math.min(forWrites, writes.length * fair)];
    forReads = Math.min(forReads, Math.max(wanted, bytesPerCycle - other));
    forWrites = Math.min(forWrites, bytesPerCycle - forReads);
  }
  for (const flow of reads) flow.rate = forReads / reads.length;
  for (const flow of writes) flow.rate = forWrites / writes.length;
}
