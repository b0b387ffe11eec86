/** The study's accuracies as a picture narrow enough for a telephone: a row a member, a dot a seed, a bar at their mean. */
import { BLUE, element, GREEN, heading, LINE, line, MUTED, ORANGE, picture, text } from "../../src/cli/svg.ts";
import { KINDS, type Kind } from "./runs.ts";
import { matricesOf, mean, type Summary } from "./summary.ts";

const [WIDTH, LEFT, PANEL, ROW, TOP] = [360, 104, 232, 24, 92] as const;
const NAMES: Readonly<Record<Kind, string>> = { vit: "softmax attention", xcit: "cross-covariance attention" };
/** By matrices of d x d that are left. */
const COLOURS: Readonly<Record<number, string>> = { 4: BLUE, 3: ORANGE, 2: GREEN };

const percents = ({ accuracies }: Summary): number[] => accuracies.map(({ percent }) => percent);

/** Whole numbers around all values, and what lies between them in steps that leave three to six lines. */
function scale(values: readonly number[]): { readonly ticks: number[]; readonly x: (percent: number) => number } {
  const [least, most] = [
    Math.floor(Math.min(...values)),
    Math.max(Math.ceil(Math.max(...values)), Math.min(...values) + 1),
  ];
  const step = [1, 2, 5, 10].find((s) => (most - least) / s <= 6) ?? 20;
  const from = Math.floor(least / step) * step;
  const to = Math.ceil(most / step) * step;
  const ticks = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);
  return { ticks, x: (percent) => LEFT + ((percent - from) / (to - from)) * PANEL };
}

function panel(
  top: number,
  kind: Kind,
  summaries: readonly Summary[],
): { readonly parts: string[]; readonly foot: number } {
  const rows = [...summaries].sort((a, b) => matricesOf(b) - matricesOf(a));
  const { ticks, x } = scale(rows.flatMap(percents));
  const foot = top + ROW * rows.length + 8;
  const parts = [text(20, top - 12, NAMES[kind], { bold: true, size: 14 })];
  for (const tick of ticks) {
    parts.push(line(x(tick), top, x(tick), foot));
    parts.push(text(x(tick), foot + 16, String(tick), { anchor: "middle", size: 12, fill: MUTED }));
  }
  const standard = rows.find(({ member }) => member === "standard");
  if (standard) {
    const middle = x(mean(percents(standard)));
    parts.push(line(middle, top, middle, foot, { stroke: BLUE, "stroke-dasharray": "4 3" }));
  }
  for (const [i, summary] of rows.entries()) {
    const y = top + ROW * (i + 0.5) + 4;
    const colour = COLOURS[matricesOf(summary)]!;
    const middle = x(mean(percents(summary)));
    parts.push(text(LEFT - 10, y + 4, summary.member, { anchor: "end" }));
    for (const percent of percents(summary)) {
      parts.push(element("circle", { cx: x(percent), cy: y, r: 3.5, fill: colour, "fill-opacity": 0.6 }));
    }
    parts.push(line(middle, y - 8, middle, y + 8, { stroke: colour, "stroke-width": 2.5 }));
  }
  parts.push(
    text(LEFT + PANEL / 2, foot + 34, "right, % of the test pictures", { anchor: "middle", size: 12, fill: MUTED }),
  );
  return { parts, foot: foot + 34 };
}

function key(top: number, summaries: readonly Summary[]): string[] {
  const parts = [line(20, top, WIDTH - 20, top, { stroke: LINE })];
  for (const [i, [count, colour]] of Object.entries(COLOURS)
    .sort(([a], [b]) => Number(b) - Number(a))
    .entries()) {
    const y = top + 24 + 22 * i;
    const macs = KINDS.flatMap((kind) => {
      const found = summaries.find((summary) => summary.kind === kind && matricesOf(summary) === Number(count));
      return found ? [(found.macs / 1e6).toFixed(2)] : [];
    });
    parts.push(element("circle", { cx: 30, cy: y - 4, r: 3.5, fill: colour }));
    parts.push(text(44, y, `${count} matrices a layer, ${macs.join(" and ")} M MACs`));
  }
  return parts;
}

const said = ({ kind, member, accuracies }: Summary): string =>
  `${kind} ${member} ${accuracies.map(({ percent }) => percent.toFixed(2)).join(", ")}`;

/** @param script what writes the picture */
export function studyChart(summaries: readonly Summary[], script: string): string {
  const parts = heading("Attention with fewer projections", "CIFAR-10; a dot a seed, a bar their mean");
  let top = TOP;
  for (const kind of KINDS) {
    const own = summaries.filter((summary) => summary.kind === kind);
    if (own.length === 0) continue;
    const drawn = panel(top, kind, own);
    parts.push(...drawn.parts);
    top = drawn.foot + 44;
  }
  parts.push(...key(top - 26, summaries));
  return picture(
    {
      width: WIDTH,
      height: top + 58,
      title: "Accuracy of networks whose attention has four, three and two projections",
      description: `Per cent of CIFAR-10's test pictures that are right, by seed: ${summaries.map(said).join("; ")}.`,
      script,
    },
    parts,
  );
}
