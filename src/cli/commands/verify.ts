import { WasmogradError } from "../../errors.ts";
import { loadKernels } from "../../kernels/kernels.ts";
import { selfTest } from "../../kernels/self-test.ts";
import { type AlgorithmSpec, isCorrelation, LARGEST_SIZE, winograd } from "../../winograd/algorithm.ts";
import { nestedOf, preferredForm } from "../../winograd/catalogue.ts";
import { runCounted, runDirect } from "../../winograd/counting.ts";
import { formatMatrix } from "../../winograd/matrix.ts";
import { isExact, nest } from "../../winograd/nested.ts";
import { claimNumbers, claims } from "../../winograd/report.ts";
import { type AlgorithmSummary, algorithmTable, directLimit, summarise } from "../../winograd/summary.ts";
import { transforms } from "../../winograd/transforms.ts";
import type { Command } from "../command.ts";
import { integerOption, type Parsed, UsageError } from "../options.ts";
import { grouped, table } from "../terminal.ts";

/** A layer counted by running it; small, as each multiplication is a call. */
const COUNTED = { height: 18, width: 18, ic: 4, oc: 4 } as const;

/** Multiplications of the paper's algorithm, counted while it runs on a layer, and whether the results agree. */
function countedRun(): { direct: number; winograd: number; reduction: number; same: boolean } {
  const { height, width, ic, oc } = COUNTED;
  const values = (length: number, step: number): Int8Array => Int8Array.from({ length }, (_, i) => i * step);
  const [x, w] = [values(height * width * ic, 37), values(oc * 9 * ic, 29)];
  const algorithm = transforms(nestedOf("f4x4-3x3-complex"));
  const direct = runDirect(COUNTED, [3, 3], x, w);
  const counted = runCounted(algorithm, COUNTED, x, w);
  const [a, b] = [direct.counts.multiplications, counted.counts.multiplications];
  return { direct: a, winograd: b, reduction: a / b, same: direct.output.every((y, i) => y === counted.output[i]) };
}

const cells = (s: AlgorithmSummary): string[] => [
  `${s.title} ${s.formName}`,
  String(s.products),
  `${s.reduction.toFixed(3)}x`,
  String(s.operations.input.adds),
  String(s.operations.output.adds),
  String(s.scale),
  String(s.input.bits),
  String(s.filter.bits),
  s.channels.noWrap.toString(),
  s.channels.oddUndone.toString(),
  s.exactness,
];

const HEADER = [
  "algorithm",
  "products",
  "reduction",
  "input adds",
  "output adds",
  "scale",
  "input bits",
  "filter bits",
  "no wrap",
  "channels",
  "int8 in int16",
];

/** --points with --m and --r: one's own algorithm. */
function ownAlgorithm(parsed: Parsed, points: string): void {
  const size = (name: "m" | "r"): number => {
    const value = integerOption(parsed, name, 1, LARGEST_SIZE);
    if (value === undefined) throw new UsageError(`--points: needs --m and --r, got no --${name}`);
    return value;
  };
  const spec: AlgorithmSpec = { m: size("m"), r: size("r"), points };
  const algorithm = winograd(spec);
  const form = preferredForm(algorithm);
  const nested = nest({ vertical: algorithm, form });
  const summary = summarise(nested, `F(${spec.m}x${spec.m},${spec.r}x${spec.r})`);
  const exact = isCorrelation(algorithm) && isExact(nested);
  const { AT, G, BT, scale, diagonal } = nested.vertical;
  const text = (matrix: typeof AT): string[][] => matrix.map((row) => row.map(String));
  if (parsed.flag("json")) {
    const rational = { AT: text(algorithm.AT), G: text(algorithm.G), BT: text(algorithm.BT) };
    const integer = { form, scale: Number(scale), D: diagonal.map(String), AT: text(AT), G: text(G), BT: text(BT) };
    process.stdout.write(`${JSON.stringify({ exact, rational, integer, ...summary })}\n`);
    return;
  }
  const block = (name: string, matrix: typeof AT): string => `${name}\n${formatMatrix(matrix).join("\n")}\n\n`;
  const { input, filter } = summary;
  const counts = Object.entries(summary.operations)
    .map(([stage, n]) => `${stage} ${n.adds} adds, ${n.shifts} shifts, ${n.constants} constant products`)
    .join("; ");
  process.stdout.write(
    `${summary.title}, points ${summary.points}: identity ${exact ? "holds" : "FAILS"}\n\n` +
      block("A^T", algorithm.AT) +
      block("G", algorithm.G) +
      block("B^T", algorithm.BT) +
      `integer form, ${form === "scaled" ? `${scale}G in the filter` : `D = ${diagonal.join(", ")} in the output`}; result times ${summary.scale}\n\n` +
      block("A^T", AT) +
      block("G", G) +
      block("B^T", BT) +
      `products ${summary.products}, reduction ${summary.reduction.toFixed(3)}x\n${counts}\n` +
      `int8 input: gain ${input.gain}, ${input.bits} bits; int8 filter: gain ${filter.gain}, ${filter.bits} bits; ` +
      `largest product ${grouped(summary.largestProduct)}\n${summary.exactness}\n`,
  );
}

export const command: Command = {
  spec: {
    name: "verify",
    positionals: [],
    summary:
      "Recomputes the claims on Winograd convolution with complex points (arXiv 1901.01965) and tests the kernels bit for bit.\n" +
      "Or derives an algorithm of your own: --points 0,1,-1,i,-i,inf --m 4 --r 3.",
    options: {
      points: { type: "string", value: "LIST", help: "m + r - 1 points such as 0,1,-1,1/2,i,-i,inf" },
      m: { type: "string", value: "N", help: "outputs a tile and dimension, with --points" },
      r: { type: "string", value: "N", help: "taps of the kernel a dimension, with --points" },
    },
  },

  async run(parsed) {
    const points = parsed.text("points");
    if (points !== undefined) return ownAlgorithm(parsed, points);
    for (const name of ["m", "r"]) {
      if (parsed.text(name) !== undefined) throw new UsageError(`--${name}: only with --points`);
    }
    const recomputed = claims();
    const algorithms = algorithmTable();
    const counted = countedRun();
    const selfTests = selfTest(await loadKernels());
    const failed = selfTests.filter(({ different }) => different > 0).map(({ kernel }) => kernel);
    if (!counted.same) failed.push("counted run");
    const ok = failed.length === 0;
    if (parsed.flag("json")) {
      const numbers = { ...claimNumbers(), directChannels: directLimit("f4x4-3x3-complex") };
      process.stdout.write(`${JSON.stringify({ ok, claims: recomputed, numbers, algorithms, counted, selfTests })}\n`);
    } else {
      const lines = recomputed.map(({ claim, paper, computed, unit, definition, status }) => {
        const value = computed === null ? "-" : `${Number(computed.toFixed(4))} ${unit}`;
        return `${claim}\n  paper ${paper}, computed ${value}: ${status}\n  ${definition}\n`;
      });
      const tests = selfTests.map((t) => {
        const verdict = t.different === 0 ? "bit-identical" : `${grouped(t.different)} outputs DIFFER`;
        return `${t.kernel} against ${t.against}: ${t.cases} cases, ${grouped(t.outputs)} outputs, ${verdict}\n`;
      });
      process.stdout.write(
        `${lines.join("\n")}\n${table(HEADER, algorithms.map(cells))}\n` +
          `counted on ${COUNTED.height}x${COUNTED.width}, ${COUNTED.ic} -> ${COUNTED.oc} channels: ${grouped(counted.direct)} multiplications direct, ` +
          `${grouped(counted.winograd)} by complex F(4x4,3x3), ${counted.reduction.toFixed(4)}x, results ${counted.same ? "equal" : "DIFFER"}\n` +
          tests.join(""),
      );
    }
    if (!ok) throw new WasmogradError("ERR_WASM", `verify: ${failed.join(", ")} differs from direct convolution`);
  },
};
