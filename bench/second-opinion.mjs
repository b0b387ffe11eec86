// An independent second opinion on the central claim: benchmark.js's own sampling and its Mann-Whitney U test decide whether Winograd is
// faster than direct on the same layers, and by how much. usage: npm run bench:second-opinion
import Benchmark from "benchmark";
import { CONV_CASES, caseMacs, caseShape, prepareCase } from "../dist/bench/cases.js";
import { instantiateKernels } from "../dist/kernels/load.js";

const kernels = await instantiateKernels();
const shapes = new Map();
for (const c of CONV_CASES) {
  if (c.dtype !== "int8" || c.kernel !== 3) continue;
  shapes.set(caseShape(c), { ...shapes.get(caseShape(c)), [c.algorithm]: c });
}

for (const [shape, { direct, winograd }] of shapes) {
  const [a, b] = [prepareCase(kernels, direct), prepareCase(kernels, winograd)];
  const suite = new Benchmark.Suite();
  suite.add("direct", a.run).add("winograd", b.run).run();
  const [slow, fast] = [suite[0], suite[1]];
  // compare: 1 when the first is significantly faster, -1 when slower, 0 when the samples do not tell them apart.
  const verdict = { 1: "winograd is faster", 0: "no significant difference", "-1": "direct is faster" }[
    fast.compare(slow)
  ];
  const ms = (bench) => `${(bench.stats.mean * 1000).toFixed(3)} ms ± ${bench.stats.rme.toFixed(1)} %`;
  const gmacs = (bench) => `${(caseMacs(direct) / bench.stats.mean / 1e9).toFixed(1)} GMAC/s`;
  console.log(`${shape}: direct ${ms(slow)} (${gmacs(slow)}), winograd ${ms(fast)} (${gmacs(fast)}): ${verdict}`);
  a.dispose();
  b.dispose();
}
