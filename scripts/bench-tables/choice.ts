/** Which of several forms stands in a table: the fastest, by the ratios of the same rounds. */
import type { CaseResult, Entry, TimedEntry } from "./results.ts";

export type DType = Entry["dtype"];

export const isTimed = (entry: Entry): entry is TimedEntry => !("skipped" in entry);

/** An output outside its tolerance is no result. int8 outputs without one are shown as they are: the document says by how much they differ. */
const isRight = ({ comparison: { within = true } }: TimedEntry): boolean => within;

export function timed({ entries }: CaseResult, kind: Entry["kind"], dtype: DType): TimedEntry[] {
  return entries.filter(isTimed).filter((entry) => entry.kind === kind && entry.dtype === dtype && isRight(entry));
}

const keyOf = ({ dtype, variant }: TimedEntry): string => `${dtype} ${variant}`;

/** Time of an entry over that of one of ours. */
export function ratio(entry: TimedEntry, own: TimedEntry): number {
  return entry.ratioToOurs[keyOf(own)]!.median;
}

function fastest(entries: readonly TimedEntry[], over: TimedEntry): TimedEntry | undefined {
  return [...entries].sort((a, b) => ratio(a, over) - ratio(b, over))[0];
}

export interface Standing {
  readonly own: TimedEntry;
  readonly wasm: TimedEntry | undefined;
  readonly native: TimedEntry | undefined;
}

/** Ours, the best WebAssembly peer and the native one; undefined when ours was not timed. */
export function standing(result: CaseResult, dtype: DType): Standing | undefined {
  // Forms with float ends are for comparing with peers that have no others; relaxed SIMD is off by default.
  const asides = ["float ends", "relaxed"];
  const ours = timed(result, "ours", dtype).filter(({ variant }) => !asides.includes(variant));
  const own = ours[0] && fastest(ours, ours[0]);
  if (!own) return undefined;
  const best = (kind: Entry["kind"]) => fastest(timed(result, kind, dtype), own);
  return { own, wasm: best("wasm"), native: best("native") };
}
