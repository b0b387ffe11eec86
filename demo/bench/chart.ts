/** Kernels of one data type against the roofline: a column a layer, a mark a kernel. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { draw, make } from "../shell/dom.ts";
import { colour } from "../shell/theme.ts";
import type { Layer } from "./report.ts";

/** What algorithms are called, in the order of the key; each has a shape and a colour, so that colour is not all there is. */
const ALGORITHMS = [
  ["direct", "direct", "square", "--series-6"],
  ["f4x4-3x3-complex", "F(4×4, 3×3) complex", "circle", "--series-1"],
  ["f4x4-3x3-half", "F(4×4, 3×3) with 1/2", "diamond", "--series-3"],
  ["f4x4-3x3-rational", "F(4×4, 3×3) rational", "up", "--series-2"],
  ["f2x2-3x3", "F(2×2, 3×3)", "down", "--series-4"],
  ["f2x2-5x5-complex", "F(2×2, 5×5) complex", "circle", "--series-1"],
  ["f2x2-5x5-rational", "F(2×2, 5×5) rational", "up", "--series-2"],
  ["f1x4-5x5-rational", "F(1×4, 5×5) in rows", "down", "--series-4"],
] as const;
type Shape = (typeof ALGORITHMS)[number][2];

const HEIGHT = 320;
const LEAST_COLUMN = 84;
const MARK = 5;

function outline(shape: Shape, x: number, y: number, r: number): string {
  if (shape === "square") return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
  if (shape === "diamond") return `M${x} ${y - 1.3 * r}L${x + 1.3 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.3 * r} ${y}z`;
  if (shape === "up") return `M${x} ${y - 1.2 * r}L${x + 1.2 * r} ${y + r}L${x - 1.2 * r} ${y + r}z`;
  if (shape === "down") return `M${x} ${y + 1.2 * r}L${x + 1.2 * r} ${y - r}L${x - 1.2 * r} ${y - r}z`;
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
}

/** Two lines under a column: "3×3", "56×56, 64→256"; depthwise ones say so. */
function columnLabel({ name, shape }: Layer): string {
  const kernel = name.replace("depthwise", "dw ").replace("conv", "").replaceAll("x", "×");
  const [size = "", channels = ""] = shape.split(" ");
  const [ic, oc] = channels.split("->");
  return `${kernel}\n${size.replaceAll("x", "×")}\n${ic === oc ? ic : `${ic}→${oc}`}`;
}

/** Draws into `box`, which it empties; returns what frees it. */
export function chart(box: HTMLElement, layers: readonly Layer[], roofline: number, title: string): () => void {
  const used = ALGORITHMS.map(([id, name, shape, property]) => ({ id, name, shape, colour: property })).filter(
    ({ id }) => layers.some(({ kernels }) => kernels.some(({ algorithm }) => algorithm === id)),
  );
  const [ink, soft, line] = [colour("--ink"), colour("--soft"), colour("--line")];
  const plot = make("div", { class: "plot" });
  const best = Math.max(roofline, ...layers.flatMap(({ kernels }) => kernels.map(({ result }) => result.gmacPerS)));
  const said = layers
    .map((layer) => {
      const top = layer.kernels.reduce((a, b) => (b.result.gmacPerS > a.result.gmacPerS ? b : a));
      return `${layer.name} ${layer.shape}: ${top.algorithm}, ${top.result.gmacPerS.toFixed(1)} GMAC/s`;
    })
    .join("; ");
  const region = make(
    "div",
    {
      class: "scroll",
      tabindex: "0",
      role: "img",
      "aria-label": `${title}. Roofline ${roofline.toFixed(1)} GMAC/s. Fastest kernels: ${said}`,
    },
    plot,
  );
  box.replaceChildren(region, key(used));

  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const xs = layers.map((_, i) => i);
  const values = used.map(({ id }) =>
    layers.map(({ kernels }) => kernels.find(({ algorithm }) => algorithm === id)?.result.gmacPerS ?? null),
  );
  const width = (): number => Math.max(region.clientWidth, layers.length * LEAST_COLUMN + 60);
  const made = new uPlot(
    {
      width: width(),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [14, 12, 0, 0],
      scales: { x: { time: false, range: [-0.5, layers.length - 0.5] }, y: { range: [0, best * 1.08] } },
      axes: [
        {
          stroke: soft,
          font,
          size: 60,
          gap: 6,
          grid: { show: false },
          ticks: { show: false },
          splits: () => xs,
          values: (_, splits) => splits.map((x) => (layers[x] ? columnLabel(layers[x]) : "")),
        },
        { stroke: soft, font, size: 48, grid: { stroke: line, width: 1 }, ticks: { show: false } },
      ],
      series: [
        {},
        ...used.map(({ shape, colour: property }) => ({
          paths: () => null,
          points: {
            show: (u: uPlot, series: number) => {
              const { ctx } = u;
              const ratio = devicePixelRatio;
              ctx.save();
              ctx.fillStyle = colour(property);
              for (const [i, value] of u.data[series]!.entries()) {
                if (value === null || value === undefined) continue;
                const path = outline(shape, u.valToPos(i, "x", true), u.valToPos(value, "y", true), MARK * ratio);
                ctx.fill(new Path2D(path));
              }
              ctx.restore();
              return false;
            },
          },
        })),
      ],
      hooks: {
        drawAxes: [
          (u) => {
            const { ctx } = u;
            const y = u.valToPos(roofline, "y", true);
            ctx.save();
            ctx.strokeStyle = ink;
            ctx.fillStyle = ink;
            ctx.lineWidth = 1.25 * devicePixelRatio;
            ctx.beginPath();
            ctx.moveTo(u.bbox.left, y);
            ctx.lineTo(u.bbox.left + u.bbox.width, y);
            ctx.stroke();
            ctx.font = `${12 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
            ctx.textAlign = "right";
            ctx.textBaseline = "bottom";
            ctx.fillText(
              `roofline ${roofline.toFixed(1)} GMAC/s`,
              u.bbox.left + u.bbox.width,
              y - 3 * devicePixelRatio,
            );
            ctx.restore();
          },
        ],
      },
    },
    [xs, ...values] as uPlot.AlignedData,
    plot,
  );
  const observer = new ResizeObserver(() => made.setSize({ width: width(), height: HEIGHT }));
  observer.observe(region);
  return () => {
    observer.disconnect();
    made.destroy();
  };
}

function key(used: readonly { name: string; shape: Shape; colour: string }[]): HTMLElement {
  const entries = used.map(({ name, shape, colour: property }) => {
    const mark = draw("path", { d: outline(shape, 7, 7, 4.5) });
    mark.style.fill = `var(${property})`;
    return make("li", {}, draw("svg", { width: 14, height: 14, "aria-hidden": "true" }, mark), name);
  });
  return make("ul", { class: "key" }, ...entries);
}
