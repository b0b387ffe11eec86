/** One run of a suite: contestants started, every case written, measured and reported. */
import { chromiumPlace } from "./browser.mjs";
import { machine, versions } from "./machine.mjs";
import { measureCase } from "./measure.mjs";
import { writeCase } from "./models/write.mjs";
import { coreToUse } from "./pinning.mjs";
import { nodePlace } from "./processes.mjs";
import { caseReport, disturbance, printCase, printSummary } from "./report.mjs";

/** What results' files are named after. */
const STEMS = { convolutions: "peers", attention: "peers-attention" };

/** Starts a contestant for every peer that can run here. A peer that does not start is reported; without wasmograd there is no run. */
async function startAll(place, peers) {
  const started = [];
  for (const peer of peers.filter((p) => place.canRun(p))) {
    try {
      const contestant = await place.start(peer.name);
      await contestant.call("open");
      started.push({ peer, contestant });
    } catch (error) {
      if (peer.kind === "ours") throw error;
      started.push({ peer, skipped: error.message });
    }
  }
  return started;
}

/**
 * @param {{ suite: string, cases: readonly import("./cases.mjs").Case[] }} suite
 * @param {ReturnType<typeof import("./options.mjs").readOptions>} options
 * @param {string} folder for the files that the contestants read
 * @returns {Promise<{ file: string, report: object }>} name and contents of the results' file
 */
export async function measureSuite(
  { suite, cases },
  { peers, core: asked, node, chromium, settings, complete },
  folder,
) {
  const core = coreToUse(asked);
  if (core === null) console.error("taskset: not available, so nothing is pinned to a core");
  const place = await (chromium ? chromiumPlace : nodePlace)({ node, core, folder });
  try {
    const contestants = await startAll(place, peers);
    const reports = [];
    for (const c of cases) {
      const failures = await writeCase(c, folder);
      const report = caseReport(c, await measureCase(c, contestants, { ...settings, failures }));
      printCase(report);
      reports.push(report);
    }
    const warning = disturbance({ cases: reports });
    if (warning) console.error(`\n${warning}`);
    const runtime = place.runtime();
    const report = {
      machine: machine(runtime, core),
      versions: versions(contestants.map(({ peer }) => peer)),
      settings: { threads: 1, ...settings },
      cases: reports,
    };
    printSummary(report);
    return { file: `${STEMS[suite]}-${runtime.file}${complete ? "" : ".partial"}.json`, report };
  } finally {
    await place.close();
  }
}

/** Forms whose output is outside the tolerance, so not the layer's: their times mean nothing. */
export function wrongOutputs({ cases }) {
  return cases.flatMap(({ name, entries }) =>
    entries
      .filter(({ comparison }) => comparison?.within === false)
      .map(({ peer, variant, dtype }) => `${name}: ${peer} ${dtype} ${variant}`),
  );
}
