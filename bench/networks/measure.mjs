/**
 * The method of bench:peers: every entry in a process of its own, pinned to the same core, one batch a round while the others wait; who begins
 * moves on from round to round. Ratios are taken round by round.
 */
import { fileURLToPath } from "node:url";
import { compareF32 } from "../peers/comparison.mjs";
import { startScript } from "../peers/processes.mjs";
import { writeModel } from "./write.mjs";

const CHILD = fileURLToPath(new URL("child.mjs", import.meta.url));

/**
 * Of the largest logit: sums of up to 4096 products in another order, through up to 60 layers of random weights.
 */
const F32_TOLERANCE = 1e-3;

/** Steps of 255: the peer rounds what it adds before it adds, ten times on the way. A filter in the wrong order differs by hundreds. */
const INT8_TOLERANCE = 16;

/** A peer's output against ours. */
function compare({ dtype }, expected, output) {
  if (dtype === "f32") {
    const shape = [1, 1, expected.length];
    const { relative } = compareF32(expected, output, { layout: "NHWC", shape });
    return { outputs: expected.length, relative, tolerance: F32_TOLERANCE, within: relative <= F32_TOLERANCE };
  }
  const differences = output.map((value, i) => Math.abs(value - expected[i]));
  const largest = Math.max(...differences);
  const differing = differences.filter((d) => d > 0).length;
  return { outputs: expected.length, differing, largest, tolerance: INT8_TOLERANCE, within: largest <= INT8_TOLERANCE };
}

async function startEntry(entry, folder, warmRuns, { node, core }) {
  const expected = entry.library === "wasmograd" ? undefined : await writeModel(entry, folder);
  const child = await startScript(CHILD, [JSON.stringify(entry), folder], { node, core });
  try {
    const { output, ...ready } = await child.call("prepare");
    await child.call("warm", { runs: warmRuns });
    return { entry, child, ready, samples: [], ...(expected && { comparison: compare(entry, expected, output) }) };
  } catch (error) {
    await child.close();
    throw error;
  }
}

/**
 * @param {import("./cases.mjs").Case} c
 * @returns {Promise<{ runtime: { node: string, v8: string }, results: { entry: import("./cases.mjs").Entry, ready: object, samples: object[] }[] }>}
 */
export async function measureCase(c, folder, settings) {
  const { rounds, slowRounds, warmRuns, leastMs } = settings;
  const { slow = false } = c;
  const results = [];
  try {
    // One after the other: making ready takes much memory for a moment.
    for (const entry of c.entries) results.push(await startEntry(entry, folder, slow ? 0 : warmRuns, settings));
    for (let round = 0; round < (slow ? slowRounds : rounds); round++) {
      for (let i = 0; i < results.length; i++) {
        const { child, samples } = results[(i + round) % results.length];
        samples.push(await child.call("batch", { leastMs, settle: !slow }));
      }
    }
    return { runtime: results[0].child.runtime, results };
  } finally {
    for (const { child } of results) await child.close();
  }
}
