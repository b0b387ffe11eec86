/** The scaling experiment: SQNR of one synthetic layer by bits and granularity, complex beside rational. */

import { heading, LINE, line, MUTED, mark, picture, text } from "../../src/cli/svg.ts";
import { GRANULARITIES } from "../../src/winograd/filter-scaling.ts";
import { type StudyResult, type StudyScheme, scalingStudy } from "../../src/winograd/scaling-study.ts";
import { LOOKS, panel } from "./line-chart.ts";
import { SCRIPT } from "./script.ts";

export const SEED = 1;
export const STUDY = { weights: "gauss", activations: "smooth relu" } as const;
export const STUDY_BITS = [8, 9, 10, 11, 12, 13, 14] as const;

/** The complex algorithm as kernels store it; the rational one in the form with the narrowest filter. */
export const SIDES = [
  { name: "complex, 4G with pairs doubled", id: "f4x4-3x3-complex", form: "scaled", doubling: "filter" },
  { name: "rational, Gn", id: "f4x4-3x3-rational", form: "row-normalised", doubling: "output" },
] as const satisfies readonly (Omit<StudyScheme, "filter"> & { name: string })[];

/** [side][granularity][bits]; Infinity where nothing is lost. */
export function studyDecibels(): number[][][] {
  const schemes = SIDES.flatMap(({ id, form, doubling }) =>
    GRANULARITIES.flatMap((granularity) =>
      STUDY_BITS.map((bits) => ({ id, form, doubling, filter: { bits, granularity } }) satisfies StudyScheme),
    ),
  );
  const results: StudyResult[] = scalingStudy({ seed: SEED, cases: [STUDY], schemes });
  const of = (side: number, g: number, b: number): number =>
    results[(side * GRANULARITIES.length + g) * STUDY_BITS.length + b]!.sqnrDb;
  return SIDES.map((_, s) => GRANULARITIES.map((_, g) => STUDY_BITS.map((_, b) => of(s, g, b))));
}

const [TOP, HEIGHT, PANEL, FIRST, SECOND] = [98, 260, 290, 66, 414];
const [LEAST, MOST, TICK] = [-5, 80, 20];

export function scaling(): string {
  const decibels = studyDecibels();
  const pixels = (HEIGHT - 22) / (MOST - LEAST);
  const above = (db: number): number =>
    db === Number.POSITIVE_INFINITY ? HEIGHT : (Math.max(db, LEAST) - LEAST) * pixels;
  const grid = [
    ...Array.from({ length: MOST / TICK + 1 }, (_, i) => ({ height: above(i * TICK), label: String(i * TICK) })),
    { height: HEIGHT, label: "exact" },
  ];
  const positions = STUDY_BITS.map(String);
  const parts = heading(
    "Filters stored in fewer bits: signal to noise of one layer",
    `Synthetic, seed ${SEED}: 64 to 16 channels, Gaussian weights, smooth ReLU activations. SQNR in dB by bits.`,
  );
  for (const [s, { name }] of SIDES.entries()) {
    const left = s === 0 ? FIRST : SECOND;
    const series = GRANULARITIES.map((granularity, g) => ({
      name: granularity,
      ...LOOKS[g]!,
      heights: decibels[s]![g]!.map(above),
    }));
    parts.push(...panel({ left, top: TOP, width: PANEL, height: HEIGHT, title: name, positions, grid }, series));
  }
  const foot = TOP + HEIGHT;
  parts.push(text(FIRST + PANEL / 2, foot + 42, "bits of a stored filter value", { anchor: "middle", fill: MUTED }));
  parts.push(text(SECOND + PANEL / 2, foot + 42, "bits of a stored filter value", { anchor: "middle", fill: MUTED }));
  const key = foot + 76;
  parts.push(line(20, key - 20, 700, key - 20, { stroke: LINE }), text(20, key + 4, "one shift for:", { fill: MUTED }));
  for (const [g, granularity] of GRANULARITIES.entries()) {
    const x = 124 + g * 118;
    parts.push(mark(x, key, LOOKS[g]!.marker, LOOKS[g]!.colour), text(x + 14, key + 4, granularity));
  }
  const said = GRANULARITIES.map(
    (name, g) => `${name} ${decibels.map((side) => side[g]![1]!.toFixed(1)).join(" and ")}`,
  );
  return picture(
    {
      script: SCRIPT,
      height: key + 22,
      title: "Filter scaling on a synthetic layer: SQNR by bits and granularity",
      description: `Two panels of lines rising with the bits, the complex algorithm higher. At 9 bits, complex and rational: ${said.join("; ")} dB.`,
    },
    parts,
  );
}
