/** F(2,3) in one dimension: inputs, the product of each point, outputs. */

import {
  BLUE_TINT,
  GREY_TINT,
  heading,
  INK,
  LINE,
  line,
  MUTED,
  ORANGE_TINT,
  picture,
  rect,
  text,
} from "../../src/cli/svg.ts";
import { algorithmOf } from "../../src/winograd/catalogue.ts";
import { Gaussian } from "../../src/winograd/gaussian.ts";
import { denominator, scale } from "../../src/winograd/matrix.ts";
import { SCRIPT } from "./script.ts";

/** "d0 - d2", "(g0 + g1 + g2) / 2". */
export function linearForm(coefficients: readonly Gaussian[], name: string): string {
  const den = denominator(coefficients);
  const terms = scale(coefficients, Gaussian.of(den)).flatMap((c, i) => {
    const [sign, size] = String(c).startsWith("-") ? ["−", String(c.neg())] : ["+", String(c)];
    return c.isZero() ? [] : [{ sign, body: `${size === "1" ? "" : `${size} `}${name}${i}` }];
  });
  // Begins with a positive term if there is one.
  const [first] = terms.splice(
    Math.max(
      0,
      terms.findIndex(({ sign }) => sign === "+"),
    ),
    1,
  );
  if (first === undefined) return "0";
  const sum = `${first.sign === "+" ? "" : "−"}${first.body}${terms.map((t) => ` ${t.sign} ${t.body}`).join("")}`;
  return den === 1n ? sum : `(${sum}) / ${den}`;
}

const pointName = (point: string): string => (point === "inf" ? "∞" : point.replace("-", "−"));

export function oneDimension(): string {
  const { m, r, n, points, AT, G, BT } = algorithmOf("f2x2-3x3");
  const [top, step, height] = [98, 56, 40];
  const row = (j: number): number => top + j * step + height / 2;
  const output = (i: number): number => row((n - 1) / 2) + (i - (m - 1) / 2) * step * 1.5;
  const [left, right] = [196, 566];
  const parts = heading(
    `F(${m},${r}): ${m} outputs of a ${r}-tap filter from ${n} inputs with ${n} products`,
    `Direct correlation takes ${m} x ${r} = ${m * r}. Dashed lines subtract.`,
  );
  for (const [x, label] of [
    [60, "inputs"],
    [222, "point"],
    [311, "input side"],
    [478, "filter side"],
    [660, "outputs"],
  ] as const) {
    parts.push(text(x, 86, label, { anchor: "middle", fill: MUTED }));
  }
  const edge = (x1: number, y1: number, x2: number, y2: number, sign: Gaussian): string[] => {
    if (sign.isZero()) return [];
    const dash = String(sign).startsWith("-") ? { "stroke-dasharray": "6 5" } : {};
    return [line(x1, y1, x2, y2, { stroke: MUTED, "stroke-width": 1.5, ...dash })];
  };
  const node = (x: number, y: number, label: string, fill: string): string[] => [
    rect(x - 24, y - 18, 48, 36, { rx: 18, fill, stroke: INK }),
    text(x, y + 5, label, { anchor: "middle", size: 15 }),
  ];
  for (let j = 0; j < n; j++) {
    for (let l = 0; l < n; l++) parts.push(...edge(84, row(l), left, row(j), BT[j]![l]!));
    for (let i = 0; i < m; i++) parts.push(...edge(right, row(j), 636, output(i), AT[i]![j]!));
  }
  for (let l = 0; l < n; l++) parts.push(...node(60, row(l), `d${l}`, BLUE_TINT));
  for (let i = 0; i < m; i++) parts.push(...node(660, output(i), `y${i}`, GREY_TINT));
  for (let j = 0; j < n; j++) {
    const y = row(j);
    parts.push(
      rect(left, y - height / 2, right - left, height, { rx: 6, fill: "#ffffff", stroke: INK }),
      rect(left + 52, y - height / 2 + 1, 126, height - 2, { fill: BLUE_TINT }),
      rect(left + 200, y - height / 2 + 1, 164, height - 2, { fill: ORANGE_TINT }),
      text(222, y + 5, pointName(String(points[j])), { anchor: "middle", size: 15 }),
      text(left + 115, y + 5, linearForm(BT[j]!, "d"), { anchor: "middle", size: 15 }),
      text(left + 189, y + 5, "×", { anchor: "middle", size: 17 }),
      text(left + 282, y + 5, linearForm(G[j]!, "g"), { anchor: "middle", size: 15 }),
    );
  }
  const bottom = top + n * step;
  parts.push(line(20, bottom, 700, bottom, { stroke: LINE }));
  parts.push(text(20, bottom + 24, "The filter side is computed once; the input side costs additions only."));
  const forms = Array.from({ length: m }, (_, i) => `y${i} = ${linearForm(AT[i]!, "m")}`);
  parts.push(text(20, bottom + 46, `With m0 to m${n - 1} the products: ${forms.join(", ")}`));
  return picture(
    {
      script: SCRIPT,
      height: bottom + 64,
      title: `F(${m},${r}) in one dimension: ${n} products`,
      description: `${n} inputs are combined into ${n} sums, each multiplied by a sum of the ${r} filter taps; the ${n} products are combined into ${m} outputs.`,
    },
    parts,
  );
}
