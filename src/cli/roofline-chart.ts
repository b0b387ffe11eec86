/** Layers under a device's roofs, as a picture: products a cycle against products a byte of the memory that takes longest. */
import type { LayerReport, SimulationReport } from "../timing/report.ts";
import { resourceTitle } from "../timing/timeline.ts";
import { BLUE, element, escaped, GREEN, heading, LINE, line, MUTED, ORANGE, picture, RED, text } from "./svg.ts";

export interface Roofs {
  /** Products a cycle at most. */
  readonly macsPerCycle: number;
  /** Bytes a cycle of each memory. */
  readonly memories: Readonly<Record<string, number>>;
}

const [WIDTH, LEFT, RIGHT, TOP, HEIGHT] = [720, 76, 40, 110, 340];
const COLOURS: Readonly<Record<string, string>> = { sram: BLUE, onChipFlash: GREEN, dram: ORANGE, flash: RED };
/** Layers that the list below names: those that take longest. */
const NAMED = 8;
const CHARACTER = 6.7;
/** Closer labels share a place. */
const NEAR = 12;

interface Point {
  readonly layer: LayerReport;
  readonly memory: string;
  /** Products a byte, and a cycle. */
  readonly intensity: number;
  readonly rate: number;
}

function pointOf(layer: LayerReport, memories: Roofs["memories"]): Point | undefined {
  const bytes = (area: string): number =>
    (layer.bytes.read[area as keyof typeof layer.bytes.read] ?? 0) +
    (layer.bytes.write[area as keyof typeof layer.bytes.write] ?? 0);
  const [first, ...others] = Object.keys(memories);
  if (first === undefined || layer.macs === 0 || layer.cycles <= 0 || "host" in layer.cyclesByResource)
    return undefined;
  // Busy cycles count what short runs waste of bursts.
  const time = (area: string): number => layer.cyclesByResource[area] ?? bytes(area) / memories[area]!;
  const memory = others.reduce((most, one) => (time(one) > time(most) ? one : most), first);
  if (bytes(memory) === 0) return undefined;
  return { layer, memory, intensity: layer.macs / bytes(memory), rate: layer.macs / layer.cycles };
}

/** Powers of ten within a range of logarithms. */
const decades = ([from, to]: readonly [number, number]): number[] =>
  Array.from({ length: Math.floor(to) - Math.ceil(from) + 1 }, (_, i) => Math.ceil(from) + i);

const short = (value: number): string => String(Number(value.toPrecision(3)));

/** @param script what writes the picture */
export function rooflineChart(report: SimulationReport, { macsPerCycle, memories }: Roofs, script: string): string {
  const points = report.layers.flatMap((layer) => pointOf(layer, memories) ?? []);
  const ridges = Object.values(memories).map((rate) => macsPerCycle / rate);
  const logs = (values: readonly number[]): readonly [number, number] => {
    const all = values.map(Math.log10);
    return [Math.floor(Math.min(...all) * 2) / 2, Math.ceil(Math.max(...all) * 2) / 2];
  };
  const xs = logs([...points.map(({ intensity }) => intensity), ...ridges, 1]);
  const [lowest] = logs([...points.map(({ rate }) => rate), macsPerCycle]);
  const ys = [lowest, Math.log10(macsPerCycle) + 0.2] as const;
  const inner = WIDTH - LEFT - RIGHT;
  const atX = (log: number): number => LEFT + ((log - xs[0]) / (xs[1] - xs[0])) * inner;
  const atY = (log: number): number => TOP + HEIGHT * (1 - (log - ys[0]) / (ys[1] - ys[0]));
  const x = (intensity: number): number => atX(Math.log10(intensity));
  const y = (rate: number): number => atY(Math.log10(rate));
  const foot = TOP + HEIGHT;
  const parts = [
    ...heading(
      `${report.network} under the roofs of ${report.device}`,
      `one circle a layer, its area by the time it takes; ${report.mode} mode`,
    ),
    text(20, TOP - 22, "products a cycle", { size: 12, fill: MUTED }),
  ];
  for (const log of decades(xs)) {
    parts.push(line(atX(log), TOP, atX(log), foot));
    parts.push(text(atX(log), foot + 18, short(10 ** log), { anchor: "middle", size: 12, fill: MUTED }));
  }
  for (const log of decades(ys)) {
    parts.push(line(LEFT, atY(log), LEFT + inner, atY(log)));
    parts.push(text(LEFT - 8, atY(log) + 4, short(10 ** log), { anchor: "end", size: 12, fill: MUTED }));
  }
  const named = "products a byte of the memory that takes the layer longest";
  parts.push(text(LEFT + inner / 2, foot + 38, named, { anchor: "middle" }));
  const used = Object.entries(memories).filter(([area]) => points.some(({ memory }) => memory === area));
  const shown = used.length > 0 ? used : Object.entries(memories);
  const widest = Math.min(...shown.map(([, rate]) => macsPerCycle / rate));
  parts.push(line(x(widest), y(macsPerCycle), LEFT + inner, y(macsPerCycle), { stroke: MUTED, "stroke-width": 2 }));
  parts.push(text(LEFT + inner, y(macsPerCycle) - 7, `${macsPerCycle} MACs a cycle`, { anchor: "end", size: 12 }));
  for (const [area, rate] of shown) {
    // From the lower or the left edge up to the peak.
    const from = Math.max(xs[0], ys[0] - Math.log10(rate));
    const to = Math.log10(macsPerCycle / rate);
    const stroke = COLOURS[area] ?? MUTED;
    parts.push(line(atX(from), atY(from + Math.log10(rate)), atX(to), y(macsPerCycle), { stroke, "stroke-width": 2 }));
  }
  const most = Math.max(...points.map(({ layer }) => layer.cycles));
  const radius = ({ layer }: Point): number => 2 + 9 * Math.sqrt(layer.cycles / most);
  const largest = [...points].sort((a, b) => b.layer.cycles - a.layer.cycles);
  for (const point of largest) {
    const { layer, memory, intensity, rate } = point;
    const fill = COLOURS[memory] ?? MUTED;
    const circle = { cx: x(intensity), cy: y(rate), r: radius(point), fill, "fill-opacity": 0.45, stroke: fill };
    const label = `${layer.name}: ${short(rate)} products a cycle, ${short(intensity)} a byte; ${layer.why}`;
    parts.push(element("circle", circle, element("title", {}, escaped(label))));
  }
  const labels: { x: number; y: number; words: string }[] = [];
  for (const [i, point] of largest.slice(0, NAMED).entries()) {
    const place = { x: x(point.intensity), y: y(point.rate), words: String(i + 1) };
    const near = labels.find((one) => Math.hypot(one.x - place.x, one.y - place.y) < NEAR);
    if (near) near.words += ` ${place.words}`;
    else labels.push(place);
  }
  for (const label of labels) {
    parts.push(text(label.x, label.y + 4, label.words, { anchor: "middle", size: 11, bold: true }));
  }
  let at = 20;
  const key = foot + 68;
  for (const [area, rate] of shown) {
    const words = `${resourceTitle(area)}, ${short(rate)} ${rate === 1 ? "byte" : "bytes"} a cycle`;
    parts.push(element("circle", { cx: at + 6, cy: key - 4, r: 5, fill: COLOURS[area] ?? MUTED }));
    parts.push(text(at + 18, key, words, { size: 12 }));
    at += 44 + words.length * CHARACTER;
  }
  parts.push(line(20, key + 14, WIDTH - 20, key + 14, { stroke: LINE }));
  const share = (cycles: number): string => `${Math.round((100 * cycles) / report.total.cycles)} %`;
  for (const [i, { layer, rate }] of largest.slice(0, NAMED).entries()) {
    const row = key + 38 + 20 * i;
    parts.push(text(36, row, String(i + 1), { anchor: "end", size: 12, bold: true }));
    parts.push(text(46, row, layer.name, { size: 12 }));
    const figures = `${share(layer.cycles)} of the time, ${share(rate * (report.total.cycles / macsPerCycle))} of the peak`;
    parts.push(text(WIDTH - 20, row, figures, { anchor: "end", size: 12, fill: MUTED }));
  }
  const rest = report.layers.filter((layer) => !points.some((point) => point.layer === layer));
  const end = key + 38 + 20 * Math.min(NAMED, largest.length);
  if (rest.length > 0) {
    const cycles = rest.reduce((sum, layer) => sum + layer.cycles, 0);
    const note = `Not shown: ${rest.length} operations without products on the device, ${share(cycles)} of the time.`;
    parts.push(text(20, end + 6, note, { size: 12, fill: MUTED }));
  }
  return picture(
    {
      width: WIDTH,
      height: end + 24,
      title: `Layers of ${report.network} under the roofs of ${report.device}`,
      description:
        `${points.length} layers, ${short(report.total.utilisation * 100)} % of ${macsPerCycle} MACs a cycle in all. ` +
        largest
          .slice(0, 3)
          .map(({ layer, rate }) => `${layer.name}: ${short(rate)} products a cycle`)
          .join("; "),
      script,
    },
    parts,
  );
}
