/** Mean singular value against NN-Mass, and against weights, in a picture narrow enough for a telephone. */

import {
  BLUE,
  element,
  GREEN,
  heading,
  LINE,
  line,
  type Marker,
  MUTED,
  mark,
  ORANGE,
  picture,
  text,
} from "../../src/cli/svg.ts";
import { heDeviation, type JacobianPoint } from "../../src/ran/jacobian.ts";
import { expectedMean } from "../../src/ran/singular-values.ts";
import { type correlations, DEPTHS, STUDY, WIDTHS } from "./study.ts";

export const SCRIPT = "scripts/nn-mass-figure.ts";
const COLOURS: Readonly<Record<number, string>> = { 8: ORANGE, 16: BLUE, 32: GREEN };
const MARKERS: Readonly<Record<number, Marker>> = { 8: "circle", 16: "square", 24: "triangle" };

const [WIDTH, LEFT, PANEL, HEIGHT] = [360, 46, 296, 200];
const TOPS = [98, 372] as const;
const [LEAST, MOST] = [0.5, 1];

const above = (value: number): number => ((value - LEAST) / (MOST - LEAST)) * HEIGHT;

interface Axis {
  readonly title: string;
  /** Pixels from the left of the panel. */
  readonly x: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

function panel(top: number, axis: Axis): string[] {
  const foot = top + HEIGHT;
  const parts: string[] = [];
  for (let tenths = LEAST * 10; tenths <= MOST * 10; tenths++) {
    const y = foot - above(tenths / 10);
    parts.push(line(LEFT, y, LEFT + PANEL, y));
    parts.push(text(LEFT - 6, y + 4, (tenths / 10).toFixed(1), { anchor: "end", size: 12, fill: MUTED }));
  }
  for (const { value, label } of axis.ticks) {
    const x = LEFT + axis.x(value);
    parts.push(line(x, foot, x, foot + 4, { stroke: MUTED }));
    parts.push(text(x, foot + 18, label, { anchor: "middle", size: 12, fill: MUTED }));
  }
  parts.push(text(LEFT + PANEL / 2, foot + 36, axis.title, { anchor: "middle" }));
  return parts;
}

/** What random matrices of the mean fan-in, width + mass / 2, would have, with every second input passing ReLU. */
export function predictedMean(width: number, nnMass: number): number {
  const fanIn = width + nnMass / 2;
  return expectedMean(width, fanIn / 2, heDeviation(fanIn, "relu"));
}

function curve(top: number, width: number, most: number, axis: Axis): string {
  const points = Array.from({ length: 41 }, (_, i) => {
    const mass = (most * i) / 40;
    const [x, y] = [LEFT + axis.x(mass), top + HEIGHT - above(predictedMean(width, mass))];
    return `${Number(x.toFixed(2))},${Number(y.toFixed(2))}`;
  });
  return element("polyline", {
    points: points.join(" "),
    fill: "none",
    stroke: MUTED,
    "stroke-width": 1.25,
    "stroke-dasharray": "4 3",
  });
}

export function chart(points: readonly JacobianPoint[], found: ReturnType<typeof correlations>): string {
  const mostMass = 200;
  const [fewest, most] = [400, 150_000];
  const mass: Axis = {
    title: "NN-Mass of the cell",
    x: (value) => (value / mostMass) * PANEL,
    ticks: [0, 50, 100, 150, 200].map((value) => ({ value, label: String(value) })),
  };
  const weights: Axis = {
    title: "weights of the cell, logarithmic",
    x: (value) => (Math.log(value / fewest) / Math.log(most / fewest)) * PANEL,
    ticks: [
      { value: 1000, label: "1k" },
      { value: 10_000, label: "10k" },
      { value: 100_000, label: "100k" },
    ],
  };
  const drawn = (top: number, x: (point: JacobianPoint) => number): string[] =>
    points.map((point) =>
      mark(
        LEFT + x(point),
        top + HEIGHT - above(point.meanSingularValue),
        MARKERS[point.width]!,
        COLOURS[point.depth]!,
        // Hollow, so that points under others still show.
        true,
      ),
    );
  const parts = [
    ...heading("Mean singular value by NN-Mass", `of layerwise Jacobians at the start, ReLU, seed ${STUDY.seed}`),
    text(20, TOPS[0] - 18, "mean singular value", { size: 12, fill: MUTED }),
    ...panel(TOPS[0], mass),
    ...WIDTHS.map((width) => {
      const largest = Math.max(...points.filter((p) => p.width === width).map((p) => p.nnMass));
      return curve(TOPS[0], width, largest, mass);
    }),
    ...drawn(TOPS[0], (point) => mass.x(point.nnMass)),
    text(20, TOPS[1] - 18, "the same points by size", { size: 12, fill: MUTED }),
    ...panel(TOPS[1], weights),
    ...drawn(TOPS[1], (point) => weights.x(point.params)),
  ];
  const key = TOPS[1] + HEIGHT + 62;
  parts.push(line(20, key - 16, WIDTH - 20, key - 16, { stroke: LINE }), text(20, key + 6, "depth", { fill: MUTED }));
  for (const [i, depth] of DEPTHS.entries()) {
    parts.push(mark(90 + i * 66, key + 2, "circle", COLOURS[depth]!), text(102 + i * 66, key + 6, String(depth)));
  }
  parts.push(text(20, key + 28, "width", { fill: MUTED }));
  for (const [i, width] of WIDTHS.entries()) {
    parts.push(mark(90 + i * 66, key + 24, MARKERS[width]!, MUTED, true), text(102 + i * 66, key + 28, String(width)));
  }
  parts.push(
    line(20, key + 46, 52, key + 46, { stroke: MUTED, "stroke-width": 1.25, "stroke-dasharray": "4 3" }),
    text(60, key + 50, "large random matrices, width + mass / 2"),
  );
  const said = found
    .filter(({ width }) => width !== undefined)
    .map(({ width, mass, params }) => `width ${width}: ${mass.toFixed(2)} and ${params.toFixed(2)}`);
  return picture(
    {
      width: WIDTH,
      height: key + 68,
      title: "Mean singular value of layerwise Jacobians at initialisation against NN-Mass and against weights",
      description:
        "Above, points of all depths rise along one bent curve for each width; below, by the number of weights, depths lie apart. " +
        `Correlation with NN-Mass and with weights: ${said.join("; ")}.`,
      script: SCRIPT,
    },
    parts,
  );
}
