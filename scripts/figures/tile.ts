/** The transformed 6x6 tile of complex F(4x4,3x3): real entries, conjugate pairs, products. */

import { BLUE_TINT, heading, INK, line, MUTED, picture, rect, text } from "../../src/cli/svg.ts";
import { nestedOf } from "../../src/winograd/catalogue.ts";
import { countProducts } from "../../src/winograd/structure.ts";
import { SCRIPT } from "./script.ts";

const PASTELS = [
  "#f9c9b6",
  "#fbe3a1",
  "#cfe8b4",
  "#b4e3d3",
  "#b9d3f3",
  "#d6c8f0",
  "#f3c3df",
  "#e3d3bd",
  "#a9dbe8",
  "#dfe08f",
];
const [LEFT, TOP, CELL_WIDTH, CELL_HEIGHT] = [78, 96, 66, 48];

const pointName = (point: string): string => (point === "inf" ? "∞" : point.replace("-", "−"));

export function tile(): string {
  const nested = nestedOf("f4x4-3x3-complex");
  const { structure, planes } = nested;
  const { m, r, n, points } = nested.vertical.algorithm;
  const { products } = countProducts(structure);
  const direct = (m * r) ** 2;
  const names = points.map((point) => pointName(String(point)));
  const parts = heading(
    `Transformed ${n}x${n} tile of F(${m}x${m},${r}x${r}), points ${names.join(", ")}`,
    "On real data an entry and its conjugate hold the same information: one of the two is multiplied.",
  );
  for (const [k, name] of names.entries()) {
    parts.push(text(LEFT + (k + 0.5) * CELL_WIDTH, TOP - 10, name, { anchor: "middle", size: 15, fill: MUTED }));
    parts.push(text(LEFT - 22, TOP + (k + 0.5) * CELL_HEIGHT + 5, name, { anchor: "middle", size: 15, fill: MUTED }));
  }
  const cell = (row: number, column: number, fill: string, main: string, under: string, dashed = false): void => {
    const [x, y] = [LEFT + column * CELL_WIDTH, TOP + row * CELL_HEIGHT];
    const dash = dashed ? { "stroke-dasharray": "4 3" } : {};
    parts.push(
      rect(x + 1.5, y + 1.5, CELL_WIDTH - 3, CELL_HEIGHT - 3, {
        rx: 4,
        fill,
        stroke: INK,
        "stroke-width": 0.75,
        ...dash,
      }),
      text(x + CELL_WIDTH / 2, y + 21, main, { anchor: "middle", size: 15, bold: !dashed }),
      text(x + CELL_WIDTH / 2, y + 38, under, { anchor: "middle", size: 12, fill: dashed ? MUTED : INK }),
    );
  };
  const planesAt = (row: number, column: number): number[] =>
    planes.flatMap((plane, p) => (plane.row === row && plane.column === column ? [p] : []));
  for (const { row, column } of structure.real) cell(row, column, BLUE_TINT, "real", String(planesAt(row, column)[0]));
  for (const [i, { row, column, conjugate }] of structure.pairs.entries()) {
    const letter = String.fromCharCode("A".charCodeAt(0) + i);
    const found = planesAt(row, column);
    cell(row, column, PASTELS[i]!, letter, `${found[0]}–${found.at(-1)}`);
    cell(conjugate.row, conjugate.column, PASTELS[i]!, `${letter}*`, "conj.", true);
  }
  const [reals, pairs] = [structure.real.length, structure.pairs.length];
  const x = LEFT + n * CELL_WIDTH + 24;
  const sum = (y: number, what: string, value: string, bold = false): void => {
    parts.push(text(x, y, what, { bold }), text(700, y, value, { anchor: "end", bold, size: 15 }));
  };
  sum(TOP + 24, `${reals} real entries`, `${reals} x 1 = ${reals}`);
  sum(TOP + 54, `${pairs} pairs A, A*`, `${pairs} x 3 = ${3 * pairs}`);
  parts.push(line(x, TOP + 66, 700, TOP + 66, { stroke: INK }));
  sum(TOP + 90, "products", `${products}`, true);
  sum(TOP + 120, "direct", `${m * m} x ${r * r} = ${direct}`);
  sum(TOP + 150, "fewer by", `${(direct / products).toFixed(2)}x`, true);
  for (const [i, note] of [
    "Below each name: the planes",
    "of the kernel, one real product",
    "each, in the order of memory.",
    "Dashed: not computed.",
  ].entries()) {
    parts.push(text(x, TOP + 196 + i * 20, note, { fill: MUTED, size: 12.5 }));
  }
  return picture(
    {
      script: SCRIPT,
      height: TOP + n * CELL_HEIGHT + 22,
      title: `The ${products} products of complex F(${m}x${m},${r}x${r})`,
      description: `A grid of ${n} by ${n} entries: ${reals} are real, the others form ${pairs} conjugate pairs. ${reals} + 3 * ${pairs} = ${products} real products instead of ${direct}.`,
    },
    parts,
  );
}
