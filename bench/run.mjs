// Micro-benchmarks of the kernels with tinybench. usage: npm run bench [-- FILTER]
//   FILTER: only cases whose name or shape contains it, such as winograd, 56x56 or attention
import { Bench } from "tinybench";
import { ATTENTION_CASES, attentionMacs, attentionName, prepareAttention } from "../dist/bench/attention.js";
import { CONV_CASES, caseMacs, caseName, caseShape, prepareCase } from "../dist/bench/cases.js";
import { rooflineProbes } from "../dist/bench/roofline.js";
import { instantiateKernels } from "../dist/kernels/load.js";

const [filter = ""] = process.argv.slice(2);
const kernels = await instantiateKernels();
const probes = await rooflineProbes();
const bench = new Bench({ time: 400, warmupTime: 400, throws: true });
const macs = new Map();

bench.add("roofline int8", probes.dot);
macs.set("roofline int8", probes.dotMacs);
bench.add("roofline f32", probes.f32);
macs.set("roofline f32", probes.f32Macs);
for (const c of CONV_CASES) {
  const name = `${caseName(c)} ${caseShape(c)}`;
  if (!name.includes(filter)) continue;
  const { run, dispose } = prepareCase(kernels, c);
  // Hooks run after the warm-up too, when the case is still needed.
  bench.add(name, run, { afterAll: (mode) => mode === "run" && dispose() });
  macs.set(name, caseMacs(c));
}
for (const c of ATTENTION_CASES) {
  const name = attentionName(c);
  if (!name.includes(filter)) continue;
  const { run, dispose } = await prepareAttention(kernels, c);
  bench.add(name, run, { afterAll: (mode) => mode === "run" && dispose() });
  macs.set(name, attentionMacs(c));
}
await bench.run();

const rate = (task) => macs.get(task.name) / task.result.latency.p50 / 1e6;
const roofline = { int8: rate(bench.getTask("roofline int8")), f32: rate(bench.getTask("roofline f32")) };
console.table(
  bench.tasks.map((task) => ({
    kernel: task.name,
    "median ms": task.result.latency.p50.toFixed(3),
    samples: task.result.latency.samplesCount,
    "GMAC/s": rate(task).toFixed(1),
    "of roofline": (rate(task) / roofline[task.name.includes("f32") ? "f32" : "int8"]).toFixed(2),
  })),
);
