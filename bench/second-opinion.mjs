// An independent second opinion on the central claim: benchmark.js's own sampling and its Mann-Whitney U test decide whether each Winograd
// algorithm is faster than direct on the same layers, and by how much. usage: npm run bench:second-opinion
import Benchmark from "benchmark";
import { CONV_CASES, caseMacs, caseShape, prepareCase } from "../dist/bench/cases.js";
import { instantiateKernels } from "../dist/kernels/load.js";

const kernels = await instantiateKernels();
/** Cases of one layer, direct first. */
const layers = new Map();
for (const c of CONV_CASES) {
  if (c.dtype !== "int8" || c.kernel !== 3 || c.depthwise) continue;
  layers.set(caseShape(c), [...(layers.get(caseShape(c)) ?? []), c]);
}

const ms = (bench) => `${(bench.stats.mean * 1000).toFixed(3)} ms ± ${bench.stats.rme.toFixed(1)} %`;
// compare: 1 when the first is significantly faster, -1 when slower, 0 when the samples do not tell them apart.
const VERDICTS = { 1: "faster than direct", 0: "no significant difference", "-1": "slower than direct" };

for (const [shape, cases] of layers) {
  const prepared = cases.map((c) => prepareCase(kernels, c));
  const suite = new Benchmark.Suite();
  for (const [i, { run }] of prepared.entries()) suite.add(cases[i].algorithm, run);
  suite.run();
  for (const [i, c] of cases.entries()) {
    const gmacs = `${(caseMacs(c) / suite[i].stats.mean / 1e9).toFixed(1)} GMAC/s`;
    const verdict = i === 0 ? "" : `: ${VERDICTS[suite[i].compare(suite[0])]}`;
    console.log(`${shape} ${c.algorithm} ${ms(suite[i])} (${gmacs})${verdict}`);
  }
  for (const { dispose } of prepared) dispose();
}
