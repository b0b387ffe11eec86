/**
 * The computed parts of docs/winograd.md. Each stands there between `<!-- computed: NAME -->` and `<!-- end -->`; the script writes it, and
 * the test compares.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CHANNELS, RELATIVE_TIME } from "../../src/kernels/convolution/cost-table.ts";
import type { WinogradF32 } from "../../src/kernels/winograd/algorithms.ts";
import { type Algorithm, winograd } from "../../src/winograd/algorithm.ts";
import type { OperationCount } from "../../src/winograd/arithmetic.ts";
import { type AlgorithmId, algorithmOf, nestedOf, preferredForm } from "../../src/winograd/catalogue.ts";
import { GRANULARITIES } from "../../src/winograd/filter-scaling.ts";
import { Gaussian } from "../../src/winograd/gaussian.ts";
import { channelLimits, directChannels, growth } from "../../src/winograd/growth.ts";
import { type KernelEntry, nestedOfKernel, WINOGRAD_KERNELS } from "../../src/winograd/kernel-table.ts";
import { formatMatrix, type Matrix, type Vector } from "../../src/winograd/matrix.ts";
import { nest } from "../../src/winograd/nested.ts";
import { claims } from "../../src/winograd/report.ts";
import { amplification, roundings } from "../../src/winograd/rounding.ts";
import type { Operation, Schedule } from "../../src/winograd/schedule.ts";
import { countProducts } from "../../src/winograd/structure.ts";
import { algorithmTable, summarise } from "../../src/winograd/summary.ts";
import { countTransforms, transforms } from "../../src/winograd/transforms.ts";
import { type Blocks, table } from "../documents.ts";
import { storedBits } from "./bit-growth.ts";
import { errorOverDirect } from "./f32-error.ts";
import { asWritten, measured, oneADot, predicted, RIVALS } from "./prediction.ts";
import { PSNR_ALGORITHMS, type PsnrMeasurement } from "./psnr.ts";
import { AIM_DB } from "./psnr-chart.ts";
import { SIDES, STUDY_BITS, studyDecibels } from "./scaling.ts";
import { searchPoints } from "./search.ts";

const grouped = (x: number): string => x.toLocaleString("en-US");

const code = (lines: readonly string[], language = "text"): string => [`\`\`\`${language}`, ...lines, "```"].join("\n");

/** "144a + 60s": additions, shifts, products by constants. */
function operations({ adds, shifts, constants }: OperationCount): string {
  const parts = [`${adds}a`, ...(shifts > 0 ? [`${shifts}s`] : []), ...(constants > 0 ? [`${constants}c`] : [])];
  return parts.join(" + ");
}

/** Matrices side by side, each under its name. */
function sideBySide(matrices: readonly (readonly [name: string, matrix: Matrix])[]): string[] {
  const blocks = matrices.map(([name, matrix]) => {
    const lines = formatMatrix(matrix);
    const margin = `${name} = `;
    return lines.map((line, i) => (i === 0 ? margin : " ".repeat(margin.length)) + line);
  });
  const widths = blocks.map((lines) => lines[0]!.length);
  return Array.from({ length: Math.max(...blocks.map((lines) => lines.length)) }, (_, i) =>
    blocks
      .map((lines, b) => (lines[i] ?? "").padEnd(widths[b]!))
      .join("   ")
      .trimEnd(),
  );
}

const kernelOf = (id: AlgorithmId, dtype: KernelEntry["dtype"] = "s8"): KernelEntry =>
  WINOGRAD_KERNELS.find((entry) => entry.algorithm === id && entry.dtype === dtype)!;

/** The int8 algorithms for 3x3, and what the tables call them. */
const EXACT = ["f2x2-3x3", "f4x4-3x3-rational", "f4x4-3x3-half", "f4x4-3x3-complex"] as const;
const HEADER = ["F(2x2,3x3)", "F(4x4,3x3) rational", "with 1/2", "complex"] as const;

function timeAt(id: (typeof EXACT)[number] | "f2x2-5x5-complex", ic: number, oc: number): number {
  const grid: readonly number[] = CHANNELS;
  return RELATIVE_TIME[id][grid.indexOf(ic)]![grid.indexOf(oc)]!;
}

function result(): string {
  const kernels = EXACT.map((id) => {
    const nested = nestedOfKernel(kernelOf(id));
    const { m } = nested.vertical.algorithm;
    return {
      id,
      nested,
      products: countProducts(nested.structure).products,
      tiles: 16 / m ** 2,
      grown: growth(nested),
    };
  });
  const ratio = (channels: number) => ["1", ...EXACT.map((id) => timeAt(id, channels, channels).toFixed(2))];
  return table(
    ["3x3, stride 1, int8", "direct", ...HEADER],
    [
      ["products for 4x4 outputs and a channel", "144", ...kernels.map((k) => String(k.products * k.tiles))],
      ["fewer by", "1", ...kernels.map((k) => `${(144 / (k.products * k.tiles)).toFixed(2)}x`)],
      [
        "bits of an input and a filter value",
        "8, 8",
        ...kernels.map((k) => `${k.grown.input.bits}, ${k.grown.filter.bits}`),
      ],
      [
        "exact whatever the data, channels up to",
        grouped(directChannels(9)),
        ...kernels.map((k) => grouped(channelLimits(k.nested).oddUndone)),
      ],
      [
        "filters may be stored in 8 to 16 bits",
        "-",
        ...kernels.map((k) => (k.nested.result.odd === 1n ? "yes" : "no")),
      ],
      ["time over direct, 16 to 16 channels", ...ratio(16)],
      ["time over direct, 64 to 64 channels", ...ratio(64)],
    ],
  );
}

const text = (vector: Vector): string => vector.map(String).join(", ");
const times = (matrix: Matrix, vector: Vector): Vector =>
  matrix.map((row) => row.reduce((sum, z, i) => sum.add(z.mul(vector[i]!)), Gaussian.ZERO));

function workedExample({ m, r, AT, G, BT }: Algorithm): string {
  const d = [3, 1, 4, 2].map((x) => Gaussian.of(x));
  const g = [5, 2, 1].map((x) => Gaussian.of(x));
  const [V, U] = [times(BT, d), times(G, g)];
  const products = V.map((v, j) => v.mul(U[j]!));
  const direct = Array.from({ length: m }, (_, i) => {
    const terms = Array.from({ length: r }, (_, k) => [d[i + k]!, g[k]!] as const);
    const sum = terms.reduce((total, [x, w]) => total.add(x.mul(w)), Gaussian.ZERO);
    return `${terms.map(([x, w]) => `${x}*${w}`).join(" + ")} = ${sum}`;
  });
  return code([
    `d = ${text(d)}       g = ${text(g)}`,
    `V = B^T d = ${text(V)}`,
    `U = G g   = ${text(U)}`,
    `m = U . V = ${text(products)}`,
    `y = A^T m = ${text(times(AT, products))}      direct: ${direct.join(",  ")}`,
  ]);
}

const POINTS = [
  [2, 3, "0,1,-1,inf"],
  [4, 3, "0,1,-1,2,-2,inf"],
  [4, 3, "0,1,-1,1/2,-2,inf"],
  [4, 3, "0,1,-1,2i,-2i,inf"],
  [4, 3, "0,1,-1,i,-i,inf"],
  [6, 3, "0,1,-1,2,-2,1/2,-1/2,inf"],
  [6, 3, "0,1,-1,i,-i,2,-2,inf"],
] as const;

function pointsTable(): string {
  const rows = POINTS.map(([m, r, points]) => {
    const vertical = winograd({ m, r, points });
    const nested = nest({ vertical, form: preferredForm(vertical) });
    const { products, reduction, scale, input, filter } = summarise(nested, "");
    return [
      `F(${m}x${m},${r}x${r})`,
      points.replaceAll(",", ", "),
      String(products),
      `${reduction.toFixed(2)}x`,
      grouped(scale),
      String(input.bits),
      String(filter.bits),
      amplification(transforms(nested)).toFixed(1),
    ];
  });
  return table(["", "points", "products", "fewer by", "scale", "input bits", "filter bits", "amplification"], rows);
}

function structureTable(): string {
  const ids = [
    "f3x3-3x3-complex",
    "f4x4-3x3-complex",
    "f2x2-5x5-complex",
    "f6x6-3x3-complex",
    "f6x6-3x3-complex-2",
    "f4x4-5x5-complex",
  ] as const satisfies readonly AlgorithmId[];
  const rows = ids.map((id) => {
    const { structure, vertical } = nestedOf(id);
    const { m, r, points } = vertical.algorithm;
    const pairs = structure.rowPartner.filter((other, j) => other > j).length;
    const real = points.length - 2 * pairs;
    const { products, withFour } = countProducts(structure);
    return [
      `F(${m}x${m},${r}x${r})`,
      points.map(String).join(", "),
      `${real}, ${pairs}`,
      `${real ** 2} + ${6 * real * pairs} + ${6 * pairs ** 2} = ${products}`,
      String(withFour),
      String((m * r) ** 2),
      `${((m * r) ** 2 / products).toFixed(3)}x`,
    ];
  });
  const header = ["", "points", "R, P", "R^2 + 6RP + 6P^2", "with four a product", "direct", "fewer by"];
  return table(header, rows);
}

function formsTable(): string {
  const choices = [
    ["complex", "f4x4-3x3-complex", "scaled"],
    ["complex", "f4x4-3x3-complex", "row-normalised"],
    ["rational", "f4x4-3x3-rational", "scaled"],
    ["rational", "f4x4-3x3-rational", "row-normalised"],
    ["rational", "f4x4-3x3-rational", "split"],
    ["with 1/2", "f4x4-3x3-half", "scaled"],
    ["with 1/2", "f4x4-3x3-half", "row-normalised"],
  ] as const;
  const rows = choices.map(([name, id, form]) => {
    const nested = nestedOf(id, { form });
    const { vertical, result: scale } = nested;
    const { formName, filter, operations: counts, title } = summarise(nested, name);
    const primitive = nestedOf(id, { form: "row-normalised" }).vertical;
    const inFilter = vertical.G.map((row, j) => {
      const at = row.findIndex((z) => !z.isZero());
      return row[at]!.div(primitive.G[j]![at]!);
    });
    const inOutput = vertical.diagonal.map((d, j) => d.div(inFilter[j]!));
    const rowGain = Math.sqrt(filter.gain);
    return [
      `${title} ${formName}`,
      inFilter.map(String).join(" "),
      inOutput.map(String).join(" "),
      `${Number.isInteger(rowGain) ? `${rowGain}^2 = ` : ""}${filter.gain}`,
      String(filter.bits),
      operations(counts.output),
      String(scale.scale),
    ];
  });
  return table(
    ["", "D in the filter", "D in the output", "filter gain", "filter bits", "output transform", "scale"],
    rows,
  );
}

/** A schedule as lines "t0 = x2 + x4". */
function scheduleLines({ operations: steps }: Schedule, rename: (name: string) => string): string[] {
  const line = (step: Operation): string => {
    if (step.op === "zero") return `${step.to} = 0`;
    const a = rename(step.a);
    if (step.op === "add" || step.op === "sub")
      return `${step.to} = ${a} ${step.op === "add" ? "+" : "-"} ${rename(step.b)}`;
    if (step.op === "shl") return `${step.to} = ${a} << ${step.by}`;
    return step.op === "mulc" ? `${step.to} = ${a} * ${step.by}` : `${step.to} = -${a}`;
  };
  return steps.map(line);
}

function schedules(): string {
  const { vertical } = transforms(nestedOf("f4x4-3x3-complex"));
  const names = vertical.form.names.map((name) => name.replace(/:.*/, ""));
  const inputs = scheduleLines(vertical.input, (name) => name.replace("x", "d"));
  const outputs = scheduleLines(vertical.output, (name) =>
    name.replace(/x(\d)/, (_, k: string) => `m(${names[Number(k)]})`),
  );
  const column = (lines: string[]): string[] => [...lines, ...new Array<string>(8).fill("")].slice(0, 8);
  const [left, right] = [column(inputs), column(outputs)];
  const results = [
    ["input", ...names.map((name, j) => `${name}: ${vertical.input.outputs[j]}`)],
    ["output", ...vertical.output.outputs.map((name, i) => `y${i}: ${name}`)],
  ];
  const width = 34;
  return code([
    `${"6 inputs d -> rows 0 1 -1 R S inf".padEnd(width)}   sums m of those rows -> 4 outputs y`,
    "",
    ...left.map((line, i) => `${line.padEnd(width)}   ${right[i]}`.trimEnd()),
    "",
    ...results.map(([name, ...cells]) => `${name!.padEnd(7)} ${cells.join("   ")}`),
  ]);
}

/** A function of a generated file, as it stands there. */
function generatedFunction(file: string, name: string): string {
  const source = readFileSync(
    fileURLToPath(new URL(`../../assembly/winograd/generated/${file}`, import.meta.url)),
    "utf8",
  );
  const start = source.indexOf(`function ${name}(`);
  const end = source.indexOf("\n}\n", start);
  return code(source.slice(start, end + 2).split("\n"), "ts");
}

function countsTable(): string {
  const kernels = EXACT.map((id) => {
    const nested = nestedOfKernel(kernelOf(id));
    const tiles = 16 / nested.vertical.algorithm.m ** 2;
    const each = countTransforms(transforms(nested));
    const scaled = ({ adds, shifts, constants }: OperationCount): OperationCount => ({
      adds: adds * tiles,
      shifts: shifts * tiles,
      constants: constants * tiles,
    });
    return {
      nested,
      tiles,
      each,
      input: scaled(each.input),
      output: scaled(each.output),
      summary: summarise(nested, ""),
    };
  });
  return table(
    ["for 4x4 outputs", "F(2x2,3x3) 2G", "rational odd Gn", "with 1/2 30G", "complex 4G"],
    [
      ["products, a channel in and out", ...kernels.map((k) => String(k.nested.planes.length * k.tiles))],
      ["input transform, an input channel", ...kernels.map((k) => operations(k.input))],
      ["output transform, an output channel", ...kernels.map((k) => operations(k.output))],
      ["undoing an odd scale, an output channel", ...kernels.map((k) => (k.nested.result.odd === 1n ? "-" : "16c"))],
      ["filter transform, once", ...kernels.map((k) => operations(k.each.filter))],
      ["bytes of a filter (9 at first)", ...kernels.map((k) => String(2 * k.nested.planes.length))],
    ],
  );
}

function bitsTable(): string {
  const used = algorithmTable().filter(({ kernels }) => kernels.length > 0);
  const rows = used.map((row) => [
    `${row.title} ${row.formName}`,
    `${row.input.gain}: ${grouped(row.input.largest)}`,
    String(row.input.bits),
    `${row.filter.gain}: ${grouped(row.filter.largest)}`,
    String(row.filter.bits),
    String(storedBits(row)),
    String(row.productBits),
    row.kernels.map((kernel) => `\`${kernel}\``).join(", "),
  ]);
  const header = [
    "",
    "input gain: largest",
    "bits",
    "filter gain: largest",
    "bits",
    "pairs doubled",
    "product bits",
    "kernels",
  ];
  return table(header, rows);
}

function channelsTable(): string {
  const rows = (
    [
      ["F(2x2,3x3) 2G", "f2x2-3x3", "scaled"],
      ["F(4x4,3x3) complex 4G", "f4x4-3x3-complex", "scaled"],
      ["F(4x4,3x3) rational odd Gn", "f4x4-3x3-rational", "split"],
      ["F(4x4,3x3) with 1/2 30G", "f4x4-3x3-half", "scaled"],
      ["F(2x2,5x5) complex 4G", "f2x2-5x5-complex", "scaled"],
    ] as const
  ).map(([name, id, form]) => {
    const nested = nestedOf(id, { form });
    const { scale, shift, odd } = nested.result;
    const [plain, shifted] = [channelLimits(nested), channelLimits(nested, { input: 255 })];
    return [
      name,
      `${scale} = 2^${shift}${odd === 1n ? "" : ` * ${odd}`}`,
      grouped(plain.noWrap),
      grouped(plain.wrapTolerant),
      grouped(plain.oddUndone),
      grouped(shifted.oddUndone),
    ];
  });
  const direct = (taps: number): string[] => {
    const limit = grouped(directChannels(taps));
    return [limit, limit, limit, grouped(directChannels(taps, { input: 255 }))];
  };
  return table(
    ["", "scale", "no sum wraps", "scale * Y fits", "odd part undone", "and a zero point of 127 or -128"],
    [["direct 3x3", "1", ...direct(9)], ["direct 5x5", "1", ...direct(25)], ...rows],
  );
}

/** The points that fit int16, those of the same figures in a row. */
function searchTable(): string {
  const rows = new Map<string, { choices: string[]; cells: string[] }>();
  for (const { points, forms, scale, shift, odd, inputBits, filterBits, channels } of searchPoints().fitting) {
    const cells = [
      `${grouped(scale)} = 2^${shift} * ${grouped(odd)}`,
      String(inputBits),
      String(filterBits),
      forms.map((form) => (form === "row-normalised" ? "Gn" : form)).join(", "),
      grouped(channels),
    ];
    const row = rows.get(cells.join()) ?? { choices: [], cells };
    row.choices.push(points.split(",").slice(3, -1).join(", "));
    rows.set(cells.join(), row);
  }
  return table(
    ["0, 1, -1, inf and", "scale", "input bits", "filter bits, Gn", "forms that fit int16", "channels"],
    [...rows.values()].map(({ choices, cells }) => [choices.join(" / "), ...cells]),
  );
}

/** The fastest of direct and the 3x3 algorithms at each point of the measured grid. */
function choiceMap(): string {
  const names = {
    direct: ".",
    "f2x2-3x3": "2",
    "f4x4-3x3-rational": "r",
    "f4x4-3x3-half": "h",
    "f4x4-3x3-complex": "c",
  } as const;
  const width = 5;
  const head = `${"in \\ out".padEnd(9)}${CHANNELS.map((c) => String(c).padStart(width)).join("")}`;
  const rows = CHANNELS.map((ic) => {
    const cells = CHANNELS.map((oc) => {
      const best = EXACT.map((id) => ({ id: id as keyof typeof names, time: timeAt(id, ic, oc) }));
      return names[best.reduce((a, b) => (b.time < a.time ? b : a), { id: "direct", time: 1 }).id].padStart(width);
    });
    return `${String(ic).padStart(8)} ${cells.join("")}`;
  });
  return code([head, ...rows]);
}

function ratiosTable(): string {
  const shapes = [
    [4, 16],
    [8, 8],
    [16, 4],
    [32, 32],
    [256, 256],
  ] as const;
  const rows = shapes.map(([ic, oc]) => [`${ic} to ${oc}`, ...EXACT.map((id) => timeAt(id, ic, oc).toFixed(2))]);
  return table(["channels", ...HEADER], rows);
}

function predictionTable(): string {
  const rows = [8, 16, 32, 64, 128].map((c) => [
    `${c} to ${c}`,
    ...RIVALS.flatMap((rival) => [
      predicted(rival, oneADot, c).toFixed(2),
      predicted(rival, asWritten, c).toFixed(2),
      measured(rival, c).toFixed(2),
    ]),
  ]);
  const header = ["rational", "with 1/2"].flatMap((name) => [`${name}: simple`, "as written", "measured"]);
  return table(["channels", ...header], rows);
}

const ROUNDING_CHANNELS = 16;

function roundingTable(): string {
  const rows = WINOGRAD_KERNELS.filter(({ dtype }) => dtype === "f32").map((entry) => {
    const found = transforms(nestedOfKernel(entry));
    const { r } = found.nested.vertical.algorithm;
    const direct = r * r * ROUNDING_CHANNELS + 1;
    return [
      `\`${entry.kernel}\``,
      String(found.nested.planes.length),
      `C + ${roundings(found, 0)}`,
      `${r * r}C + 1`,
      amplification(found).toFixed(1),
      ((roundings(found, ROUNDING_CHANNELS) * amplification(found)) / direct).toFixed(1),
      errorOverDirect(entry.algorithm as WinogradF32, found, ROUNDING_CHANNELS).toFixed(1),
    ];
  });
  return table(
    ["", "products", "K", "K of direct", "amplification", "bound over direct's", "error over direct's"],
    rows,
  );
}

function scalingTable(): string {
  const decibels = studyDecibels();
  const shown = [8, 9, 10, 12] as const;
  const cell = (s: number, g: number, bits: (typeof shown)[number]): string => {
    const db = decibels[s]![g]![STUDY_BITS.indexOf(bits)]!;
    return db === Number.POSITIVE_INFINITY ? "exact" : db.toFixed(1);
  };
  const rows = GRANULARITIES.map((granularity, g) => [
    granularity,
    ...SIDES.flatMap((_, s) => shown.map((bits) => cell(s, g, bits))),
  ]);
  const header = SIDES.flatMap(({ id }) =>
    shown.map((bits) => `${id.endsWith("complex") ? "complex" : "rational"} ${bits}`),
  );
  return table(["SQNR, dB", ...header], rows);
}

function psnrTable({ sets, bits }: PsnrMeasurement): string {
  const names = { "f4x4-3x3-complex": "3x3", winograd: "3x3 and 5x5" } as const;
  const columns = sets.flatMap((set) => PSNR_ALGORITHMS.map((algorithm) => ({ set, algorithm })));
  const rows = GRANULARITIES.flatMap((granularity) =>
    bits.map((width, b) => [
      granularity,
      String(width),
      ...columns.map(({ set, algorithm }) => set.losses[algorithm][granularity][b]!.toFixed(4)),
    ]),
  );
  return table(
    ["one shift for", "bits", ...columns.map(({ set, algorithm }) => `${set.set}, ${names[algorithm]}`)],
    rows,
  );
}

function claimsTable({ sets, bits }: PsnrMeasurement): string {
  const nine = bits.indexOf(9);
  const losses = Object.fromEntries(sets.map(({ set, losses: of }) => [set, of["f4x4-3x3-complex"].tap[nine]!]));
  const scheme = "filters of 9 bits, one power of two a tap, in the 3x3 layers of SESR-M5 x2";
  const rows = claims({ scheme, losses, tolerance: AIM_DB }).map((claim) => [
    claim.claim,
    claim.paper,
    claim.computed === null ? "-" : `${Number(claim.computed.toFixed(4))} ${claim.unit}`,
    claim.status,
    claim.definition,
  ]);
  return table(["claim", "paper", "computed", "status", "definition"], rows);
}

/** Text of every computed part by name. */
export function essayBlocks(psnr: PsnrMeasurement): Blocks {
  const f23 = algorithmOf("f2x2-3x3");
  const complex = nestedOf("f4x4-3x3-complex").vertical;
  const split = nestedOf("f4x4-3x3-rational", { form: "split" }).vertical;
  return new Map([
    ["result", result()],
    [
      "f23",
      code(
        sideBySide([
          ["A^T", f23.AT],
          ["G", f23.G],
          ["B^T", f23.BT],
        ]),
      ),
    ],
    ["worked", workedExample(f23)],
    ["points", pointsTable()],
    ["structure", structureTable()],
    [
      "complex",
      code(
        sideBySide([
          ["A^T", complex.AT],
          ["4G", complex.G],
          ["B^T", complex.BT],
        ]),
      ),
    ],
    ["forms", formsTable()],
    [
      "split",
      code(
        sideBySide([
          ["A^T", split.AT],
          ["G", split.G],
          ["B^T", split.BT],
        ]),
      ),
    ],
    ["schedules", schedules()],
    ["generated", generatedFunction("cf4x4-3x3-s8.ts", "real_row")],
    ["counts", countsTable()],
    ["bits", bitsTable()],
    ["channels", channelsTable()],
    ["search", searchTable()],
    ["choice", choiceMap()],
    ["ratios", ratiosTable()],
    ["prediction", predictionTable()],
    ["rounding", roundingTable()],
    ["scaling", scalingTable()],
    ["psnr", psnrTable(psnr)],
    ["claims", claimsTable(psnr)],
  ]);
}
