/**
 * A contestant's side of the protocol, the same in a child process and in a page. The parent calls one method at a time; arguments and
 * results are plain data.
 */
import { caseNamed } from "./cases.mjs";
import { compareF32, compareInt8 } from "./comparison.mjs";
import { graphOf } from "./graph.mjs";
import { peerNamed } from "./peers.mjs";

/** Milliseconds of CPU time of this process; a page cannot tell. */
function cpuMilliseconds() {
  const usage = globalThis.process?.cpuUsage?.();
  return usage && (usage.user + usage.system) / 1000;
}

export class Session {
  #host;
  #peer;
  #contestant;
  /** What has been prepared, by the parent's number. */
  #prepared = new Map();

  /** @param {import("./contestants/contract.js").Host} host */
  constructor(host, peerName) {
    this.#host = host;
    this.#peer = peerNamed(peerName);
  }

  /** Loads the library; answers how long it took. */
  async open() {
    const start = performance.now();
    const { open } = await import(this.#peer.module);
    this.#contestant = await open(this.#host, this.#peer.name);
    return { openMs: performance.now() - start };
  }

  /** Makes one case ready, runs it once and compares the output with ours. */
  async prepare({ id, caseName, dtype, variantName }) {
    const c = caseNamed(caseName);
    const variant = this.#peer.variants.find((v) => v.dtype === dtype && v.name === variantName);
    const graph = graphOf(c, dtype);
    const model = variant.model && (await this.#host.readFile(variant.model));
    const start = performance.now();
    const prepared = await this.#contestant.prepare({ case: c, variant, graph, model });
    this.#prepared.set(id, prepared);
    const ready = performance.now();
    const output = await prepared.run();
    const ran = performance.now();
    const comparison = await this.#compare(c, graph, prepared, output);
    return { createMs: ready - start, firstRunMs: ran - ready, comparison, detail: prepared.detail };
  }

  async #compare({ int8Tolerance: tolerance }, graph, { layout, encoding }, output) {
    const { shape, quantization } = graph.tensors[graph.output];
    const { buffer } = await this.#host.readFile(`expected.${graph.dtype}`);
    return graph.dtype === "int8"
      ? compareInt8(new Int8Array(buffer), output, { layout, encoding, shape, quantization, tolerance })
      : compareF32(new Float32Array(buffer), output, { layout, shape });
  }

  /** Runs for at least so long, so that the engine has compiled and optimised everything. */
  async warm({ id, leastMs }) {
    const { run } = this.#prepared.get(id);
    const start = performance.now();
    do await run();
    while (performance.now() - start < leastMs);
  }

  /**
   * One run that is not timed, because the others have had the caches in the meantime; then runs for at least `leastMs` and `leastRuns`.
   * Answers milliseconds a run.
   */
  async batch({ id, leastMs, leastRuns }) {
    const { run } = this.#prepared.get(id);
    await run();
    const cpu = cpuMilliseconds();
    const start = performance.now();
    let runs = 0;
    let elapsed;
    do {
      await run();
      runs++;
      elapsed = performance.now() - start;
    } while (elapsed < leastMs || runs < leastRuns);
    return { ms: elapsed / runs, runs, cpuShare: cpu === undefined ? null : (cpuMilliseconds() - cpu) / elapsed };
  }

  async release({ id }) {
    await this.#prepared.get(id)?.dispose();
    this.#prepared.delete(id);
  }
}
