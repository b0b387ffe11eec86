/** A simulation as pictures: where the time goes, layer by layer, and when. */
import type { LayerReport, SimulationReport } from "../../src/timing/report.ts";
import { type Counter, resourceTitle, type Slice, type Traced } from "../../src/timing/timeline.ts";
import { draw, make } from "../shell/dom.ts";
import { duration, percent, whole } from "../shell/format.ts";

/** Colours of resources by what they are: arithmetic, what stands around it, slow memory, fast memory, weights, the host and calls. */
const COLOURS: Readonly<Record<string, number>> = {
  ...{ npu: 1, mac: 1, mce: 1, array: 1, compute: 1 },
  ...{ output: 4, ple: 4, vector: 4, packing: 4 },
  ...{ dram: 2, flash: 2, onChipFlash: 2, DRAM: 2 },
  ...{ sram: 3, dmaIn: 3, dmaOut: 3, input: 3, L1: 3, L2: 3, L3: 3 },
  ...{ weightDma: 5, weightStream: 5, filter: 5 },
  ...{ host: 6, call: 6 },
};

const tint = (resource: string): string => `var(--series-${COLOURS[resource] ?? 6})`;

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
    return make("li", {}, mark, `${resourceTitle(bound)}: ${percent(share)}, ${duration(ms)}`);
  });
  return make("div", { class: "shares-box" }, bar, make("ul", { class: "key" }, ...key));
}

/** What is put on the page at once, and the steps that fill it: large networks have hundreds of rows and thousands of bars. */
export interface Filled<E extends Element> {
  readonly element: E;
  readonly steps: Iterable<unknown>;
}

/** A row an operation; its bar is as long as it takes. Roles are written out as narrow screens lay rows out as blocks, which would hide them. */
export function layerTable({ layers }: SimulationReport): Filled<HTMLElement> {
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
      make("td", { class: "bound", role: "cell" }, resourceTitle(bound)),
      make("td", { class: "why", role: "cell" }, why),
    );
  };
  const body = make("tbody", { role: "rowgroup" });
  function* steps(): Generator<void> {
    for (const layer of layers) yield body.append(row(layer));
  }
  const element = make(
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
    body,
  );
  return { element, steps: steps() };
}

const ROW = 26;
const LABEL = 124;
const AXIS = 22;
/** The narrowest bar, in pixels. */
const LEAST = 0.6;

/** The timeline, a row a resource and one a counter. @param width in pixels, of the whole drawing */
export function gantt({ report, timeline }: Traced, width: number): Filled<SVGSVGElement> {
  const { lanes, counters, cycles } = timeline;
  const rows = lanes.length + counters.length;
  const height = rows * ROW + AXIS;
  const scale = (width - LABEL - 8) / cycles;
  const names = lanes.map(({ title }) => title).join(", ");
  const label = `Timeline of ${report.layers.length} operations on ${names}`;
  const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (const [i, { title }] of [...lanes, ...counters].entries()) {
    svg.append(
      draw("line", { x1: LABEL, x2: width, y1: (i + 1) * ROW - 0.5, y2: (i + 1) * ROW - 0.5, class: "rule" }),
      draw("text", { x: 0, y: i * ROW + ROW / 2 + 4 }, title),
    );
  }
  const bounds = new Map(report.layers.map(({ name, bound }) => [name, bound]));
  for (const [i, counter] of counters.entries()) svg.append(counted(counter, (lanes.length + i) * ROW, cycles, scale));
  const totalMs = report.total.ms;
  const ticks = Math.max(2, Math.min(10, Math.floor((width - LABEL) / 120)));
  for (let i = 0; i <= ticks; i++) {
    const x = LABEL + ((width - LABEL - 8) * i) / ticks;
    const anchor = i === 0 ? "start" : i === ticks ? "end" : "middle";
    const text = i === 0 ? "0" : duration((totalMs * i) / ticks);
    svg.append(draw("text", { x, y: height - 5, "text-anchor": anchor, class: "tick" }, text));
  }
  function* steps(): Generator<void> {
    for (const [i, { resource, slices }] of lanes.entries()) {
      let drawn = 0;
      for (const slice of slices) {
        const [from, to] = [slice.start * scale, (slice.start + slice.cycles) * scale];
        // What would not be seen beside its neighbour is left out: large networks have thousands of slices.
        if (to - drawn < LEAST) continue;
        drawn = to;
        const width = Math.max(LEAST, to - from - 0.5);
        const place = { x: LABEL + from, y: i * ROW + 4, width, height: ROW - 9 };
        const kind = bounds.get(slice.layer) === resource ? "busy" : "busy idle";
        const bar = draw("rect", { ...place, class: kind }, draw("title", {}, told(slice)));
        bar.style.fill = tint(resource);
        yield svg.append(bar);
      }
    }
  }
  return { element: svg, steps: steps() };
}

function told({ name, busy, cycles, pieces }: Slice): string {
  const waiting = cycles > busy ? ` of ${whole(cycles)}` : "";
  return `${name}: busy ${whole(busy)}${waiting} cycles${pieces > 1 ? `, ${whole(pieces)} pieces` : ""}`;
}

/** A counter as steps, its largest value as high as the row. */
function counted({ title, unit, samples }: Counter, top: number, cycles: number, scale: number): SVGPathElement {
  const most = Math.max(1, ...samples.map(({ value }) => value));
  const y = (value: number): number => top + ROW - 1 - ((ROW - 6) * value) / most;
  let path = `M${LABEL} ${y(0)}`;
  for (const { cycle, value } of samples) path += `H${(LABEL + cycle * scale).toFixed(1)}V${y(value).toFixed(1)}`;
  path += `H${(LABEL + cycles * scale).toFixed(1)}V${y(0)}Z`;
  return draw("path", { d: path, class: "counter" }, draw("title", {}, `${title}, at most ${whole(most)} ${unit}`));
}
