/** docs/ran.md says what the code computes: its tables and picture are those of the script, its figures in the text those below. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { differing } from "../../scripts/documents.ts";
import { DOCUMENT, everything } from "../../scripts/nn-mass/all.ts";
import { predictedMean } from "../../scripts/nn-mass/chart.ts";
import { stored } from "../../scripts/nn-mass/ran-e.ts";
import { correlations, runStudy, WIDTHS } from "../../scripts/nn-mass/study.ts";
import { VARIANTS } from "../../src/models/convnext-sizes.ts";
import { scaleBy } from "../../src/ran/scale.ts";
import { shapeAt } from "../../src/ran/search-space.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const document = read(DOCUMENT);
const flat = document.replace(/\s+/g, " ");
const study = runStudy();

/** Every sentence, line breaks aside, stands in the document. */
function said(...sentences: string[]): void {
  expect(sentences.filter((sentence) => !flat.includes(sentence))).toEqual([]);
}

test("tables and picture are those that scripts/nn-mass-figure.ts writes", () => {
  expect(differing(everything(study))).toEqual([]);
});

test("what is said of the named networks", () => {
  const of = (id: string) => scaleBy(VARIANTS.find((variant) => variant.id === id)!.multipliers!).ratios;
  const [tiny, small] = [of("ran-i-t"), of("ran-i-s")];
  const percent = (ratio: number): string => `${Math.round(100 * Math.abs(ratio - 1))} %`;
  said(
    `RAN-i-T has ${percent(tiny.nnMass)} more mass than ConvNeXt-T for ${percent(tiny.macs)} fewer multiply-accumulates`,
    `RAN-i-S ${percent(small.nnMass)} more for nearly the same number`,
  );
  expect(Math.abs(small.macs - 1)).toBeLessThan(0.03);
});

test("what is said of RAN-e on the host, by the stored costs", () => {
  const { costs, space, named, gt, free } = stored();
  const c = named.find(({ id }) => id === "ran-e-c")!.network;
  const advantages = space.positions.map((position) => {
    const cost = (block: (typeof position.choices)[number]) => costs.costOf(shapeAt(position, block));
    const others = position.choices.filter((block) => block !== "collapsed").map(cost);
    return { name: position.name, times: Math.min(...others) / cost("collapsed") };
  });
  const sorted = advantages.sort((a, b) => a.times - b.times);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  said(
    `by ${least.times.toFixed(1)} times (${least.name}) to ${most.times.toFixed(1)} times (${most.name}) against`,
    `costs less than \`ran-e-c\`**, ${(gt.cost / c.cost).toFixed(2)} times`,
    `the search finds ${(free.best.cost / gt.cost).toFixed(2)} times its cost`,
    `--budget units=${gt.units} --svg FILE`,
  );
  expect(least.times).toBeGreaterThan(1);
  expect(free.exact).toBe(true);
  expect(free.best.params).toBeLessThan(gt.params);
  expect(free.best.macs).toBeLessThan(gt.macs);
  expect(free.best.blocks.map((block) => block === "collapsed")).toEqual(space.positions.map((_, i) => i > 0));
});

test("what is said of the experiment", () => {
  const found = correlations(study);
  const all = found.at(-1)!;
  for (const each of found) {
    expect(each.mass).toBeGreaterThan(each.params);
    expect(each.massRanks).toBeGreaterThan(each.paramsRanks);
  }
  for (const { width, mass } of found) if (width !== undefined) expect(all.mass).toBeLessThan(mass);
  const at = (width: number, depth: number, skips: number) =>
    study.find((p) => p.width === width && p.depth === depth && p.maxSkips === skips * width)!;
  const ratios = WIDTHS.flatMap((w) => [0, 1, 4].map((s) => at(w, 32, s).params / at(w, 8, s).params));
  expect([Math.min(...ratios), Math.max(...ratios)].map(Math.round)).toEqual([4, 6]);
  said("four to six times the weights of one of 8");
  const scatter = WIDTHS.map((w) => {
    const errors = study.filter((p) => p.width === w).map((p) => predictedMean(w, p.nnMass) - p.meanSingularValue);
    const mean = errors.reduce((sum, e) => sum + e, 0) / errors.length;
    return errors.reduce((sum, e) => sum + (e - mean) ** 2, 0);
  });
  expect(Math.max(...scatter)).toBe(scatter[0]);
  // Under the limit on average, and the shallow cells more than the deep ones.
  const below = (depth: number): number => {
    const points = study.filter((p) => p.depth === depth);
    return points.reduce((sum, p) => sum + predictedMean(p.width, p.nnMass) - p.meanSingularValue, 0) / points.length;
  };
  expect(below(32)).toBeGreaterThan(0);
  expect(below(8)).toBeGreaterThan(below(32));
});

test("nothing in the document points outside the repository's reach", () => {
  expect(document).not.toMatch(/\/work\/|shared\//);
  const long = document.split("\n").filter((line) => line.length > 140 && !line.startsWith("|"));
  expect(long).toEqual([]);
  const targets = [...document.matchAll(/\]\(([^)#]+)\)/g)].map((m) => m[1]!);
  expect(targets.filter((t) => !existsSync(join(dirname(join(ROOT, DOCUMENT)), t)))).toEqual([]);
});

test("the picture names its axes and can be read out", () => {
  const svg = read("docs/images/nn-mass.svg");
  for (const label of ["NN-Mass of the cell", "mean singular value", "weights of the cell", "<title", "<desc"]) {
    expect(svg).toContain(label);
  }
  expect(svg).toContain('width="360"');
});
