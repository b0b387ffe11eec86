/** A simulation as pictures: where the time goes, layer by layer, and when. */
import type { LayerReport, SimulationReport } from "../../src/timing/report.ts";
import { draw, make } from "../shell/dom.ts";
import { duration, percent, whole } from "../shell/format.ts";
import { timelineOf } from "./timeline.ts";

/** What resources are, for people; one that is not here goes by its name. */
const RESOURCES: Readonly<Record<string, readonly [name: string, colour: number]>> = {
  npu: ["NPU", 1],
  mac: ["MAC units", 5],
  mce: ["convolution engine", 1],
  output: ["output unit", 4],
  ple: ["layer engine", 4],
  dram: ["DRAM", 2],
  flash: ["flash", 2],
  sram: ["SRAM", 3],
  host: ["host processor", 6],
};

export const resourceName = (id: string): string => RESOURCES[id]?.[0] ?? id;
const tint = (id: string): string => `var(--series-${RESOURCES[id]?.[1] ?? 5})`;

/** Time of the operations that each resource binds, longest first. */
export function boundShares({
  layers,
  total,
}: SimulationReport): { readonly bound: string; readonly ms: number; readonly share: number }[] {
  const sums = new Map<string, number>();
  for (const { bound, ms } of layers) sums.set(bound, (sums.get(bound) ?? 0) + ms);
  return [...sums].map(([bound, ms]) => ({ bound, ms, share: ms / total.ms })).sort((a, b) => b.ms - a.ms);
}

/** One bar for the whole network, cut by what binds, and its key. */
export function sharesBar(report: SimulationReport): HTMLElement {
  const shares = boundShares(report);
  const bar = make("div", { class: "shares", "aria-hidden": "true" });
  for (const { bound, share } of shares) {
    const piece = make("span");
    piece.style.flexGrow = String(share);
    piece.style.background = tint(bound);
    bar.append(piece);
  }
  const key = shares.map(({ bound, ms, share }) => {
    const mark = make("i", { "aria-hidden": "true" });
    mark.style.background = tint(bound);
    return make("li", {}, mark, `${resourceName(bound)}: ${percent(share)}, ${duration(ms)}`);
  });
  return make("div", { class: "shares-box" }, bar, make("ul", { class: "key" }, ...key));
}

/** A row an operation; its bar is as long as it takes. Roles are written out as narrow screens lay rows out as blocks, which would hide them. */
export function layerTable({ layers }: SimulationReport): HTMLElement {
  const longest = Math.max(...layers.map(({ ms }) => ms));
  const head = ["Operation", "Output", "Time", "", "Of peak", "Bound by", "Because"];
  const numeric = new Set([2, 4]);
  const row = ({ name, operation, shape, macs, ms, utilisation, bound, why }: LayerReport): HTMLElement => {
    const fill = make("span", { class: "bar" });
    fill.style.width = `${(100 * ms) / longest}%`;
    fill.style.background = tint(bound);
    const title = make("th", { scope: "row", role: "rowheader" }, name, make("small", {}, operation));
    return make(
      "tr",
      { role: "row" },
      title,
      make("td", { role: "cell" }, shape.join(" × ")),
      make("td", { class: "number", role: "cell" }, duration(ms)),
      make("td", { class: "bar-cell", role: "cell" }, fill),
      make("td", { class: "number", role: "cell" }, macs === 0 ? "–" : percent(utilisation)),
      make("td", { class: "bound", role: "cell" }, resourceName(bound)),
      make("td", { class: "why", role: "cell" }, why),
    );
  };
  return make(
    "table",
    { class: "plain layers", role: "table" },
    make(
      "thead",
      { role: "rowgroup" },
      make(
        "tr",
        { role: "row" },
        ...head.map((name, i) =>
          name === ""
            ? make("td", { role: "cell" })
            : make("th", { scope: "col", role: "columnheader", ...(numeric.has(i) && { class: "number" }) }, name),
        ),
      ),
    ),
    make("tbody", { role: "rowgroup" }, ...layers.map(row)),
  );
}

const ROW = 26;
const LABEL = 124;
const AXIS = 22;

/** The timeline, a row a resource. @param width in pixels, of the whole drawing */
export function gantt(report: SimulationReport, width: number): SVGSVGElement {
  const { tracks, spans, cycles } = timelineOf(report);
  const height = tracks.length * ROW + AXIS;
  const scale = (width - LABEL - 8) / cycles;
  const svg = draw("svg", {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": `Timeline of ${report.layers.length} operations on ${tracks.map(resourceName).join(", ")}`,
  });
  for (const [i, track] of tracks.entries()) {
    svg.append(
      draw("line", { x1: LABEL, x2: width, y1: (i + 1) * ROW - 0.5, y2: (i + 1) * ROW - 0.5, class: "rule" }),
      draw("text", { x: 0, y: i * ROW + ROW / 2 + 4 }, resourceName(track)),
    );
  }
  for (const { track, layer, start, cycles: taken, busyCycles } of spans) {
    const { name, bound, operation } = report.layers[layer]!;
    const title = `${name} (${operation}): ${resourceName(track)} busy ${whole(busyCycles)} cycles`;
    const bar = draw(
      "rect",
      {
        x: LABEL + start * scale,
        y: tracks.indexOf(track) * ROW + 4,
        width: Math.max(0.6, taken * scale - 0.5),
        height: ROW - 9,
        class: bound === track ? "busy" : "busy idle",
      },
      draw("title", {}, title),
    );
    bar.style.fill = tint(track);
    svg.append(bar);
  }
  const totalMs = report.total.ms;
  const steps = Math.max(2, Math.min(10, Math.floor((width - LABEL) / 120)));
  for (let i = 0; i <= steps; i++) {
    const x = LABEL + ((width - LABEL - 8) * i) / steps;
    const anchor = i === 0 ? "start" : i === steps ? "end" : "middle";
    svg.append(
      draw(
        "text",
        { x, y: height - 5, "text-anchor": anchor, class: "tick" },
        i === 0 ? "0" : duration((totalMs * i) / steps),
      ),
    );
  }
  return svg;
}
