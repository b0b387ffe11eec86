/** From samples to the results' file. */
import { quartiles, roundRatios } from "../../dist/bench/measure.js";
import { buildModel, countNetwork } from "../../dist/index.js";

const DIGITS = 4;
const rounded = (x) => Number(x.toPrecision(DIGITS));
const spread = (values) => {
  const { median, lower, upper } = quartiles(values);
  return { median: rounded(median), lower: rounded(lower), upper: rounded(upper) };
};

/** Multiply-accumulates at 224x224; of detectors `inspect` says more. */
function macsOf({ kind, id, attention }) {
  if (kind !== "network") return null;
  return countNetwork(buildModel(id, attention === undefined ? {} : { attention }), [224, 224]).macs;
}

function entryReport({ entry, ready, samples, comparison }) {
  const ms = spread(samples.map((sample) => sample.ms));
  const macs = macsOf(entry);
  return {
    name: entry.name,
    library: entry.library,
    dtype: entry.dtype,
    macs,
    ms,
    // Of its own processor time: what the median would be on a machine that nobody else used.
    cpuMs: spread(samples.map((sample) => sample.cpuMs)),
    gmacPerSecond: macs === null ? null : rounded(macs / ms.median / 1e6),
    cpuShare: rounded(quartiles(samples.map((sample) => sample.cpuMs / sample.ms)).median),
    runs: samples.reduce((sum, { runs }) => sum + runs, 0),
    createMs: rounded(ready.createMs),
    firstRunMs: rounded(ready.firstRunMs),
    memoryBytes: samples.at(-1).memoryBytes,
    ...(comparison && { comparison }),
  };
}

/** @param {import("./cases.mjs").Case} c */
export function caseReport({ name, pairs }, results) {
  const samplesOf = (wanted) => results.find(({ entry }) => entry.name === wanted)?.samples;
  return {
    name,
    entries: results.map(entryReport),
    ratios: pairs.flatMap(([a, b]) => {
      const [first, second] = [samplesOf(a), samplesOf(b)];
      if (!first || !second) return [];
      const ratio = (field) =>
        spread(
          roundRatios(
            first.map((s) => s[field]),
            second.map((s) => s[field]),
          ),
        );
      return [{ of: a, over: b, time: ratio("ms"), cpuTime: ratio("cpuMs") }];
    }),
  };
}

export function printCase({ name, entries, ratios }) {
  console.log(`\n${name}`);
  for (const { name: who, ms, cpuMs, gmacPerSecond, cpuShare, memoryBytes, comparison } of entries) {
    const speed = gmacPerSecond === null ? "" : `${gmacPerSecond.toFixed(1).padStart(7)} GMAC/s`;
    const memory = memoryBytes === null ? "" : `  ${(memoryBytes / 2 ** 20).toFixed(1)} MiB`;
    console.log(
      `  ${who.padEnd(40)}${ms.median.toFixed(2).padStart(10)} ms (${ms.lower.toFixed(2)} to ${ms.upper.toFixed(2)}), ` +
        `cpu ${cpuMs.median.toFixed(2)} ms${speed}  core ${Math.round(100 * cpuShare)} %${memory}`,
    );
    if (comparison) console.log(`    beside ours: ${JSON.stringify(comparison)}`);
  }
  for (const { of, over, time, cpuTime } of ratios) {
    console.log(
      `  ${of} / ${over}: ${time.median.toFixed(3)} (${time.lower.toFixed(3)} to ${time.upper.toFixed(3)}), of cpu time ${cpuTime.median.toFixed(3)}`,
    );
  }
}
