/** `verify --points`: an algorithm of one's own, its matrices, widths and counts. */
import { type AlgorithmSpec, isCorrelation, LARGEST_SIZE, winograd } from "../winograd/algorithm.ts";
import { preferredForm } from "../winograd/catalogue.ts";
import { growth, planeLimits } from "../winograd/growth.ts";
import { formatMatrix } from "../winograd/matrix.ts";
import { isExact, nest } from "../winograd/nested.ts";
import { amplification } from "../winograd/rounding.ts";
import { summarise } from "../winograd/summary.ts";
import { transforms } from "../winograd/transforms.ts";
import { integerOption, type Parsed, UsageError } from "./options.ts";
import { grouped, table } from "./terminal.ts";

/** Prints it, as text or JSON. @throws UsageError, WasmogradError ERR_ARGUMENT */
export function printOwnAlgorithm(parsed: Parsed, points: string): void {
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
  const { inputs, filters } = growth(nested);
  const limits = planeLimits(nested);
  const planes = nested.planes.map(({ row, column, left, right }, p) => ({
    row: String(algorithm.points[row]),
    column: String(algorithm.points[column]),
    input: { factor: left, ...inputs[p]! },
    filter: { factor: right, ...filters[p]! },
    noWrapChannels: limits[p]!,
  }));
  const errorAmplification = amplification(transforms(nested));
  if (parsed.flag("json")) {
    const rational = { AT: text(algorithm.AT), G: text(algorithm.G), BT: text(algorithm.BT) };
    const integer = { form, scale: Number(scale), D: diagonal.map(String), AT: text(AT), G: text(G), BT: text(BT) };
    process.stdout.write(`${JSON.stringify({ exact, rational, integer, ...summary, planes, errorAmplification })}\n`);
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
      `largest product ${grouped(summary.largestProduct)}\n${summary.exactness}\n` +
      `f32: the bound on rounding errors is ${errorAmplification.toFixed(1)} times that of direct convolution, roundings alike\n\n` +
      table(
        ["tap", "input", "gain", "bits", "filter", "gain", "bits", "channels without wrap"],
        planes.map((plane) => [
          `(${plane.row}, ${plane.column})`,
          plane.input.factor,
          String(plane.input.gain),
          String(plane.input.bits),
          plane.filter.factor,
          String(plane.filter.gain),
          String(plane.filter.bits),
          grouped(plane.noWrapChannels),
        ]),
      ),
  );
}
