// Times the networks that the CPU model is checked with, beside the calibration of the same machine (wasmograd bench --calibrate), and writes
// bench/results/cpu-networks-nodeNN.json. usage: npm run bench:cpu-networks        (about two minutes; nothing else should run meanwhile)
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { type TimedRun, timeRuns } from "../src/bench/calibration.ts";
import { buildModel } from "../src/models/registry.ts";
import { processorTime } from "../src/node/processor.ts";
import { absolute } from "./documents.ts";
import { CPU_NETWORKS } from "./timing-tables/cpu-networks.ts";

const runs = CPU_NETWORKS.map(
  ({ id, precision, input: [height, width] }): TimedRun => ({ network: buildModel(id), precision, height, width }),
);
const { timed, macsPerSecond } = await timeRuns(runs, {
  clock: processorTime,
  onProgress: (fraction, name) => console.error(`${Math.round(100 * fraction)} % ${name}`),
});
const [major] = process.versions.node.split(".") as [string];
const machine = `${cpus()[0]?.model.trim()}, node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
const lines = CPU_NETWORKS.map(({ id, precision, input }, i) => {
  const { ms, strips, algorithms } = timed[i]!;
  return `    ${JSON.stringify({ id, precision, input, ms, strips, algorithms: Object.values(algorithms) })}`;
});
const head = `{\n  "machine": ${JSON.stringify(machine)},\n  "macsPerSecond": ${JSON.stringify(macsPerSecond)},\n`;
const path = `bench/results/cpu-networks-node${major}.json`;
writeFileSync(absolute(path), `${head}  "networks": [\n${lines.join(",\n")}\n  ]\n}\n`);
console.log(path);
