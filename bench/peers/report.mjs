/** From samples to the results' file; its types are in scripts/bench-tables/results.ts. */
import { quartiles, roundRatios } from "../../dist/bench/measure.js";

const DIGITS = 4;
const rounded = (x) => Number(x.toPrecision(DIGITS));
const spread = (values) => {
  const { median, lower, upper } = quartiles(values);
  return { median: rounded(median), lower: rounded(lower), upper: rounded(upper) };
};
const times = ({ samples }) => samples.map(({ ms }) => ms);

/** Time of an entry over that of each of our forms, round by round. */
function ratios(entry, entries) {
  const ours = entries.filter(({ peer, skipped }) => peer.kind === "ours" && skipped === undefined);
  return Object.fromEntries(
    ours.map((own) => [`${own.variant.dtype} ${own.variant.name}`, spread(roundRatios(times(entry), times(own)))]),
  );
}

/** Share of its core that a process had; less than all of it means that somebody else was at work there. */
function cpuShare({ samples }) {
  const shares = samples.map((sample) => sample.cpuShare);
  return shares.includes(null) ? null : rounded(quartiles(shares).median);
}

function entryReport(entry, entries) {
  const { peer, variant, skipped, ready } = entry;
  const who = { peer: peer.name, kind: peer.kind, dtype: variant.dtype, variant: variant.name };
  if (skipped !== undefined) return { ...who, skipped };
  return {
    ...who,
    ms: spread(times(entry)),
    ratioToOurs: ratios(entry, entries),
    runs: entry.samples.reduce((sum, { runs }) => sum + runs, 0),
    cpuShare: cpuShare(entry),
    createMs: rounded(ready.createMs),
    firstRunMs: rounded(ready.firstRunMs),
    ...(ready.detail && { detail: ready.detail }),
    ...(variant.note && { note: variant.note }),
    comparison: ready.comparison,
  };
}

/** Below this share of the core somebody else disturbs. */
const QUIET = 0.95;

/** A warning when the machine was busy; undefined when it was quiet, and in a browser, which does not say. */
export function disturbance({ cases }) {
  const shares = cases.flatMap(({ entries }) => entries.flatMap(({ cpuShare: share }) => share ?? []));
  if (shares.length === 0) return undefined;
  const { median } = quartiles(shares);
  if (median >= QUIET) return undefined;
  return `the core was shared: what was timed had ${Math.round(100 * median)} % of it; repeat on a quiet machine`;
}

/** @param {import("./cases.mjs").Case} c @param {import("./measure.mjs").Entry[]} entries */
export function caseReport(c, entries) {
  return { name: c.name, macs: c.macs, entries: entries.map((entry) => entryReport(entry, entries)) };
}

/** One line a form, for the terminal. */
export function printCase({ name, entries }) {
  console.log(`\n${name}`);
  for (const { peer, dtype, variant, ms, ratioToOurs, comparison, skipped } of entries) {
    const who = `  ${peer} ${dtype} ${variant}`.padEnd(34);
    if (skipped !== undefined) {
      console.log(`${who}skipped: ${skipped}`);
      continue;
    }
    const ratio = ratioToOurs[`${dtype} auto`];
    console.log(
      `${who}${ms.median.toFixed(3).padStart(9)} ms (${ms.lower.toFixed(3)} to ${ms.upper.toFixed(3)})` +
        `${ratio ? `  ${ratio.median.toFixed(2)}x ours` : ""}  ${inWords(comparison)}`,
    );
  }
}

/** The quickest WebAssembly peer of a case, in whatever type it computes, against our int8; undefined where nobody else was timed. */
function best({ entries }) {
  const timed = entries.filter(({ kind, ratioToOurs }) => kind === "wasm" && ratioToOurs?.["int8 auto"]);
  return timed.sort((a, b) => a.ms.median - b.ms.median)[0];
}

/** What was run, and how much faster our int8 is than the best of the others. */
export function printSummary({ machine: { cpu, runtime }, versions, settings: { threads, rounds }, cases }) {
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(`\n${runtime} on ${cpu}, threads: ${threads}, rounds: ${rounds}; ${libraries.join(", ")}`);
  for (const c of cases) {
    const found = best(c);
    if (!found) continue;
    const { median, lower, upper } = found.ratioToOurs["int8 auto"];
    const spread = `${lower.toFixed(2)} to ${upper.toFixed(2)}, round by round`;
    console.log(
      `${c.name}: wasmograd int8 ${median.toFixed(2)} times as fast as ${found.peer} ${found.dtype} (${spread})`,
    );
  }
}

function inWords(comparison) {
  if ("relative" in comparison) {
    return `${comparison.within ? "within" : "OUTSIDE"} tolerance, differs by ${comparison.relative} of the largest`;
  }
  const { differing, outputs, largest, within = true } = comparison;
  if (differing === 0) return "same outputs";
  return `${differing} of ${outputs} outputs differ, by ${largest} at most${within ? "" : ": OUTSIDE tolerance"}`;
}
