/** docs/winograd.md says what the code computes: its tables and pictures are those of the script, its figures in the text those below. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { differing, everything, pictures } from "../../scripts/figures/all.ts";
import { exampleOf, importsOf } from "../../scripts/figures/example.ts";
import { asWritten, crossing, GEMM_STEP, measuredCrossing, oneADot } from "../../scripts/figures/prediction.ts";
import { PSNR_ALGORITHMS, readPsnr } from "../../scripts/figures/psnr.ts";
import { AIM_DB } from "../../scripts/figures/psnr-chart.ts";
import { SEED, STUDY_BITS, studyDecibels } from "../../scripts/figures/scaling.ts";
import { PRODUCTS_STRIDE, TILES } from "../../scripts/transforms/tiling.ts";
import { buildModel, loadWeights } from "../../src/index.ts";
import { RELATIVE_TIME } from "../../src/kernels/convolution/cost-table.ts";
import { decodeBase64 } from "../../src/kernels/load.ts";
import { winogradKernel } from "../../src/kernels/winograd/algorithms.ts";
import { forEachFilter } from "../../src/kernels/winograd/filter.ts";
import { int8Model } from "../../src/upscale/int8-model.ts";
import { SHIPPED } from "../../src/upscale/weights/index.generated.ts";
import { algorithmOf, CATALOGUE, nestedOf } from "../../src/winograd/catalogue.ts";
import { GRANULARITIES, smallestShift } from "../../src/winograd/filter-scaling.ts";
import { channelLimits, growth } from "../../src/winograd/growth.ts";
import { nestedOfKernel, WINOGRAD_KERNELS } from "../../src/winograd/kernel-table.ts";
import { claimNumbers } from "../../src/winograd/report.ts";
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
  const index = read("src/index.ts");
  const names = importsOf(exampleOf(essay));
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) expect(index).toMatch(new RegExp(`^export \\{[^}]*\\b${name}\\b[^}]*\\}`, "m"));
});

describe("figures in the text", () => {
  const complex = nestedOf("f4x4-3x3-complex");
  const kernel = (name: string) => nestedOfKernel(WINOGRAD_KERNELS.find((entry) => entry.kernel === name)!);

  test("products", () => {
    const { real, pairs } = complex.structure;
    const { products } = countProducts(complex.structure);
    const ratio = reduction(algorithmOf("f4x4-3x3-complex")).toFixed(2);
    said(
      `${real.length} + 3 * ${pairs.length} = ${products} real products, where direct convolution has 16 * 9 = 144: 144 / ${products} = ${ratio}`,
      `${products} products instead of 100, ${reduction(algorithmOf("f2x2-5x5-complex")).toFixed(2)} times fewer`,
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
      `${scale} = 2^${shift} * ${odd} times the convolution`,
      `of D = ${diagonal} the odd parts ${inFilter.join(", ")} go to the filter`,
      `9 has an inverse modulo 2^32, ${inverse}: 9 * ${inverse} = 2 * 2^32 + 1`,
    );
    expect(Number(odd) * inverse).toBe(2 * 2 ** 32 + 1);
    const Gn = nestedOf("f4x4-3x3-rational", { form: "row-normalised" }).vertical.AT.flat();
    said(`multiplies by up to ${Math.max(...Gn.map((z) => Math.abs(z.toNumber())))} in each direction`);
  });

  test("counts", () => {
    const outputs = (name: string) => countTransforms(transforms(kernel(name))).output;
    const rational = outputs("qs8_conv2d_f4x4_3x3");
    const { input } = countTransforms(transforms(kernel("qs8_conv2d_f4x4_3x3")));
    const Gn = countTransforms(transforms(nestedOf("f4x4-3x3-rational", { form: "row-normalised" }))).output;
    const total = rational.adds + rational.shifts + 16;
    expect(rational.constants).toBe(0);
    expect(Gn.adds + Gn.shifts + Gn.constants + 16).toBe(total);
    const doubled = countTransforms(transforms(kernel("qs8_conv2d_cf4x4_3x3")));
    said(
      `${outputs("qs8_conv2d_cf4x4_3x3").adds} additions against ${rational.adds + rational.shifts} operations and the 16 products`,
      `complex 46 C^2 / 8 + ${doubled.input.adds} C / 8 + ${doubled.output.adds} C / 4`,
      `rational 36 C^2 / 8 + ${input.adds + input.shifts} C / 8 + ${total} C / 4`,
      `with Gn the output would take ${total} operations as well (${Gn.adds}a, ${Gn.shifts}s, ${Gn.constants}c and the 16 products)`,
    );
  });

  test("the product's instructions, and where the curves cross", () => {
    const [, loop] = /do \{([\s\S]*?)\} while/.exec(read("assembly/gemm/gemm-4x8.ts"))!;
    const count = (pattern: RegExp): number => [...loop!.matchAll(pattern)].length;
    // A multiply_accumulate is a dot product and an addition.
    const [dots, broadcasts, loads] = [count(/multiply_accumulate</g), count(/load32_splat/g), count(/load_filter</g)];
    expect(2 * dots + broadcasts + loads).toBe(GEMM_STEP.instructions);
    said(
      `${dots} dot products, ${dots} additions, ${broadcasts} broadcasts and ${loads} loads: ${GEMM_STEP.instructions} instructions`,
      `${(8 * GEMM_STEP.instructions) / GEMM_STEP.products} for each 8 products`,
      `wins up to ${Math.floor(crossing(oneADot))} channels`,
      `the curves cross at ${crossing(asWritten).toFixed(1)} channels; in the measured table they cross at ${measuredCrossing().toFixed(1)}`,
    );
  });

  test("bits and channels", () => {
    const complex5 = nestedOf("f2x2-5x5-complex");
    const rational5 = growth(nestedOf("f2x2-5x5-rational")).filter;
    const limit = (id: Parameters<typeof nestedOf>[0]) => channelLimits(nestedOf(id)).oddUndone;
    const wrap = ["qs8_conv2d_cf4x4_3x3", "qs8_conv2d_cf2x2_5x5"].map((name) => channelLimits(kernel(name)).noWrap);
    said(
      `above ${limit("f4x4-3x3-rational")} channels by worst case`,
      `beyond ${limit("f4x4-3x3-complex")} channels`,
      `lowers "no sum wraps" to ${wrap.join(" and ")} for the complex algorithms`,
      `${rational5.gain}, and ${rational5.gain} * 127 = ${grouped(rational5.largest)} needs ${rational5.bits} bits`,
      `gain ${growth(complex5).filter.gain}, ${growth(complex5).filter.bits} bits, ${growth(kernel("qs8_conv2d_cf2x2_5x5")).filter.bits} with pairs doubled`,
    );
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
    said(
      `takes ${five[6]![6]!.toFixed(2)} of direct's time for 64 to 64 channels`,
      `(1 to 16) would take ${five[0]![4]} times as long, the last (16 to 4) ${five[4]![2]} times`,
    );
    expect(essay).not.toMatch(/GMAC|\d ms\b/);
  });

  test("f32: the complex kernel's error is the smaller one", () => {
    const [row] = /\| `f32_conv2d_cf4x4_3x3` .*/.exec(essay)!;
    expect(Number(row!.split("|").at(-2))).toBeLessThan(1);
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
    const at = (algorithm: "auto" | "winograd", granularity: (typeof GRANULARITIES)[number], width: number): string[] =>
      sets.map(({ losses }) => losses[algorithm][granularity][bits.indexOf(width)]!.toFixed(4));
    const tap = at("auto", "tap", 9);
    expect(Math.max(...tap.map(Number))).toBeLessThanOrEqual(AIM_DB);
    expect(Math.max(...at("auto", "static", 9).map(Number))).toBeGreaterThan(AIM_DB);
    expect(at("auto", "layer", 8)).toEqual(at("auto", "static", 9));
    expect(read("src/cli/commands/verify.ts")).toContain(`TOLERANCE_DB = ${AIM_DB};`);
    said(
      `${tap[0]} dB on Set5 and ${tap[1]} dB on Set14`,
      `for ${Number(tap[0]).toFixed(3)} dB`,
      `With 9 bits a tap the loss is ${tap.join(" and ")} dB: within the aim of ${AIM_DB} dB`,
      `loses ${at("auto", "static", 9).join(" and ")} dB in the 3x3 layers`,
      `static shifts cost ${Number(at("winograd", "static", 9)[0]).toFixed(2)} dB on Set5`,
      `with exact filters ${sets.map(({ exactPsnr }) => exactPsnr.toFixed(4)).join(" and ")} dB`,
    );
  });

  test("the filters of SESR-M5", async () => {
    const { safetensors, calibration, equalisation } = await SHIPPED[0]!.load();
    const network = buildModel("sesr-m5", { scale: 2 });
    const weights = loadWeights(decodeBase64(safetensors), network);
    const { filters } = int8Model({ network, weights }, { calibration, equalisation });
    const layers = [...filters.values()].map(({ weights: values, bias }) => {
      const oc = bias.length;
      const ic = oc === 16 && values.length === 16 * 25 ? 1 : 16;
      const r = Math.sqrt(values.length / oc / ic);
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
    const largest = Math.max(...three.map((layer) => layer.largest));
    const [worst3, worst5] = ["qs8_conv2d_cf4x4_3x3", "qs8_conv2d_cf2x2_5x5"].map(
      (name) => growth(kernel(name)).filter.largest,
    );
    for (const layer of three) expect(smallestShift(layer.largest, 9)).toBe(smallestShift(worst3!, 9) - 1);
    said(
      `means of ${Math.round(Math.min(...means))} to ${Math.round(Math.max(...means))}, of 127`,
      `exceeds ${grouped(largest)}, where the worst case is ${grouped(worst3!)}`,
      `the worst case, ${grouped(worst5!)}, is far from the largest filters, ${five.map((layer) => grouped(layer.largest)).join(" and ")}`,
    );
  });

  test("the claims", () => {
    const { complexBits, rationalBits, doubledBits, scaleBits, rationalReduction } = claimNumbers();
    const f2x2 = growth(nestedOf("f2x2-3x3")).filter.bits;
    expect(f2x2).toBe(complexBits);
    said(
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
