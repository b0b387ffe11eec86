/** The lab's pictures: matrices, the transformed tile, how wide its values get. */
import { draw, make } from "../shell/dom.ts";
import type { LabReport, Matrices } from "./report.ts";

/** A minus sign and small fractions, as in print. */
export const printed = (entry: string): string =>
  entry
    .replace(/(\d+)\/(\d+)i/g, (_, over: string, under: string) => `${over === "1" ? "" : over}i/${under}`)
    .replaceAll("-", "−")
    .replace("inf", "∞");

export function matrix(name: string, rows: readonly (readonly string[])[]): HTMLElement {
  const body = make("tbody");
  for (const row of rows) {
    body.append(
      make("tr", {}, ...row.map((entry) => make("td", entry === "0" ? { class: "nought" } : {}, printed(entry)))),
    );
  }
  const table = make("table", { class: "matrix", "aria-label": `Matrix ${name}` }, body);
  return make(
    "figure",
    { class: "matrix-box" },
    make("figcaption", {}, name),
    make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `Matrix ${name}` }, table),
  );
}

export function matrices({ AT, G, BT }: Matrices): HTMLElement[] {
  return [matrix("Aᵀ", AT), matrix("G", G), matrix("Bᵀ", BT)];
}

/** The transformed tile: one square a pair of points, with the numbers of the products that it takes. */
export function tile({ tile: entries, points }: LabReport): HTMLElement {
  const head = make("tr", {}, make("td"), ...points.map((point) => make("th", { scope: "col" }, printed(point))));
  const rows = entries.map((row, i) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, printed(points[i]!)),
      ...row.map(({ kind, products }) => {
        const [first, last] = [products[0]! + 1, products.at(-1)! + 1];
        const text = kind === "conjugate" ? "conj." : first === last ? String(first) : `${first}–${last}`;
        return make("td", { class: kind }, text);
      }),
    ),
  );
  return make("table", { class: "tile" }, make("thead", {}, head), make("tbody", {}, ...rows));
}

const HEIGHT = 150;
const LEFT = 26;
const TOP = 10;
const BOTTOM = 22;
const COLUMN = 12;

/** Bits of both factors of every product, against the 16 of the kernels' operands. */
export function bitChart({ products, summary }: LabReport): SVGSVGElement {
  const most = Math.max(18, summary.input.bits, summary.filter.bits);
  const width = LEFT + products.length * COLUMN + 4;
  const y = (bits: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - bits / most);
  const svg = draw("svg", {
    viewBox: `0 0 ${width} ${HEIGHT}`,
    width,
    height: HEIGHT,
    role: "img",
    "aria-label": `Bits of the two factors of each of ${products.length} products: inputs up to ${summary.input.bits}, filters up to ${summary.filter.bits}`,
  });
  for (const bits of [8, 16]) {
    svg.append(
      draw("line", { x1: LEFT, x2: width, y1: y(bits), y2: y(bits), class: bits === 16 ? "limit" : "grid" }),
      draw("text", { x: LEFT - 6, y: y(bits) + 4, "text-anchor": "end" }, String(bits)),
    );
  }
  for (const [p, product] of products.entries()) {
    const x = LEFT + p * COLUMN + 2;
    const bar = (offset: number, bits: number, name: string, gain: number): SVGRectElement =>
      draw(
        "rect",
        { x: x + offset, y: y(bits), width: 4.5, height: y(0) - y(bits), class: name },
        draw("title", {}, `product ${p + 1}: ${name} ${bits} bits, gain ${gain}`),
      );
    svg.append(bar(0, product.inputBits, "input", product.inputGain));
    svg.append(bar(5, product.filterBits, "filter", product.filterGain));
    if (p === 0 || (p + 1) % 5 === 0) {
      svg.append(draw("text", { x: x + 5, y: HEIGHT - 6, "text-anchor": "middle" }, String(p + 1)));
    }
  }
  svg.append(draw("line", { x1: LEFT, x2: width, y1: y(0), y2: y(0), class: "base" }));
  return svg;
}
