/** bench/results/peers-*.json, as bench/peers/report.mjs writes them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Quartiles } from "../../src/bench/measure.ts";
import { absolute } from "../documents.ts";

const FOLDER = "bench/results";

interface Who {
  readonly peer: string;
  readonly kind: "ours" | "wasm" | "native";
  readonly dtype: "int8" | "f32";
  readonly variant: string;
}

export interface Int8Comparison {
  readonly outputs: number;
  readonly differing: number;
  /** In steps of the output. */
  readonly largest: number;
  /** Of `largest`, in cases that have one. */
  readonly tolerance?: number;
  readonly within?: boolean;
}

export interface F32Comparison {
  readonly outputs: number;
  /** Largest difference over the largest value. */
  readonly relative: number;
  readonly tolerance: number;
  readonly within: boolean;
}

export interface TimedEntry extends Who {
  readonly ms: Quartiles;
  /** Its time over that of each of our forms ("int8 auto", "f32 winograd", ...): quartiles over the rounds. */
  readonly ratioToOurs: Readonly<Record<string, Quartiles>>;
  readonly cpuShare: number | null;
  readonly createMs: number;
  readonly firstRunMs: number;
  readonly detail?: string;
  readonly comparison: Int8Comparison | F32Comparison;
}

export interface SkippedEntry extends Who {
  readonly skipped: string;
}

export type Entry = TimedEntry | SkippedEntry;

export interface CaseResult {
  readonly name: string;
  readonly macs: number;
  readonly entries: readonly Entry[];
}

export interface PeerResults {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly flags: readonly string[] | null;
    /** Core, or null where nothing was pinned. */
    readonly pinnedTo: number | null;
    readonly runtime: string;
    readonly v8: string | null;
    readonly date: string;
    readonly commit: string | null;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: { readonly rounds: number; readonly leastMs: number; readonly warmMs: number };
  readonly cases: readonly CaseResult[];
}

/**
 * Those of complete runs of a suite: Node's in the order of their versions, then the browser's.
 * @param stem of the names of its files
 */
export function readResults(stem: "peers" | "peers-attention" = "peers"): PeerResults[] {
  if (!existsSync(absolute(FOLDER))) return [];
  const files = readdirSync(absolute(FOLDER)).filter((name) => new RegExp(`^${stem}-[a-z0-9]+\\.json$`).test(name));
  const results = files.map((name): PeerResults => JSON.parse(readFileSync(absolute(`${FOLDER}/${name}`), "utf8")));
  const order = ({ machine: { runtime } }: PeerResults): string => (runtime.startsWith("Node") ? "0" : "1") + runtime;
  return results.sort((a, b) => order(a).localeCompare(order(b)));
}
