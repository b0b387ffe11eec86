// Times wasmograd and its peers on the same layers and networks. usage: npm run bench:peers -- --help
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./installation.mjs";
import { readOptions, USAGE } from "./options.mjs";

const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

/** Forms whose f32 output is not the layer's: their times mean nothing. */
function wrongOutputs({ cases }) {
  return cases.flatMap(({ name, entries }) =>
    entries
      .filter(({ comparison }) => comparison?.within === false)
      .map(({ peer, variant, dtype }) => `${name}: ${peer} ${dtype} ${variant}`),
  );
}

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

async function measureAll(options, folder) {
  // Modules that import the peers' packages, so not before those are installed.
  const [{ machine, versions }, { measureCase }, { writeCase }, { caseReport, disturbance, printCase }, { coreToUse }] =
    await Promise.all([
      import("./machine.mjs"),
      import("./measure.mjs"),
      import("./models/write.mjs"),
      import("./report.mjs"),
      import("./pinning.mjs"),
    ]);
  const core = coreToUse(options.core);
  if (core === null) console.error("taskset: not available, so nothing is pinned to a core");
  const makePlace = options.chromium
    ? (await import("./browser.mjs")).chromiumPlace
    : (await import("./processes.mjs")).nodePlace;
  const place = await makePlace({ node: options.node, core, folder });
  try {
    const contestants = await startAll(place, options.peers);
    const cases = [];
    for (const c of options.cases) {
      try {
        await writeCase(c, folder);
      } catch (error) {
        cases.push({ name: c.name, macs: c.macs, skipped: `wasmograd: ${error.message}`, entries: [] });
        console.log(`\n${c.name}\n  skipped: wasmograd: ${error.message}`);
        continue;
      }
      cases.push(caseReport(c, await measureCase(c, contestants, options.settings)));
      printCase(cases.at(-1));
    }
    const warning = disturbance({ cases });
    if (warning) console.error(`\n${warning}`);
    const runtime = place.runtime();
    const { rounds, warmMs, leastMs, leastRuns } = options.settings;
    return {
      file: `peers-${runtime.file}${options.complete ? "" : ".partial"}.json`,
      report: {
        machine: machine(runtime, core),
        versions: versions(contestants.map(({ peer }) => peer)),
        settings: { threads: 1, rounds, warmMs, leastMs, leastRuns },
        cases,
      },
    };
  } finally {
    await place.close();
  }
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  install();
  const folder = mkdtempSync(join(tmpdir(), "wasmograd-peers-"));
  try {
    const { file, report } = await measureAll(options, folder);
    mkdirSync(RESULTS, { recursive: true });
    const path = join(RESULTS, file);
    writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`\n${relative(process.cwd(), path)}`);
    const wrong = wrongOutputs(report);
    if (wrong.length > 0) throw new Error(`outputs outside the tolerance: ${wrong.join("; ")}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench:peers: ${String(error?.message ?? error).split("\n")[0]}`);
  process.exitCode = 1;
}
