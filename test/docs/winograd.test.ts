/** docs/winograd.md says what the code computes: its tables and pictures are those of the script, its figures in the text those below. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { differing } from "../../scripts/documents.ts";
import { everything, pictures } from "../../scripts/figures/all.ts";
import { exampleOf, importsOf } from "../../scripts/figures/example.ts";
import {
  asWritten,
  crossing,
  GEMM_STEP,
  halfOverRational,
  measured,
  oneADot,
  predicted,
  RIVALS,
} from "../../scripts/figures/prediction.ts";
import { PSNR_ALGORITHMS, type PsnrAlgorithm, readPsnr } from "../../scripts/figures/psnr.ts";
import { AIM_DB } from "../../scripts/figures/psnr-chart.ts";
import { SEED, STUDY_BITS, studyDecibels } from "../../scripts/figures/scaling.ts";
import { SIZES, searchPoints } from "../../scripts/figures/search.ts";
import { PRODUCTS_STRIDE, TILES } from "../../scripts/transforms/tiling.ts";
import { convolutionShapes } from "../../src/engine/program.ts";
import * as library from "../../src/index.ts";
import { chooseF32, chooseS8 } from "../../src/kernels/convolution/choice.ts";
import { CHANNELS, RELATIVE_TIME } from "../../src/kernels/convolution/cost-table.ts";
import { winogradKernel } from "../../src/kernels/winograd/algorithms.ts";
import { forEachFilter } from "../../src/kernels/winograd/filter.ts";
import { ROW_TABLE } from "../../src/kernels/winograd/rows.ts";
import { worstCaseChannels } from "../../src/quantization/accumulator.ts";
import { restoreModel } from "../../src/quantization/stored-model.ts";
import { SHIPPED } from "../../src/upscale/weights/index.generated.ts";
import { winograd } from "../../src/winograd/algorithm.ts";
import { algorithmOf, CATALOGUE, nestedOf } from "../../src/winograd/catalogue.ts";
import { GRANULARITIES, smallestShift } from "../../src/winograd/filter-scaling.ts";
import { channelLimits, growth } from "../../src/winograd/growth.ts";
import { nestedOfKernel, WINOGRAD_KERNELS } from "../../src/winograd/kernel-table.ts";
import { nest } from "../../src/winograd/nested.ts";
import { claimNumbers } from "../../src/winograd/report.ts";
import { rowAlgorithm } from "../../src/winograd/rows.ts";
import { countProducts, reduction } from "../../src/winograd/structure.ts";
import { countTransforms, transforms } from "../../src/winograd/transforms.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const ESSAY = "docs/winograd.md";
const essay = read(ESSAY);
const flat = essay.replace(/\s+/g, " ");
const grouped = (x: number): string => x.toLocaleString("en-US");

/** Every sentence, line breaks aside, stands in the essay. */
function said(...sentences: string[]): void {
  expect(sentences.filter((sentence) => !flat.includes(sentence.replace(/\s+/g, " ")))).toEqual([]);
}

test("tables and pictures are those that scripts/winograd-figures.ts writes", () => {
  expect(differing(everything())).toEqual([]);
});

describe("pictures", () => {
  test.each([...pictures()])("%s has a title, real text and a width that fits", (path, svg) => {
    expect(svg).toMatch(/<title id="title">[^<]+<\/title>/);
    expect(svg).toMatch(/<desc id="description">[^<]+<\/desc>/);
    expect(svg).toContain('font-family="sans-serif"');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(Number(/ width="(\d+)"/.exec(svg)![1])).toBeLessThanOrEqual(720);
    const sizes = [...svg.matchAll(/font-size="([\d.]+)"/g)].map(([, size]) => Number(size));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(12);
    expect(essay).toContain(`](images/${path.split("/").at(-1)})`);
  });

  test("every link of the essay leads to a file", () => {
    const targets = [...essay.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target!);
    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(ESSAY), target)))).toEqual([]);
  });

  test("every file that the essay names is there", () => {
    const named = [...essay.matchAll(/`((?:assembly|docs|examples|scripts|src)\/[\w./-]+)`/g)].map(([, path]) => path!);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

test("the example imports what the package exports", () => {
  const names = importsOf(exampleOf(essay));
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) expect(library).toHaveProperty(name, expect.anything());
});

const shape = (ic: number, oc: number, k = 3) => ({ ic, oc, kh: k, kw: k, stride: 1 });

describe("figures in the text", () => {
  const complex = nestedOf("f4x4-3x3-complex");
  const kernel = (name: string) => nestedOfKernel(WINOGRAD_KERNELS.find((entry) => entry.kernel === name)!);
  const HALF = "qs8_conv2d_f4x4_3x3_half";
  const HALF_ID = "f4x4-3x3-half";

  test("products", () => {
    const { real, pairs } = complex.structure;
    const { products } = countProducts(complex.structure);
    const ratio = reduction(algorithmOf("f4x4-3x3-complex")).toFixed(2);
    said(
      `${real.length} + 3 * ${pairs.length} = ${products} real products, where direct convolution has 16 * 9 = 144: 144 / ${products} = ${ratio}`,
      `${products} products instead of 100, ${reduction(algorithmOf("f2x2-5x5-complex")).toFixed(2)} times fewer`,
      `the rational points and 36 products, ${reduction(algorithmOf("f2x2-5x5-rational")).toFixed(2)} times fewer`,
    );
    const alike = CATALOGUE.filter(({ id }) => reduction(algorithmOf(id)).toFixed(2) === ratio);
    expect(alike.map(({ id }) => id)).toEqual(["f4x4-3x3-complex"]);
  });

  test("forms", () => {
    const split = kernel("qs8_conv2d_f4x4_3x3");
    const { shift, odd, inverse, scale } = split.result;
    const diagonal = split.vertical.diagonal.map(String).join(", ");
    const inFilter = split.vertical.G.map((row) => String(row.find((z) => !z.isZero())));
    said(
      `${scale} = 2^${shift} * ${odd} and 900 = 2^2 * 225`,
      `of D = ${diagonal} the odd parts ${inFilter.join(", ")} go to the filter`,
      `9 has an inverse modulo 2^32, ${inverse}: 9 * ${inverse} = 2 * 2^32 + 1`,
    );
    expect(Number(odd) * inverse).toBe(2 * 2 ** 32 + 1);
    const half = kernel(HALF);
    const { filter } = growth(half);
    expect(half.result).toMatchObject({ scale: 900n, shift: 2, odd: 225n });
    expect(225 * half.result.inverse).toBe(119 * 2 ** 32 + 1);
    said(
      `900 Y = 2^2 * 225 Y, and 225 * ${half.result.inverse} = 119 * 2^32 + 1: only 4 Y must fit`,
      `its largest |U| being ${filter.gain} * 127 = ${grouped(filter.largest)}`,
    );
    const magnitudes = ({ vertical: { BT } }: typeof half, row: number): number[] =>
      BT[row]!.map((z) => Math.abs(z.toNumber()));
    for (const row of [1, 3]) {
      expect(magnitudes(split, row)).toEqual(magnitudes(split, row + 1));
      expect(magnitudes(half, row)).not.toEqual(magnitudes(half, row + 1));
    }
    const Gn = nestedOf("f4x4-3x3-rational", { form: "row-normalised" }).vertical.AT.flat();
    said(`multiplies by up to ${Math.max(...Gn.map((z) => Math.abs(z.toNumber())))} in each direction`);
  });

  test("counts", () => {
    const outputs = (name: string) => countTransforms(transforms(kernel(name))).output;
    const inputs = (name: string): number => {
      const { adds, shifts, constants } = countTransforms(transforms(kernel(name))).input;
      return adds + shifts + constants;
    };
    const rational = outputs("qs8_conv2d_f4x4_3x3");
    const half = outputs(HALF);
    const complexInput = inputs("qs8_conv2d_cf4x4_3x3");
    const complexOutput = outputs("qs8_conv2d_cf4x4_3x3").adds;
    const Gn = countTransforms(transforms(nestedOf("f4x4-3x3-rational", { form: "row-normalised" }))).output;
    const total = rational.adds + rational.shifts + 16;
    const halfTotal = half.adds + half.shifts + 16;
    expect([rational.constants, half.constants]).toEqual([0, 0]);
    expect(Gn.adds + Gn.shifts + Gn.constants + 16).toBe(total);
    said(
      `${complexInput} operations against ${inputs("qs8_conv2d_f4x4_3x3")} for 2 and -2 and ${inputs(HALF)} for 1/2 and -2`,
      `${complexOutput} additions against ${total - 16} and ${halfTotal - 16} operations and the 16 products`,
      `complex 46 C^2 / 8 + ${complexInput} C / 8 + ${complexOutput} C / 4`,
      `rational 36 C^2 / 8 + ${inputs("qs8_conv2d_f4x4_3x3")} C / 8 + ${total} C / 4 ${total} and ${halfTotal} with the 16 products`,
      `with 1/2 36 C^2 / 8 + ${inputs(HALF)} C / 8 + ${halfTotal} C / 4`,
      `with Gn the rational output would take ${total} operations as well (${Gn.adds}a, ${Gn.shifts}s, ${Gn.constants}c and the 16 products)`,
    );
  });

  test("the product's instructions, and where the curves cross", () => {
    const [, loop] = /while \(w < end\) \{([\s\S]*?)\n {8}\}/.exec(read("assembly/gemm/gemm-4x8.ts"))!;
    const count = (pattern: RegExp): number => [...loop!.matchAll(pattern)].length;
    // A multiply_accumulate is a dot product and an addition.
    const [dots, broadcasts, loads] = [count(/multiply_accumulate</g), count(/load32_splat/g), count(/load_filter</g)];
    expect(2 * dots + broadcasts + loads).toBe(GEMM_STEP.instructions);
    const [two, half] = RIVALS.map((id) => CHANNELS.filter((channels) => measured(id, channels) >= 1));
    expect(two).toEqual([]);
    expect(Math.max(...half!)).toBe(4);
    const dearer = (channels: number): string => {
      const [rational, half] = RIVALS.map((id) => predicted(id, asWritten, channels));
      return (100 * (half! / rational! - 1)).toFixed(0);
    };
    said(
      `${dots} dot products, ${dots} additions, ${broadcasts} broadcasts and ${loads} loads: ${GEMM_STEP.instructions} instructions`,
      `${(8 * GEMM_STEP.instructions) / GEMM_STEP.products} for each 8 products`,
      `beats them up to ${RIVALS.map((id) => Math.floor(crossing(id, oneADot))).join(" and ")} channels`,
      `the curves cross at ${RIVALS.map((id) => crossing(id, asWritten).toFixed(1)).join(" and ")} channels`,
      "In the measured table the points 2 and -2 are ahead with any number of channels, 1/2 and -2 from 8 on",
      `1/2 costs ${dearer(16)} % over 2 at 16 channels and ${dearer(64)} % at 64`,
    );
  });

  test("bits and channels", () => {
    const complex5 = nestedOf("f2x2-5x5-complex");
    const rational5 = growth(nestedOf("f2x2-5x5-rational")).filter;
    const limit = (id: Parameters<typeof nestedOf>[0]) => channelLimits(nestedOf(id)).oddUndone;
    const wrap = ["qs8_conv2d_cf4x4_3x3", "qs8_conv2d_cf2x2_5x5"].map((name) => channelLimits(kernel(name)).noWrap);
    said(
      `the textbook's: exact in int8 to ${limit("f4x4-3x3-rational")} channels whatever the data`,
      `(L. Meng and J. Brothers, arXiv 1901.01965): exact to ${limit("f4x4-3x3-complex")}.`,
      `**36 with 1/2 and -2**: exact to ${grouped(limit("f4x4-3x3-half"))}, so almost everywhere`,
      `up to ${grouped(limit("f4x4-3x3-half"))} channels by worst case`,
      `F(2x2,3x3) beyond ${limit("f4x4-3x3-complex")} channels`,
      `lowers "no sum wraps" to ${wrap.join(" and ")} for the complex algorithms`,
      `${rational5.gain}, and ${rational5.gain} * 127 = ${grouped(rational5.largest)} needs ${rational5.bits} bits`,
      `gain ${growth(complex5).filter.gain}, ${growth(complex5).filter.bits} bits, ${growth(kernel("qs8_conv2d_cf2x2_5x5")).filter.bits} with pairs doubled`,
    );
  });

  test("the points with 1/2: where their scale comes from", () => {
    for (const id of ["f4x4-3x3-rational", "f4x4-3x3-half"] as const) {
      const { algorithm, scale, diagonal } = kernel(id === HALF_ID ? HALF : "qs8_conv2d_f4x4_3x3").vertical;
      const fractions = algorithm.points.map((point): [number, number] => {
        if (point === "inf") return [1, 0];
        const [p, q = "1"] = String(point).split("/");
        return [Number(p), Number(q)];
      });
      const differences = fractions.map(([p, q]) => fractions.map(([p2, q2]) => Math.abs(p * q2 - p2 * q)));
      const denominators = differences.map((row) => row.filter((d) => d > 0).reduce((a, b) => a * b, 1));
      expect(diagonal.map((d) => Math.abs(d.toNumber()))).toEqual(denominators.map((d) => Number(scale) / d));
      expect(Math.max(...denominators)).toBe(Number(scale));
      const third = differences[3]!.filter((_, k) => k !== 3).join(", ");
      said(`${algorithm.points.join(", ")}: ${algorithm.points[3]} differs from the others by ${third} ${scale} = 2`);
    }
    const half = kernel(HALF);
    expect(channelLimits(half).noWrap).toBe(2);
    expect(channelLimits(half).oddUndone).toBe(channelLimits(nestedOf("f2x2-3x3")).oddUndone);
    said("With 1/2 a third channel can wrap a sum");
  });

  test("the points with 1/2: the search", () => {
    const { tried, fitting } = searchPoints();
    said(
      `Of all ${tried} choices of four points from ${SIZES.map((size) => `±${size}`).join(", ")} that contain 1, with 0 and infinity, eight fit int16`,
    );
    expect(fitting).toHaveLength(8);
    const best = Math.max(...fitting.map(({ channels }) => channels));
    expect(best).toBe(3669);
    const winners = fitting.filter(({ channels }) => channels === best).map(({ points }) => points);
    expect(winners).toEqual(["0,1,-1,2,-1/2,inf", "0,1,-1,-2,1/2,inf"]);
    expect(new Set(fitting.map(({ channels }) => channels))).toEqual(new Set([229, 3669]));
    for (const { points } of fitting) expect(points).toMatch(/^0,1,-1,/);
  });

  // What does not fit by the gains of one dimension is not looked at above; here everything is, in two dimensions and in every form.
  test.runIf(process.env.WASMOGRAD_SLOW)("the search by brute force", () => {
    const { tried, fitting } = searchPoints();
    const values = SIZES.flatMap((size) => [size, `-${size}`]).slice(1);
    const found: string[] = [];
    let count = 0;
    for (const [i, a] of values.entries()) {
      for (const [j, b] of values.entries()) {
        for (const c of j > i ? values.slice(j + 1) : []) {
          count++;
          const vertical = winograd({ m: 4, r: 3, points: ["0", "1", a, b, c, "inf"].join(",") });
          const forms = ["scaled", "split", "row-normalised"] as const;
          if (forms.some((form) => growth(nest({ vertical, form })).fitsInt16)) found.push([a, b, c].sort().join());
        }
      }
    }
    expect(count).toBe(tried);
    const sorted = fitting.map(({ points }) => points.split(",").slice(2, -1).sort().join());
    expect(found.sort()).toEqual(sorted.sort());
  });

  test("the list of kernels", () => {
    expect(WINOGRAD_KERNELS).toHaveLength(9);
    said("`src/winograd/kernel-table.ts`, a list of nine lines");
  });

  test("a group's products", () => {
    const planes = complex.planes.length;
    said(
      `[planes][${TILES}][8] in int32, ${PRODUCTS_STRIDE} bytes from plane to plane (${grouped(planes * PRODUCTS_STRIDE)} bytes`,
    );
  });

  test("ratios from the measured table, and where it was measured", () => {
    const [, machine] = /on (.*); do not edit/.exec(read("src/kernels/convolution/cost-table.ts").split("\n")[0]!)!;
    expect(flat.split(`on ${machine}`)).toHaveLength(3);
    const five = RELATIVE_TIME["f2x2-5x5-complex"];
    const { mean, largest } = halfOverRational();
    expect(chooseS8("auto", shape(16, 4, 5)).algorithm).toBe(ROW_TABLE.algorithm);
    expect(chooseS8("auto", shape(1, 16, 5)).algorithm).toBe("direct");
    const rows = RELATIVE_TIME[ROW_TABLE.algorithm];
    const { form, result, algorithm: line } = rowAlgorithm();
    const gain = (matrix: typeof form.BT) =>
      Math.max(...matrix.map((row) => row.reduce((sum, x) => sum + Math.abs(x.toNumber()), 0)));
    said(
      `the last layer (16 to 4) takes ${rows[4]![2]!.toFixed(2)} of direct's time by it`,
      `the points ${line.points.map(String).join(", ").replace(", inf", " and infinity")}`,
      `gains of ${gain(form.BT)} and ${gain(form.G)} keep both factors in int16, the scale is ${form.scale} = 2^${result.shift} * ${result.odd}`,
      `exact to ${worstCaseChannels({ taps: 25, scale: 2 ** result.shift })} channels whatever the data`,
    );
    said(
      `takes ${five[6]![6]!.toFixed(2)} of direct's time for 64 to 64 channels`,
      `in SESR-M5 the last layer (16 to 4) would take ${five[4]![2]} times as long by it, and the first (1 to 16) ${five[0]![4]} times`,
      `takes ${mean.toFixed(2)} times as long in the mean, and single entries differ by up to ${Math.round(100 * (largest - 1))} %`,
    );
    expect(essay).not.toMatch(/GMAC|\d ms\b/);
  });

  test("what decides between the algorithms", () => {
    const grid = CHANNELS.flatMap((ic) => CHANNELS.map((oc) => [ic, oc, chooseS8("auto", shape(ic, oc)).algorithm]));
    const direct = grid.filter(([, , algorithm]) => algorithm === "direct");
    expect(direct.map(([ic, oc]) => [ic, oc])).toEqual(
      CHANNELS.filter((ic) => ic <= 4).flatMap((ic) =>
        CHANNELS.filter((oc) => ic < 4 || oc <= 8).map((oc) => [ic, oc]),
      ),
    );
    expect(grid.filter(([, , algorithm]) => algorithm === "f2x2-3x3" || algorithm === "f4x4-3x3-complex")).toEqual([]);
    said("F(2x2,3x3) and the complex algorithm are nowhere the fastest");
    const onMap = (size: number) => chooseS8("auto", shape(64, 64), { output: [size, size] }).algorithm;
    const sizes = Array.from({ length: 64 }, (_, i) => i + 1).filter((size) => onMap(size) === "f2x2-3x3");
    expect(sizes).toEqual([2, 5, 6]);
    said("For 64 to 64 channels F(2x2,3x3) is the fastest on maps of 2x2, 5x5 and 6x6");
    expect(chooseS8("auto", shape(256, 64)).algorithm).toBe(HALF_ID);
    expect(chooseS8("auto", shape(1000, 64)).algorithm).toBe(HALF_ID);
    expect(chooseS8("auto", shape(64, 64), { filterScaling: { bits: 9, granularity: "tap" } }).algorithm).toBe(
      "f4x4-3x3-complex",
    );
    expect(chooseS8("auto", shape(1000, 64), { filterScaling: { bits: 9, granularity: "tap" } }).algorithm).toBe(
      "f2x2-3x3",
    );
  });

  test("f32: the complex kernel's error is the smallest, that with 1/2 in between", () => {
    const [complexError, rational, half] = ["cf4x4_3x3", "f4x4_3x3", "f4x4_3x3_half"].map((name) => {
      const [row] = new RegExp(`^\\| \`f32_conv2d_${name}\` .*`, "m").exec(essay)!;
      return Number(row!.split("|").at(-2));
    });
    expect(complexError).toBeLessThan(1);
    expect(half! / rational!).toBeCloseTo(2 / 3, 1);
    said("at the same 36 products and two thirds of that error");
    expect(chooseF32("winograd", shape(64, 64)).algorithm).toBe(HALF_ID);
  });

  test("scaling on the synthetic layer", () => {
    const decibels = studyDecibels();
    const gaps = GRANULARITIES.flatMap((_, g) =>
      [8, 9].map((b) => decibels[0]![g]![b - STUDY_BITS[0]]! - decibels[1]![g]![b - STUDY_BITS[0]]!),
    );
    said(
      `smooth ReLU activations, seed ${SEED}:`,
      `${Math.round(Math.min(...gaps))} to ${Math.round(Math.max(...gaps))} dB behind at 8 and 9 bits`,
      `about ${Math.round(20 * Math.log10(38 / Math.sqrt(1 / 12)))} dB itself (derived: a standard deviation of 38 over a rounding error of ${Math.sqrt(1 / 12).toFixed(3)})`,
    );
  });

  test("PSNR", () => {
    const { sets, bits, machine, runtime, date } = readPsnr();
    expect([machine, runtime, date].every((text) => text.length > 0)).toBe(true);
    expect(sets.map(({ set }) => set)).toEqual(["Set5", "Set14"]);
    for (const { losses } of sets) {
      for (const algorithm of PSNR_ALGORITHMS) {
        for (const granularity of GRANULARITIES) expect(losses[algorithm][granularity]).toHaveLength(bits.length);
      }
    }
    const at = (algorithm: PsnrAlgorithm, granularity: (typeof GRANULARITIES)[number], width: number): string[] =>
      sets.map(({ losses }) => losses[algorithm][granularity][bits.indexOf(width)]!.toFixed(4));
    const PAPER = "f4x4-3x3-complex";
    const tap = at(PAPER, "tap", 9);
    expect(Math.max(...tap.map(Number))).toBeLessThanOrEqual(AIM_DB);
    expect(Math.max(...at(PAPER, "static", 9).map(Number))).toBeGreaterThan(AIM_DB);
    for (const [i, db] of at(PAPER, "layer", 8).entries()) {
      const [eight, nine] = [8, 9].map((width) => Number(at(PAPER, "static", width)[i])) as [number, number];
      expect(Number(db)).toBeGreaterThan(nine);
      expect(Math.abs(Number(db) - eight)).toBeLessThan(Math.abs(Number(db) - nine));
    }
    expect(read("src/cli/commands/verify.ts")).toContain(`TOLERANCE_DB = ${AIM_DB};`);
    said(
      `${tap[0]} dB on Set5 and ${tap[1]} dB on Set14`,
      `for ${Math.max(...tap.map(Number)).toFixed(3)} dB`,
      `With 9 bits a tap the loss is ${tap.join(" and ")} dB: within the aim of ${AIM_DB} dB`,
      `loses ${at(PAPER, "static", 9).join(" and ")} dB in the 3x3 layers`,
      `"layer" at 8 bits loses ${at(PAPER, "layer", 8).join(" and ")} dB, where "static" loses ${at(PAPER, "static", 8).join(" and ")} dB at 8`,
      `static shifts cost ${Number(at("winograd", "static", 9)[0]).toFixed(2)} dB on Set5`,
      `with exact filters ${sets.map(({ exactPsnr }) => exactPsnr.toFixed(4)).join(" and ")} dB`,
    );
  });

  test("the filters of SESR-M5", async () => {
    const { network, filters } = restoreModel(
      (await SHIPPED.find(({ id, scale }) => id === "sesr-m5" && scale === 2)!.int8()).model,
    );
    const shapes = convolutionShapes(network);
    const layers = [...filters].map(([name, { weights: values }]) => {
      const { oc, ic, kh: r } = shapes.get(name)!;
      const found = winogradKernel("s8", r === 3 ? "f4x4-3x3-complex" : "f2x2-5x5-complex")!;
      let largest = 0;
      forEachFilter(found, { weights: values, oc, ic }, (_o, _c, factors) => {
        for (const u of factors) largest = Math.max(largest, Math.abs(u));
      });
      return { r, largest, mean: values.reduce((sum, w) => sum + Math.abs(w), 0) / values.length };
    });
    const three = layers.filter(({ r }) => r === 3);
    const five = layers.filter(({ r }) => r === 5);
    expect([three.length, five.length]).toEqual([5, 2]);
    const means = three.map(({ mean }) => mean);
    const largest = (layers: readonly { largest: number }[]): number =>
      Math.max(...layers.map((layer) => layer.largest));
    const [worst3, worst5] = ["qs8_conv2d_cf4x4_3x3", "qs8_conv2d_cf2x2_5x5"].map(
      (name) => growth(kernel(name)).filter.largest,
    );
    // One bit saved or none: those that save one are the ones the text speaks of.
    const shifts = three.map((layer) => smallestShift(layer.largest, 9));
    const saving = three.filter((_, i) => shifts[i] === smallestShift(worst3!, 9) - 1);
    expect(new Set(shifts)).toEqual(new Set([smallestShift(worst3!, 9) - 1, smallestShift(worst3!, 9)]));
    said(
      `means of ${Math.round(Math.min(...means))} to ${Math.round(Math.max(...means))}, of 127`,
      `In ${saving.length} of the ${three.length} layers no transformed filter exceeds ${grouped(largest(saving))}, in the others ${grouped(largest(three))}, where the worst case is ${grouped(worst3!)}`,
      `the worst case, ${grouped(worst5!)}, is far from the largest filters, ${five.map((layer) => grouped(layer.largest)).join(" and ")}`,
    );
  });

  test("the claims", () => {
    const { complexBits, rationalBits, doubledBits, scaleBits, rationalReduction } = claimNumbers();
    const f2x2 = growth(nestedOf("f2x2-3x3")).filter.bits;
    expect(f2x2).toBe(complexBits);
    const over = (id: "f4x4-3x3-half" | "f4x4-3x3-rational"): number =>
      100 * ((3.13 * growth(nestedOf(id)).filter.bits) / (rationalReduction * complexBits) - 1);
    said(
      `over 1/2 and -2 in 16 bits it would be ${over("f4x4-3x3-half").toFixed(1)} %, and 2 and -2 with Gn, in 14 bits, leave a loss of ${(-over("f4x4-3x3-rational")).toFixed(1)} %`,
      `(3.13 * ${rationalBits}) / (${rationalReduction} * ${complexBits}) - 1 = ${((3.13 * rationalBits) / (rationalReduction * complexBits) - 1).toFixed(5)}`,
      `whose filters also take ${f2x2} bits, would be ${(100 * ((3.13 * f2x2) / (2.25 * complexBits) - 1)).toFixed(1)} %`,
      `${scaleBits}/${doubledBits} = ${((100 * scaleBits) / doubledBits).toFixed(2)} %`,
    );
  });
});

test("nothing in the essay points outside the repository's reach", () => {
  expect(essay).not.toMatch(/\/work\/|shared\//);
  const long = essay.split("\n").filter((line) => line.length > 140 && !line.startsWith("|"));
  expect(long).toEqual([]);
});
