// Runs the networks of training/attention-study in this library and writes bench/results/attention-study.json.
// usage: npx tsx scripts/attention-study-measure.ts --accuracy    runs that were not run yet, on the test pictures in training/cache
//        npx tsx scripts/attention-study-measure.ts --times       every member in turn; nothing else should run meanwhile
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { measureAccuracy, measureTimes, ROUNDS } from "./attention-study/measure.ts";
import { type Measured, RESULTS, readMeasured } from "./attention-study/results.ts";
import { absolute } from "./documents.ts";

const { values } = parseArgs({ options: { accuracy: { type: "boolean" }, times: { type: "boolean" } } });
let measured: Measured = readMeasured();
if (values.accuracy) {
  const accuracy = await measureAccuracy(measured.accuracy);
  measured = { ...measured, accuracy };
  console.log(
    `${accuracy.length} runs: ${accuracy.reduce((n, run) => n + run.otherThanPyTorch, 0)} answers unlike PyTorch's`,
  );
}
if (values.times) {
  const machine = `${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.versions.node}, one thread`;
  measured = {
    ...measured,
    times: { machine, date: new Date().toISOString().slice(0, 10), ...ROUNDS, of: await measureTimes() },
  };
  for (const { kind, member, medianMs } of measured.times!.of) console.log(`${kind} ${member} ${medianMs} ms`);
}
writeFileSync(absolute(RESULTS), `${JSON.stringify(measured)}\n`);
