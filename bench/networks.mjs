// Times whole networks: RAN-i beside ConvNeXt, RAN-e beside its baselines, detectors, DeiT-Ti with fewer and fewer projections, and
// onnxruntime-web on one of each but detectors. Weights are random. Writes a file of bench/results for each suite. usage: npm run bench:networks -- --help
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readOptions, USAGE } from "./networks/options.mjs";
import { install } from "./peers/installation.mjs";
import { machine, versions } from "./peers/machine.mjs";
import { PEERS } from "./peers/peers.mjs";
import { coreToUse } from "./peers/pinning.mjs";

const RESULTS = fileURLToPath(new URL("results", import.meta.url));
/** What results' files are named after. */
const STEMS = { convolutions: "networks", transformers: "networks-transformers" };
/** Runs of --layers, of which the quickest counts. */
const LAYER_ROUNDS = 15;

async function measureSuite({ suite, cases }, { node, core: asked, settings, complete }, folder) {
  const { measureCase } = await import("./networks/measure.mjs");
  const { caseReport, printCase } = await import("./networks/report.mjs");
  const core = coreToUse(asked);
  if (core === null) console.error("taskset: not available, so nothing is pinned to a core");
  const reports = [];
  let runtime;
  const load = [loadavg()[0]];
  for (const c of cases) {
    const measured = await measureCase(c, folder, { ...settings, node, core });
    ({ runtime } = measured);
    const report = caseReport(c, measured.results);
    printCase(report);
    reports.push(report);
    load.push(loadavg()[0]);
  }
  const version = runtime.node.slice(1);
  const used = PEERS.filter(({ name }) => name === "wasmograd" || name === "onnxruntime-web");
  return {
    file: `${STEMS[suite]}-node${version.split(".")[0]}${complete ? "" : ".partial"}.json`,
    report: {
      machine: machine({ name: "Node", version, v8: runtime.v8 }, core),
      // Before the first case and after each; one process at work is 1.
      load: load.map((value) => Number(value.toFixed(2))),
      versions: versions(used),
      settings: { threads: 1, ...settings },
      cases: reports,
    },
  };
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  if (options.layers !== undefined) {
    const { printLayers } = await import("./networks/layers.mjs");
    await printLayers(options.layers, options.precision, LAYER_ROUNDS);
    return;
  }
  install();
  const folder = mkdtempSync(join(tmpdir(), "wasmograd-networks-"));
  try {
    const wrong = [];
    for (const suite of options.suites) {
      const { file, report } = await measureSuite(suite, options, folder);
      mkdirSync(RESULTS, { recursive: true });
      const path = join(RESULTS, file);
      writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
      console.log(`\n${relative(process.cwd(), path)}`);
      for (const { entries } of report.cases) {
        wrong.push(...entries.filter(({ comparison }) => comparison?.within === false));
      }
    }
    if (wrong.length > 0) throw new Error(`outputs outside the tolerance: ${wrong.map(({ name }) => name).join("; ")}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench:networks: ${String(error?.message ?? error).split("\n")[0]}`);
  process.exitCode = 1;
}
