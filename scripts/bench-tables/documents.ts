/** The documents that have tables of measurements: path -> text. */
import { readFileSync } from "node:fs";
import { absolute, type Blocks, fillBlocks } from "../documents.ts";
import { accuracyBlocks } from "./accuracy.ts";
import { attentionBlocks } from "./attention.ts";
import { networkBlocks } from "./networks.ts";
import { ownBlocks } from "./own.ts";
import type { PeerResults } from "./results.ts";
import { performanceBlocks, readmeBlocks } from "./tables.ts";

export function benchDocuments(results: readonly PeerResults[]): Map<string, string> {
  const blocks: readonly (readonly [string, Blocks])[] = [
    ["README.md", readmeBlocks(results)],
    [
      "docs/performance.md",
      new Map([...performanceBlocks(results), ...attentionBlocks(), ...ownBlocks(), ...networkBlocks()]),
    ],
    ["docs/accuracy.md", accuracyBlocks()],
  ];
  const filled = ([path, parts]: readonly [string, Blocks]): [string, string] => [
    path,
    fillBlocks(path, readFileSync(absolute(path), "utf8"), parts, ["quality"]),
  ];
  return new Map(blocks.map(filled));
}
