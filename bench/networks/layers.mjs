/** Where a network's time goes: every layer timed by itself, and sums by kernel. */
import { compile, countNetwork } from "../../dist/index.js";
import { modelOf, randomPicture } from "./models.mjs";

/** Runs before timing, until V8 has optimised everything. */
const WARM_UPS = 3;

/** This process's processor time in milliseconds: what others take of the core in the meantime does not count. */
function clock() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** One plan whose steps note their times; all strips of a run are summed. */
function timedPlan(compiled, [height, width], times) {
  return compiled.createPlan(height, width, {
    around: (layer, step) => (begin, end) => {
      const start = clock();
      step(begin, end);
      times.set(layer.name, (times.get(layer.name) ?? 0) + clock() - start);
    },
  });
}

/** What computes a layer, in words: for convolutions the kernel, else the operator. */
function kindOf(layer, algorithms) {
  const kernel = algorithms.get(layer.name)?.kernel;
  if (kernel === undefined) return layer.op === "activation" ? layer.activation.kind : layer.op;
  const [kh, kw] = layer.kernel;
  return `${kernel} ${kh}x${kw}${layer.stride > 1 ? `/${layer.stride}` : ""}`;
}

/**
 * The least processor time of `rounds` runs.
 * @returns {Promise<{ strips: number, arenaBytes: number, layers: { name: string, kind: string, shape: readonly number[], macs: number, ms: number }[] }>}
 */
export async function timeLayers(model, picture, rounds) {
  const compiled = await compile(model);
  const [height, width] = picture.shape;
  const counts = countNetwork(compiled.network, [height, width]);
  const times = new Map();
  const plan = timedPlan(compiled, [height, width], times);
  const output = new Float32Array(plan.outputShape.reduce((a, b) => a * b, 1));
  const samples = new Map();
  for (let round = -WARM_UPS; round < rounds; round++) {
    times.clear();
    compiled.runReal(plan, picture.data, output);
    if (round < 0) continue;
    for (const [name, ms] of times) samples.set(name, [...(samples.get(name) ?? []), ms]);
  }
  const { algorithms } = compiled;
  const layers = compiled.network.layers.filter(({ name }) => samples.has(name));
  const result = {
    strips: plan.strips,
    arenaBytes: plan.arenaBytes,
    layers: layers.map((layer) => {
      const { shape, macs } = counts.layers.find(({ name }) => name === layer.name);
      return {
        name: layer.name,
        kind: kindOf(layer, algorithms),
        shape,
        macs,
        ms: Math.min(...samples.get(layer.name)),
      };
    }),
  };
  plan.dispose();
  compiled.dispose();
  return result;
}

/** Sums by kind, the longest first. */
export function byKind(layers) {
  const kinds = new Map();
  for (const { kind, macs, ms, shape } of layers) {
    const sum = kinds.get(kind) ?? { kind, layers: 0, macs: 0, values: 0, ms: 0 };
    sum.layers++;
    sum.macs += macs;
    sum.values += shape.reduce((a, b) => a * b, 1);
    sum.ms += ms;
    kinds.set(kind, sum);
  }
  return [...kinds.values()].sort((a, b) => b.ms - a.ms);
}

const rate = (count, ms) => (count / ms / 1e6).toFixed(count / ms / 1e6 < 10 ? 2 : 1);

/** The profile as text: sums by kind, then every layer. */
export async function printLayers(id, dtype, rounds) {
  const { strips, arenaBytes, layers } = await timeLayers(modelOf({ id, dtype }), randomPicture(), rounds);
  const total = layers.reduce((sum, { ms }) => sum + ms, 0);
  const macs = layers.reduce((sum, layer) => sum + layer.macs, 0);
  console.log(
    `${id} ${dtype}: ${total.toFixed(2)} ms, ${(macs / 1e6).toFixed(1)} MMAC, ${rate(macs, total)} GMAC/s, ` +
      `${strips} strips, arena ${(arenaBytes / 2 ** 20).toFixed(2)} MiB`,
  );
  const share = (ms) => `${((100 * ms) / total).toFixed(1)} %`.padStart(7);
  for (const sum of byKind(layers)) {
    const speed = sum.macs > 0 ? `${rate(sum.macs, sum.ms)} GMAC/s` : `${rate(sum.values, sum.ms)} Gvalues/s`;
    console.log(
      `  ${sum.kind.padEnd(36)}${String(sum.layers).padStart(3)} layers ${sum.ms.toFixed(3).padStart(9)} ms ${share(sum.ms)}  ${speed}`,
    );
  }
  console.log("  layer by layer:");
  for (const { name, kind, shape, macs: own, ms } of layers) {
    const speed = own > 0 ? `${rate(own, ms)} GMAC/s` : "";
    const label = `${name} ${shape.join("x")}`.padEnd(52);
    console.log(`    ${label} ${kind.padEnd(34)}${ms.toFixed(3).padStart(9)} ms ${share(ms)}  ${speed}`);
  }
}
