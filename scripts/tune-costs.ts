// Measures the int8 algorithms against direct convolution over a grid of channel counts and writes the table that "auto" chooses by.
// usage: npm run tune        (about three minutes; nothing else should run meanwhile)
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { type ConvCase, prepareCase } from "../src/bench/cases.ts";
import { median } from "../src/bench/measure.ts";
import { instantiateKernels } from "../src/kernels/load.ts";
import { WINOGRAD_ALGORITHMS } from "../src/kernels/winograd/algorithms.ts";
import { ROW_TABLE } from "../src/kernels/winograd/rows.ts";

const TARGET = fileURLToPath(new URL("../src/kernels/convolution/cost-table.ts", import.meta.url));
const CHANNELS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const ROUNDS = 21;
/** A sample repeats short runs for as long as this. */
const SAMPLE_MS = 0.4;
const WARM_UP_MS = 20;

const algorithms = [...WINOGRAD_ALGORITHMS.filter(({ dtype }) => dtype === "s8"), ROW_TABLE];
const table = new Map<string, number[][]>(algorithms.map(({ algorithm }) => [algorithm, []]));
const kernels = await instantiateKernels();

/** Medians of time over direct's, alternating so that a change of clock speed meets all alike. */
function compare(ic: number, oc: number, kernel: number): number[] {
  // Multiples of 4, so that no tile hangs over; smaller where a layer is slow.
  const edge = ic * oc >= 2 ** 13 ? 24 : 48;
  const shape = { dtype: "int8", height: edge, width: edge, ic, oc, kernel } as const;
  const ids = ["direct", ...algorithms.filter(({ r }) => r === kernel).map(({ algorithm }) => algorithm)] as const;
  const cases = ids.map((algorithm) => prepareCase(kernels, { ...shape, algorithm } satisfies ConvCase));
  const repeats = cases.map(({ run }) => {
    const start = performance.now();
    let runs = 0;
    for (; performance.now() - start < WARM_UP_MS || runs < 2; runs++) run();
    return Math.max(1, Math.ceil((SAMPLE_MS * runs) / (performance.now() - start)));
  });
  const ratios: number[][] = ids.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    const times = cases.map(({ run }, i) => {
      const start = performance.now();
      for (let n = repeats[i]!; n > 0; n--) run();
      return (performance.now() - start) / repeats[i]!;
    });
    for (const [i, time] of times.entries()) ratios[i]!.push(time / times[0]!);
  }
  for (const { dispose } of cases) dispose();
  return ratios.slice(1).map(median);
}

for (const kernel of new Set(algorithms.map(({ r }) => r))) {
  const measured = algorithms.filter(({ r }) => r === kernel);
  for (const ic of CHANNELS) {
    for (const { algorithm } of measured) table.get(algorithm)!.push([]);
    for (const oc of CHANNELS) {
      for (const [i, ratio] of compare(ic, oc, kernel).entries()) {
        table
          .get(measured[i]!.algorithm)!
          .at(-1)!
          .push(Number(ratio.toPrecision(3)));
      }
    }
    console.log(
      `${kernel}x${kernel}, ${ic} input channels: ${measured.map((a) => table.get(a.algorithm)!.at(-1)!.join(" ")).join(" | ")}`,
    );
  }
}

const rows = [...table].map(
  ([id, grid]) => `  "${id}": [\n${grid.map((row) => `    [${row.join(", ")}],\n`).join("")}  ],\n`,
);
writeFileSync(
  TARGET,
  `// Measured by scripts/tune-costs.ts (npm run tune) on ${cpus()[0]?.model.trim()}, Node ${process.versions.node}; do not edit.
/** Channel counts of the grid, both directions. */
export const CHANNELS = [${CHANNELS.join(", ")}] as const;

/** Time over that of direct convolution, [input channels][output channels]; large pictures, one thread. */
// biome-ignore-start format: a grid
// biome-ignore-start lint/suspicious/noApproximativeNumericConstant: measured
export const RELATIVE_TIME = {
${rows.join("")}} as const;
// biome-ignore-end lint/suspicious/noApproximativeNumericConstant: measured
// biome-ignore-end format: a grid
`,
);
