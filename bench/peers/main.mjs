// Times wasmograd and its peers on the same layers and networks. usage: npm run bench:peers -- --help
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./installation.mjs";
import { readOptions, USAGE } from "./options.mjs";

const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  install();
  // Imports the peers' packages, so not before they are installed.
  const { measureSuite, wrongOutputs } = await import("./run.mjs");
  const folder = mkdtempSync(join(tmpdir(), "wasmograd-peers-"));
  try {
    const wrong = [];
    for (const suite of options.suites) {
      const { file, report } = await measureSuite(suite, options, folder);
      mkdirSync(RESULTS, { recursive: true });
      const path = join(RESULTS, file);
      writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
      console.log(`\n${relative(process.cwd(), path)}`);
      wrong.push(...wrongOutputs(report));
    }
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
