/** The tables of README.md and docs/performance.md, from the results of bench/peers. */
import { median, type Quartiles } from "../../src/bench/measure.ts";
import { type Blocks, table } from "../documents.ts";
import { type DType, isTimed, ratio, type Standing, standing } from "./choice.ts";
import type { CaseResult, Entry, PeerResults, TimedEntry } from "./results.ts";

const DTYPES: readonly DType[] = ["int8", "f32"];
const NOTHING = "-";
const NOT_MEASURED =
  "*Not measured at this commit. `npm run bench:peers` measures, `npm run gen:bench-tables` writes the tables.*";

/** Three digits, no more: 0.742, 7.42, 74.2, 742. */
export function milliseconds(ms: number): string {
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(ms)));
  return ms.toFixed(Math.min(3, decimals));
}

const times = (x: number): string => `${x.toFixed(2)}x`;

/** The forms that have to be told apart in a table. */
function formOf({ peer, variant }: Entry): string {
  return variant === "auto" || variant === "f32" ? peer : `${peer} ${variant}`;
}

const ownTime = ({ ms, variant }: TimedEntry): string =>
  milliseconds(ms.median) + (variant === "auto" ? "" : ` (${variant})`);

function rival(entry: TimedEntry | undefined, own: TimedEntry): string[] {
  if (!entry) return [NOTHING, NOTHING, NOTHING];
  const bold = (text: string): string => (ratio(entry, own) >= 1 ? `**${text}**` : text);
  return [formOf(entry), milliseconds(entry.ms.median), bold(times(ratio(entry, own)))];
}

/** " (of which they had 99 %)": less than all means that somebody else was at work. A browser does not say. */
function shareOfCore({ cases }: PeerResults): string {
  const shares = cases.flatMap(({ entries }) => entries.filter(isTimed).flatMap(({ cpuShare }) => cpuShare ?? []));
  if (shares.length === 0) return "";
  return ` (of which they had ${Math.min(100, Math.round(100 * median(shares)))} %)`;
}

/** Where, when and with what; stands under every table. */
export function source(results: PeerResults, suite?: string): string {
  const { machine, versions, settings } = results;
  const { cpu, cores, flags, pinnedTo, runtime, v8, date, commit } = machine;
  const peers = Object.entries(versions).filter(([name]) => name !== "wasmograd");
  const options = [...(suite ? [`--suite ${suite}`] : []), ...(runtime.startsWith("Chromium") ? ["--chromium"] : [])];
  const command = ["npm run bench:peers", ...(options.length > 0 ? ["--", ...options] : [])].join(" ");
  return [
    `*Measured ${date} by \`${command}\` on ${cpu}, ${cores} cores${flags ? ` (${flags.join(", ")})` : ""},`,
    `${runtime}${v8 ? ` (V8 ${v8})` : ""}, one thread, ${pinnedTo === null ? "not pinned" : `all pinned to core ${pinnedTo}${shareOfCore(results)}`},`,
    `${settings.rounds} rounds; wasmograd at ${commit ?? "no commit"},`,
    `${peers.map(([name, version]) => `${name} ${version}`).join(", ")}.*`,
  ].join("\n");
}

/** f(case, type, standing) of everything that was timed. */
function rowsOf<Row>(results: PeerResults, row: (c: CaseResult, dtype: DType, s: Standing) => Row): Row[] {
  return DTYPES.flatMap((dtype) =>
    results.cases.flatMap((c) => {
      const found = standing(c, dtype);
      return found ? [row(c, dtype, found)] : [];
    }),
  );
}

/** Ours, the best WebAssembly peer and the native library in one runtime. */
export function standingTable(results: PeerResults): string {
  const hasNative = rowsOf(results, (_c, _dtype, { native }) => native !== undefined).includes(true);
  const header = ["", "wasmograd ms", "best WebAssembly peer", "ms", "wasmograd is faster by"];
  const native = ["onnxruntime-node (native) ms", "wasmograd is faster by"];
  return table(
    hasNative ? [...header, ...native] : header,
    rowsOf(results, (c, dtype, s) => {
      const row = [`${dtype} ${c.name}`, ownTime(s.own), ...rival(s.wasm, s.own)];
      return hasNative ? [...row, ...rival(s.native, s.own).slice(1)] : row;
    }),
  );
}

const range = ({ median: middle, lower, upper }: Quartiles): string =>
  `${milliseconds(middle)} (${milliseconds(lower)}-${milliseconds(upper)})`;

/** Everybody's medians and quartiles. */
export function everybody(results: PeerResults, dtype: DType): string {
  const forms = new Map<string, Entry>();
  for (const { entries } of results.cases) {
    for (const entry of entries) if (entry.dtype === dtype) forms.set(`${entry.peer} ${entry.variant}`, entry);
  }
  const cases = results.cases.filter(({ entries }) => entries.some((e) => e.dtype === dtype && isTimed(e)));
  const cell = ({ entries }: CaseResult, { peer, variant }: Entry): string => {
    const entry = entries.find((e) => e.peer === peer && e.variant === variant && e.dtype === dtype);
    return entry && isTimed(entry) ? range(entry.ms) : NOTHING;
  };
  return table(
    [`${dtype}, ms`, ...[...forms.values()].map(formOf)],
    cases.map((c) => [c.name, ...[...forms.values()].map((form) => cell(c, form))]),
  );
}

/** What was not timed, and why: a line for each form, or one for all of a case in a type. */
function omissionsOf({ name, entries }: CaseResult, dtype: DType): string[] {
  const all = entries.filter((entry) => entry.dtype === dtype);
  const skipped = all.flatMap((entry) => (isTimed(entry) ? [] : [entry]));
  const [first] = skipped;
  if (!first) return [];
  const oneReason = skipped.every((entry) => entry.skipped === first.skipped);
  if (skipped.length === all.length && oneReason) return [`- ${dtype} ${name}: ${first.skipped}`];
  return skipped.map((entry) => `- ${dtype} ${name}, ${formOf(entry)}: ${entry.skipped}`);
}

function omissions({ cases }: PeerResults): string | undefined {
  const lines = DTYPES.flatMap((dtype) => cases.flatMap((c) => omissionsOf(c, dtype)));
  return lines.length > 0 ? ["Not timed:", "", ...lines].join("\n") : undefined;
}

function runtimeSection(results: PeerResults): string {
  const parts = [
    `### ${results.machine.runtime}`,
    standingTable(results),
    source(results),
    ...DTYPES.map((dtype) => everybody(results, dtype)),
    "*Medians over the rounds, quartiles in brackets.*",
    omissions(results),
  ];
  return parts.filter((part) => part !== undefined).join("\n\n");
}

/** How much faster int8 is than f32: ours and, of each peer, its best int8 form against its f32. */
function int8OverF32(results: PeerResults): string {
  const peers = ["onnxruntime-web", "LiteRT.js", "onnxruntime-node"];
  const rows = results.cases.flatMap((c) => {
    const int8 = standing(c, "int8")?.own;
    const f32 = standing(c, "f32")?.own;
    if (!int8 || !f32) return [];
    const direct = c.entries
      .filter(isTimed)
      .find((e) => e.kind === "ours" && e.dtype === "f32" && e.variant === "auto");
    const gain = (peer: string): string => {
      const entries = c.entries.filter(isTimed).filter((e) => e.peer === peer);
      const least = (dtype: DType): number =>
        Math.min(...entries.filter((e) => e.dtype === dtype).map((e) => ratio(e, int8)));
      const found = least("f32") / least("int8");
      return Number.isFinite(found) ? times(found) : NOTHING;
    };
    const ours = [direct ? times(ratio(direct, int8)) : NOTHING, `${times(ratio(f32, int8))} (${f32.variant})`];
    return [[c.name, ...ours, ...peers.map(gain)]];
  });
  const header = ["f32 time over int8 time", "wasmograd, f32 direct", "wasmograd, its fastest f32", ...peers];
  return `${results.machine.runtime}:\n\n${table(header, rows)}`;
}

/** What each form of each peer computed in int8: a line for each case that differs, one for all that do not. */
function int8Exactness({ cases }: PeerResults): string[][] {
  const differences = new Map<string, string[][]>();
  const agreeing = new Set<string>();
  for (const c of cases) {
    for (const entry of c.entries.filter(isTimed)) {
      if (entry.kind === "ours" || "relative" in entry.comparison) continue;
      const { differing, outputs, largest } = entry.comparison;
      const form = formOf(entry);
      if (!differences.has(form)) differences.set(form, []);
      if (differing === 0) agreeing.add(form);
      else differences.get(form)!.push([c.name, `${differing} of ${outputs} outputs differ, by ${largest} at most`]);
    }
  }
  return [...differences].flatMap(([form, lines]) => {
    const rest = agreeing.has(form) ? [[lines.length === 0 ? "all" : "all others", "same bits"]] : [];
    return [...lines, ...rest].map((line) => [form, "int8", ...line]);
  });
}

/** The largest difference of each form in f32, over the cases. */
function f32Exactness({ cases }: PeerResults): string[][] {
  const worst = new Map<string, { relative: number; name: string; within: boolean }>();
  for (const c of cases) {
    for (const entry of c.entries.filter(isTimed)) {
      if (!("relative" in entry.comparison) || (entry.kind === "ours" && entry.variant === "auto")) continue;
      const { relative, within } = entry.comparison;
      const known = worst.get(formOf(entry));
      if (!known || relative > known.relative) worst.set(formOf(entry), { relative, name: c.name, within });
    }
  }
  return [...worst].map(([form, { relative, name, within }]) => {
    const found =
      relative === 0 ? "same bits in every case" : `at most ${relative.toExponential(1)} of the largest value`;
    return [form, "f32", relative === 0 ? "all" : `worst: ${name}`, within ? found : `${found}: not the same layer`];
  });
}

export function exactness(results: PeerResults): string {
  const rows = [...int8Exactness(results), ...f32Exactness(results)];
  return `${results.machine.runtime}:\n\n${table(["", "", "case", "output against wasmograd's"], rows)}`;
}

/** One row a case, one column a runtime: how many times faster than the best WebAssembly peer. */
export function readmeBlocks(all: readonly PeerResults[]): Blocks {
  const [first] = all;
  if (!first) return new Map([["peers", NOT_MEASURED]]);
  const others = all.slice(1);
  const elsewhere = (results: PeerResults, name: string, dtype: DType): string => {
    const found = results.cases.find((c) => c.name === name);
    const s = found && standing(found, dtype);
    return s?.wasm ? times(ratio(s.wasm, s.own)) : NOTHING;
  };
  const major = ({ machine }: PeerResults): string => machine.runtime.replace(/\..*/, "");
  const header = [
    "",
    "wasmograd ms",
    "best WebAssembly peer ms",
    "faster by",
    ...others.map((results) => `faster by, in ${major(results)}`),
    "onnxruntime-node (native) ms",
    "faster by",
  ];
  const rows = rowsOf(first, (c, dtype, { own, wasm, native }) => [
    `${dtype} ${c.name}`,
    ownTime(own),
    wasm ? `${milliseconds(wasm.ms.median)} (${formOf(wasm)})` : NOTHING,
    wasm ? `**${times(ratio(wasm, own))}**` : NOTHING,
    ...others.map((results) => elsewhere(results, c.name, dtype)),
    native ? milliseconds(native.ms.median) : NOTHING,
    native ? times(ratio(native, own)) : NOTHING,
  ]);
  return new Map([["peers", `${table(header, rows)}\n\n${source(first)}`]]);
}

export function performanceBlocks(all: readonly PeerResults[]): Blocks {
  const each = (part: (results: PeerResults) => string): string =>
    all.length === 0 ? NOT_MEASURED : all.map(part).join("\n\n");
  return new Map([
    ["peers", each(runtimeSection)],
    ["peers-int8-over-f32", each(int8OverF32)],
    ["peers-exactness", each(exactness)],
  ]);
}
