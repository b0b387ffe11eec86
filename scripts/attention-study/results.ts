/** What scripts/attention-study-measure.ts writes, and the documents are made of. */
import { existsSync, readFileSync } from "node:fs";
import { absolute } from "../documents.ts";
import type { Accuracy, ROUNDS, Time } from "./measure.ts";

export const RESULTS = "bench/results/attention-study.json";

export interface Measured {
  readonly accuracy: readonly Accuracy[];
  readonly times?: typeof ROUNDS & { readonly machine: string; readonly date: string; readonly of: readonly Time[] };
}

/** Empty before the first measurement. */
export function readMeasured(): Measured {
  if (!existsSync(absolute(RESULTS))) return { accuracy: [] };
  return JSON.parse(readFileSync(absolute(RESULTS), "utf8")) as Measured;
}
