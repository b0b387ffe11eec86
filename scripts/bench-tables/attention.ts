/** The tables of the suite "attention": ours beside the peers, everybody, and by how much outputs differ. */
import type { Blocks } from "../documents.ts";
import { type PeerResults, readResults } from "./results.ts";
import { everybody, exactness, source, standingTable } from "./tables.ts";

const SUITE = "attention";

function section(results: PeerResults): string {
  return [
    `**${results.machine.runtime}**`,
    standingTable(results),
    source(results, SUITE),
    everybody(results, "int8"),
    everybody(results, "f32"),
  ].join("\n\n");
}

export function attentionBlocks(): Blocks {
  const all = readResults("peers-attention");
  if (all.length === 0) {
    return new Map([
      ["peers-attention", `*Not measured at this commit: \`npm run bench:peers -- --suite ${SUITE}\`.*`],
    ]);
  }
  return new Map([["peers-attention", [...all.map(section), ...all.map(exactness)].join("\n\n")]]);
}
