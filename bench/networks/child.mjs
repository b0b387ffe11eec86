// One entry of a case in a process of its own; started by measure.mjs. arguments: ENTRY (JSON) FOLDER
import { makeReady } from "./contestants.mjs";

const [text, folder] = process.argv.slice(2);
const entry = JSON.parse(text);
let contestant;

const cpuMilliseconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const METHODS = {
  /** Answers milliseconds until the first result was there, and the result. */
  async prepare() {
    const start = performance.now();
    contestant = await makeReady(entry, folder);
    const ready = performance.now();
    const output = [...(await contestant.run())];
    return { createMs: ready - start, firstRunMs: performance.now() - ready, output };
  },
  async warm({ runs }) {
    for (let n = runs; n > 0; n--) await contestant.run();
    return {};
  },
  /** One run that is not timed, as the others have had the caches; then runs for at least `leastMs`. Milliseconds a run. */
  async batch({ leastMs, settle }) {
    if (settle) await contestant.run();
    const cpu = cpuMilliseconds();
    const start = performance.now();
    let runs = 0;
    let elapsed;
    do {
      await contestant.run();
      runs++;
      elapsed = performance.now() - start;
    } while (elapsed < leastMs);
    const used = cpuMilliseconds() - cpu;
    return { ms: elapsed / runs, cpuMs: used / runs, runs, memoryBytes: contestant.memoryBytes() };
  },
};

process.on("message", async ({ method, argument }) => {
  try {
    process.send({ result: await METHODS[method](argument) });
  } catch (error) {
    process.send({ error: String(error?.message ?? error).split("\n")[0] });
  }
});
process.on("disconnect", () => process.exit(0));
process.send({ result: { node: process.version, v8: process.versions.v8 } });
